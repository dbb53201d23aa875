"""The bytes of ConverseStream to events."""

from proxy.codec.bedrock.converse import Conversation
from proxy.codec.bedrock.stream import EventStreamDecoder
from proxy.dialects.bedrock_converse.wire import NAME
from proxy.events import Event, Usage


class ConverseDecoder(EventStreamDecoder):
    """One answer. See `Decoder`."""

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._said = Conversation(NAME, max_event_bytes)

    @property
    def usage(self) -> Usage:
        return self._said.usage

    def _event(self, kind: str, payload: bytes, out: list[Event]) -> None:
        self._said.take(kind, payload, out)
        if self._said.whole:
            self._whole(out)

    def _whole(self, out: list[Event]) -> bool:
        if self._said.stop is None:
            return False
        self._said.end(out)
        self.done = True
        return True
