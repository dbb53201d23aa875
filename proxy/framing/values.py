"""JSON objects back to back, as vendors send them that forgot the framing.

    stream  = (white space | BOM | "data:" | comment | value)*
    value   = {...} | [DONE]
    comment = ":" to the line's end

With `array=True` the objects are the elements of one JSON array, streamed: `[{...},{...}]`.
"""

import re
import sys

from proxy.framing import BadFrame, FramingError, TooLarge

DONE = b"[DONE]"
_PREFIX = b"data:"
_BOM = b"\xef\xbb\xbf"
_SHOWN_BYTES = 40  # of garbage, in the error's text
# Before 3.11.5 a possessive group that fails in its middle does not go back to where it began
# (CPython's gh-106052); a plain one takes more memory for a while and finds the same.
_GROUPS = "*+" if sys.version_info >= (3, 11, 5) else "*"


def patterns(times: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Outside a string, up to the next brace or unfinished string; whole strings are jumped over.
    And inside one, up to its end. `times` repeats a group; possessive, so that a failure never goes
    back over what was read.
    """
    inside = rf'[^"\\]*+(?:\\.[^"\\]*+){times}'
    outside = rf'[^{{}}"]*+(?:"{inside}"[^{{}}"]*+){times}'
    return re.compile(outside.encode(), re.DOTALL), re.compile(inside.encode(), re.DOTALL)


_TO_BRACE, _TO_QUOTE = patterns(_GROUPS)
_GAP = re.compile(rb"[ \t\r\n]*+")
_ARRAY_GAP = re.compile(rb"[ \t\r\n\[\],]*+")
_QUOTE, _OPEN, _CLOSE, _COLON = b'"{}:'


class ValueSplitter:
    """One stream's bytes to values, each given as soon as its closing brace is there.
    `max_event_bytes` bounds a value.
    """

    __slots__ = ("_at", "_depth", "_gap", "_held", "_in_string", "_max", "_words", "fault")

    def __init__(self, max_event_bytes: int, *, array: bool = False) -> None:
        self._max = max_event_bytes
        self._gap = _ARRAY_GAP if array else _GAP
        self._words = (_PREFIX, _BOM) if array else (_PREFIX, _BOM, DONE)
        self._held = bytearray()  # the unfinished value, from its first byte
        self._at = 0  # how far into it has been read
        self._depth = 0  # open braces; 0 means between two values
        self._in_string = False
        self.fault: FramingError | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """The values that this chunk completes. Raises TooLarge, and BadFrame for bytes where no
        value can begin.
        """
        if self.fault is not None:
            raise self.fault.again()
        values: list[bytes] = []
        self._held += chunk
        try:
            self._read(values)
        except FramingError as fault:
            self.fault = fault.again()
            self._held.clear()
            if not values:
                raise
        return values

    def close(self) -> bytes:
        """The body ended: what is left of a value that is incomplete, or b"". Raises what `feed`
        would have raised next.
        """
        if self.fault is not None:
            raise self.fault.again()
        return b"" if self._held.startswith(b":") else bytes(self._held)

    def _read(self, values: list[bytes]) -> None:
        start = 0
        while True:
            if self._depth == 0:
                start = self._between(start, values)
                if self._depth == 0:
                    break
            if not self._to_end():
                if len(self._held) - start > self._max:
                    raise TooLarge(self._max)
                break
            if self._at - start > self._max:
                raise TooLarge(self._max)
            values.append(bytes(self._held[start : self._at]))
            start = self._at
        del self._held[:start]
        self._at -= start

    def _between(self, at: int, values: list[bytes]) -> int:
        """Jump over what may stand between two values; answers where the next one, or an unfinished
        word, begins.
        """
        held = self._held
        while True:
            # # it matches nothing at least
            at = self._gap.match(held, at).end()  # type: ignore[union-attr]
            self._at = at
            if at == len(held):
                return at
            if held[at] == _OPEN:
                self._depth, self._at = 1, at + 1
                return at
            if held[at] == _COLON:  # a keep-alive comment of a vendor that does frame its events
                end = held.find(b"\n", at)
                if end < 0:
                    del held[at + 1 :]  # what it says is not kept, only that it has begun
                    return at
                at = end + 1
                continue
            for word in self._words:
                if held.startswith(word, at):
                    at += len(word)
                    if word is DONE:
                        values.append(DONE)
                    break
                if word.startswith(held[at : at + len(word)]):
                    return at
            else:
                raise BadFrame(
                    f"expected a JSON object, found {bytes(held[at : at + _SHOWN_BYTES])!r}"
                )

    def _to_end(self) -> bool:
        """Read on in the open value. True: `_at` is behind its closing brace. False: the bytes are
        used up.
        """
        held = self._held
        size = len(held)
        while self._at < size:
            pattern = _TO_QUOTE if self._in_string else _TO_BRACE
            at = pattern.match(held, self._at).end()  # type: ignore[union-attr]
            self._at = at
            if at == size:
                return False
            byte = held[at]
            if byte == _QUOTE:
                self._in_string = not self._in_string
            elif byte == _OPEN:
                self._depth += 1
            elif byte == _CLOSE:
                self._depth -= 1
            else:  # a backslash ends the bytes: what it escapes comes with the next chunk
                return False
            self._at = at + 1
            if self._depth == 0:
                return True
        return False
