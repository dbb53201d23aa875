"""An answer's bytes to the JSON of its chunks, in whichever of the two forms it comes.

`alt=sse` gives server-sent events, no `alt` one JSON array, and some servers give the one where the
other was asked for: the first byte tells. An error in the middle of the events may stand there
bare, over many lines; such lines are read when the body has ended.
"""

import re

from proxy.codec.failures import read_error
from proxy.framing import BadFrame, FramingError, TooLarge
from proxy.framing.sse import SSEParser
from proxy.framing.values import ValueSplitter

_BOM = b"\xef\xbb\xbf"
_BEFORE = re.compile(rb"(?:\s++|\xef\xbb\xbf)*")
_FIELDS = (b"data", b"event", b"id", b"retry")  # a body cut inside the first of these was a stream


class Frames:
    """One stream's bytes to chunks. Raises FramingError as the framing's own classes do."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._start = b""  # what may become a byte order mark
        self._sse: SSEParser | None = None
        self._values: ValueSplitter | None = None
        self.framed = False  # a chunk has come

    def feed(self, chunk: bytes) -> list[bytes]:
        """The chunks that these bytes complete."""
        frames = self._cut(chunk)
        if frames:
            self.framed = True
        return frames

    @property
    def fault(self) -> FramingError | None:
        """What the next call will raise."""
        splitter = self._sse or self._values
        return None if splitter is None else splitter.fault

    def close(self) -> list[bytes]:
        """The body ended: what it completes, and whatever was left bare or unfinished."""
        if self._values is not None:
            left = self._values.close()
            return [left] if left.strip() else []
        if self._sse is None:
            return []
        frames = [frame.data for frame in self._sse.close()]
        self.framed = self.framed or bool(frames)
        return frames + self._bare(self._sse.stray)

    def why_none(self) -> str | None:
        """Of a body that held no chunk at all: what it was instead, None for one that was merely
        cut.
        """
        stray = b"" if self.framed or self._sse is None else self._sse.stray
        if not stray.strip() or any(name.startswith(stray) for name in _FIELDS):
            return None
        return read_error(stray).message

    def _cut(self, chunk: bytes) -> list[bytes]:
        if self._sse is not None:
            frames = self._sse.feed(chunk)
            if len(frames) == 1:
                return [frames[0].data]
            return [frame.data for frame in frames]
        if self._values is not None:
            return self._values.feed(chunk)
        chunk = self._start + chunk
        # # it matches nothing at least
        begun = chunk[_BEFORE.match(chunk).end() :]  # type: ignore[union-attr]
        if _BOM.startswith(begun):
            self._start = begun
            return []
        self._start = b""
        if begun.startswith((b"[", b"{")):
            self._values = ValueSplitter(self._max, array=True)
        else:
            self._sse = SSEParser(self._max, lossless=True, documents=True)
        return self._cut(begun)

    def _bare(self, stray: bytes) -> list[bytes]:
        """The JSON in lines that are no field of an event. Other text there is nobody's."""
        if not stray.lstrip().startswith((b"{", b"[")):
            return []
        splitter = ValueSplitter(self._max, array=True)
        try:
            values = splitter.feed(stray)
            left = splitter.close()
        except (BadFrame, TooLarge):
            return []
        return values + ([left] if left else [])
