"""Tools that were renamed for their target, or sent as functions instead of with free text, are the
client's again in the answer.
"""

from collections.abc import Mapping

from msgspec import UNSET
from msgspec.structs import replace

from proxy.codec.base import Decoder, OuterDecoder
from proxy.events import BlockStart, Event, Tool


class RestoredTools(OuterDecoder):
    """A decoder whose tool calls are as the client's request has them. `names`: as sent, to the
    client's. `custom`: the client's names of those that take free text; the arguments of their
    calls are in our form for that already (see `proxy/codec/custom_tools.py`).
    """

    def __init__(
        self, inner: Decoder, names: Mapping[str, str], custom: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(inner)
        self._names = names
        self._custom = custom

    def feed(self, data: bytes) -> list[Event]:
        return self._restored(self._inner.feed(data))

    def close(self) -> list[Event]:
        return self._restored(self._inner.close())

    def _restored(self, events: list[Event]) -> list[Event]:
        self.done = self._inner.done
        for at, event in enumerate(events):
            if isinstance(event, BlockStart) and event.tool is not UNSET:
                name = self._names.get(event.tool.name, event.tool.name)
                custom = True if name in self._custom else event.tool.custom
                events[at] = replace(event, tool=Tool(event.tool.id, name, custom))
        return events
