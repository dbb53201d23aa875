"""Chunks that differ from an earlier one in nothing but a piece of text, as most of many vendors'
do: of such a chunk the text alone is read.

A chunk that begins and ends as another one did, with a JSON string in place of the other's, is the
same frame with another text in it. So if the other one was a whole event, and gave a piece of text
and nothing else, this one gives its own piece of text. Several that come together are read at once.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from proxy.codec.base import Decoder, OuterDecoder
from proxy.events import Event, ReasoningDelta, TextDelta

_read = msgspec.json.Decoder(str).decode
_read_several = msgspec.json.Decoder(list[str]).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
_END = b"\n\n"  # of an event
_ENDS = (_END, b"\r\n\r\n")
_NOWHERE = slice(0)
_BRACKETS = b'"]}'  # with the text's own mark
# Many vendors put something into each chunk that is in no other (a number, padding): after so many
# chunks in a row that were like none before, no more are learned.
_MOST_MISSES = 16
_MOST_APART = 16  # chunks of one answer that are taken out of what came with them
_MANY_BYTES = 4096  # of chunks that came together: they are worth it
_MOST_BYTES = 4096  # of a chunk that is learned


class Alike(OuterDecoder):
    """A decoder of server-sent events that reads only what differs from the chunk before. `inner`
    reads all else. An event of `inner`'s that is a piece of text and nothing else must leave it as
    it was, whatever the text is.
    """

    # with thousands of streams what a chunk looks at has left the caches: so it is in few places
    __slots__ = (
        "_after",
        "_apart",
        "_before",
        "_between",
        "_block",
        "_kind",
        "_max_event_bytes",
        "_misses",
        "_tail",
        "_text",
    )

    def __init__(self, inner: Decoder, max_event_bytes: int) -> None:
        super().__init__(inner)
        self._max_event_bytes = max_event_bytes
        self._misses = self._apart = self._block = 0
        self._between = False  # the last chunk ended with the end of an event
        # The learned chunk: what stands before its text and behind it, quotation marks included;
        # where the text is, with its marks; what it gave. `_tail` is what stands behind it, without
        # blanks, if that is brackets alone: a vendor may put any number of blanks among them.
        self._before = self._after = self._tail = b""
        self._text = _NOWHERE
        self._kind: type[TextDelta | ReasoningDelta] = TextDelta

    def feed(self, data: bytes) -> list[Event]:
        before = self._before
        if before and data.startswith(before) and len(data) <= self._max_event_bytes:
            place = self._text if data.endswith(self._after) else self._padded(data)
            try:
                text = _read(data[place])
            except _UNREADABLE:
                text = ""
            if text:
                self._misses = 0
                return [self._kind(self._block, text)]
        return self._read_all(data)

    def close(self) -> list[Event]:
        events = self._inner.close()
        self.done = self._inner.done
        return events

    def _padded(self, data: bytes) -> slice:
        """Where the text is in a chunk like the learned one but for its blanks; else nowhere."""
        end = data.rfind(b'"')
        if data[end:].replace(b" ", b"") == self._tail and data.endswith(_ENDS):
            return slice(self._text.start, end + 1)
        return _NOWHERE

    def _read_all(self, data: bytes) -> list[Event]:
        """Of many chunks that came together the first are read one by one, until one is learned;
        then those that are like it all at once.
        """
        events: list[Event] = []
        at, size = 0, len(data)
        while size - at > _MANY_BYTES and not self._before and self._apart < _MOST_APART:
            end = data.find(_END, at) + len(_END)
            if end < len(_END):
                break
            self._apart += 1
            self._read_one(data[at:end], events)
            at = end
        if self._before:
            at = self._read_run(data, at, events)
        if at < size:
            self._read_one(data[at:], events)
        return events

    def _read_one(self, data: bytes, events: list[Event]) -> None:
        if self._before:
            self._before = b""  # what the learned chunk stood for may change now
        given = self._inner.feed(data)
        self.done = self._inner.done
        events += given
        if self._misses < _MOST_MISSES:
            began, self._between = self._between, data.endswith(_ENDS)
            if began and self._between and len(given) == 1 and len(data) <= _MOST_BYTES:
                self._learn(data, given[0])

    def _read_run(self, data: bytes, at: int, events: list[Event]) -> int:
        """Take the chunks there that are like the learned one; answers where they end."""
        before, after = self._before, self._after
        if not data.startswith(before, at) or len(data) > self._max_event_bytes:
            return at
        *texts, rest = data[at + len(before) :].split(after + before)
        texts.append(rest.partition(after)[0])
        try:
            # no string holds the end of a line: so each text is one string, or this is none
            said = _read_several(b'["%b"]' % b'"\n,"'.join(texts))
        except _UNREADABLE:
            return at
        if "" in said or len(said) != len(texts) or len(texts[-1]) == len(rest):
            return at
        self._misses = 0
        kind, block = self._kind, self._block
        events += [kind(block, text) for text in said]
        return at + sum(map(len, texts)) + len(texts) * (len(before) + len(after))

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
            self._text = slice(len(before), -len(after))
            tail = self._after.replace(b" ", b"")
            self._tail = tail if tail.strip(_BRACKETS) in _ENDS else b""
            self._kind, self._block = type(event), event.block


def alike(
    decoder: Callable[[int, Mapping[str, Any]], Decoder],
) -> Callable[[int, Mapping[str, Any]], Decoder]:
    """`UpstreamHalf.decoder` of a dialect whose chunks are often alike; see `Alike`."""

    def new(max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        return Alike(decoder(max_event_bytes, options), max_event_bytes)

    return new
