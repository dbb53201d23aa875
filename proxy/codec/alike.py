"""Chunks that differ from an earlier one in nothing but a piece of text, as most of many vendors'
do: of such a chunk the text alone is read.

A chunk that begins and ends as another one did, with a JSON string in place of the other's, is the
same frame with another text in it. So if the other one was a whole event, and gave a piece of text
and nothing else, this one gives its own piece of text.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from proxy.codec.base import Decoder, OuterDecoder
from proxy.events import Event, ReasoningDelta, TextDelta

_read = msgspec.json.Decoder(str).decode
_ENDS = (b"\n\n", b"\r\n\r\n")  # of an event
# Many vendors put something into each chunk that is in no other (a number, padding): after so many
# chunks in a row that were like none before, no more are learned.
_MOST_MISSES = 16
_MOST_BYTES = 4096  # of a chunk that is learned


class Alike(OuterDecoder):
    """A decoder of server-sent events that reads only what differs from the chunk before. `inner`
    reads all else. An event of `inner`'s that is a piece of text and nothing else must leave it as
    it was, whatever the text is.
    """

    def __init__(self, inner: Decoder, max_event_bytes: int) -> None:
        super().__init__(inner)
        self._max_event_bytes = max_event_bytes
        # The learned chunk: what stands before its text and behind it, quotation marks included,
        # and what it gave.
        self._before = self._after = b""
        self._kind: type[TextDelta | ReasoningDelta] = TextDelta
        self._block = 0
        self._misses = 0
        self._between = False  # the last chunk ended with the end of an event

    def feed(self, data: bytes) -> list[Event]:
        before, after = self._before, self._after
        if before and data.startswith(before) and data.endswith(after):
            try:
                text = _read(data[len(before) - 1 : 1 - len(after)])
            except (msgspec.DecodeError, UnicodeDecodeError):
                text = ""
            if text and len(data) <= self._max_event_bytes:
                self._misses = 0
                return [self._kind(self._block, text)]
        return self._read_all(data)

    def close(self) -> list[Event]:
        events = self._inner.close()
        self.done = self._inner.done
        return events

    def _read_all(self, data: bytes) -> list[Event]:
        self._before = b""  # what the learned chunk stood for may change now
        events = self._inner.feed(data)
        self.done = self._inner.done
        if self._misses < _MOST_MISSES:
            began, self._between = self._between, data.endswith(_ENDS)
            if began and self._between and len(events) == 1 and len(data) <= _MOST_BYTES:
                self._learn(data, events[0])
        return events

    def _learn(self, data: bytes, event: Event) -> None:
        """The chunk holds whole events, and this is all that they gave."""
        if not isinstance(event, TextDelta | ReasoningDelta):
            return
        self._misses += 1
        text = event.text
        if not text.isprintable() or '"' in text or "\\" in text:
            return  # it may be written in several ways
        said = b'"%b"' % text.encode()
        if data.count(said) == 1:
            before, after = data.split(said)
            self._before, self._after = before + b'"', b'"' + after
            self._kind, self._block = type(event), event.block


def alike(
    decoder: Callable[[int, Mapping[str, Any]], Decoder],
) -> Callable[[int, Mapping[str, Any]], Decoder]:
    """`UpstreamHalf.decoder` of a dialect whose chunks are often alike; see `Alike`."""

    def new(max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        return Alike(decoder(max_event_bytes, options), max_event_bytes)

    return new
