"""Tools that were renamed for their target get the client's names back in the answer."""

from collections.abc import Mapping

from msgspec import UNSET
from msgspec.structs import replace

from proxy.codec.base import Decoder
from proxy.events import BlockStart, Event, Usage


class RestoredNames(Decoder):
    """A decoder whose tool calls have the client's names. `names`: as sent, to the client's."""

    def __init__(self, inner: Decoder, names: Mapping[str, str]) -> None:
        self._inner = inner
        self._names = names

    def feed(self, data: bytes) -> list[Event]:
        return self._restored(self._inner.feed(data))

    def close(self) -> list[Event]:
        return self._restored(self._inner.close())

    @property
    def usage(self) -> Usage:
        return self._inner.usage

    def _restored(self, events: list[Event]) -> list[Event]:
        self.done = self._inner.done
        for at, event in enumerate(events):
            if isinstance(event, BlockStart) and event.tool is not UNSET:
                name = self._names.get(event.tool.name)
                if name is not None:
                    events[at] = replace(event, tool=replace(event.tool, name=name))
        return events
