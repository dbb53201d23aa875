"""Server-sent events are read here, by the HTML standard's section 9.2 (parsing and interpreting an
event stream), on bytes. `sse_frame` writes them.

How the parser stays linear and bounded: line ends become LF per chunk; bytes of an unfinished line
are appended to one buffer and looked at again only once, when their LF arrives; an unfinished
comment is not kept at all.
"""

from itertools import repeat

from proxy.framing import FramingError, TooLarge
from proxy.framing.sse_frame import Frame, new_frame, shaped
from proxy.framing.sse_lines import COLON, SSELines

_BOM = b"\xef\xbb\xbf"
# Asked for with `in` as integers: at a tenth of the price of a bytes object there.
_LF = 0x0A
_CR = 0x0D
_BEGINNINGS = (b"data: ", b"event: ")  # of nearly every stream


class SSEParser(SSELines):
    """One stream's bytes to frames. `max_event_bytes` bounds the lines of one event, its comments
    not counted.

    The standard drops a line that is no field of it (see `stray`) even when it is garbage that ran
    into the line behind it, and the event that began there is gone without a trace. `lossless`:
    that is a BadFrame, and a line that begins as a JSON object, behind the data of an event, is
    more of its data.

    `documents`: an event holds one JSON document, so an object behind one that has ended begins
    another event; some servers write no blank line between two.
    """

    __slots__ = ("_after_cr", "_fresh", "_head", "_held", "_in_comment", "fault")

    def __init__(
        self, max_event_bytes: int, *, lossless: bool = False, documents: bool = False
    ) -> None:
        super().__init__(max_event_bytes, lossless=lossless, documents=documents)
        self._head: bytes | None = b""  # the first bytes, while they may still become a BOM
        # between two events with nothing held: a chunk of whole events needs no care
        self._fresh = False
        self.fault: FramingError | None = None  # dead: every further call raises it
        self._after_cr = False  # the last chunk ended in CR: a LF now is the rest of that line end
        self._in_comment = False  # inside an unfinished comment line
        self._held = bytearray()  # the unfinished line

    def feed(self, chunk: bytes) -> list[Frame]:
        """The events that this chunk completes. Raises TooLarge, and BadFrame if `lossless`."""
        end = len(chunk) - 2
        if self._fresh and 0 < end < self._max and chunk[-1] == _LF:
            # most chunks are one event of one of three shapes
            first = chunk.find(b"\n")
            if _CR in chunk:
                if (
                    first == end - 1
                    and chunk.find(b"\r") == end - 2
                    and chunk.startswith(b"data: ")
                    and chunk.endswith(b"\r\n\r\n")
                ):
                    return [new_frame(Frame, ("message", chunk[6 : end - 2], self._id))]
                return self._feed_any(chunk)
            if first == end and chunk.startswith(b"data: "):
                return [new_frame(Frame, ("message", chunk[6:end], self._id))]
            if (
                chunk.startswith(b"data: ", first + 1)
                and chunk.find(b"\n", first + 1) == end
                and chunk.startswith(b"event: ")
            ):
                event = chunk[7:first].decode("utf-8", "replace") or "message"
                return [new_frame(Frame, (event, chunk[first + 7 : end], self._id))]
            if chunk[end] == _LF:
                frames: list[Frame] = []
                try:
                    self._whole(chunk, frames)
                except FramingError as fault:
                    self._die(fault, frames)
                return frames
        return self._feed_any(chunk)

    def close(self) -> list[Frame]:
        """The body ended cleanly. An event that lacks only its blank line, or the end of its last
        line, is dispatched: the standard drops it, but vendors end so. Raises what `feed` does.
        """
        if self.fault is not None:
            raise self.fault.again()
        frames: list[Frame] = []
        self._fresh = False
        self._held[:0] = self._head or b""
        self._head = None
        line = bytes(self._held)
        self._held.clear()
        try:
            if line:
                self._line(line, frames)
        except FramingError as fault:
            self._die(fault, frames)
        else:
            self._dispatch(frames)
        return frames

    def _feed_any(self, chunk: bytes) -> list[Frame]:
        if self.fault is not None:
            raise self.fault.again()
        if self._head == b"" and chunk.startswith(_BEGINNINGS):  # the first, without a BOM
            self._head, self._fresh = None, True
            return self.feed(chunk)
        chunk = self._normalised(chunk)
        frames: list[Frame] = []
        end = chunk.rfind(b"\n") + 1
        try:
            if end:
                self._lines(chunk[:end], frames)
            self._hold(chunk[end:])
        except FramingError as fault:
            self._die(fault, frames)
        else:
            self._fresh = (
                not (self._size or self._held or self._in_comment or self._after_cr)
                and self._head is None
            )
        return frames

    def _die(self, fault: FramingError, frames: list[Frame]) -> None:
        """Frames that were complete before the fault are given first; the next call raises it."""
        self.fault, self._fresh = fault.again(), False
        self._held.clear()
        self._data.clear()
        if not frames:
            raise fault.again()

    def _normalised(self, chunk: bytes) -> bytes:
        """The chunk without a BOM at the stream's start, with LF for CR and CRLF. A CR at the end
        counts at once.
        """
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._head = chunk
                return b""
            self._head = None
            chunk = chunk.removeprefix(_BOM)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if _CR in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _hold(self, rest: bytes) -> None:
        """Keep the start of a line whose end has not come."""
        if not rest or self._in_comment:
            return
        if not self._held and rest[0] == COLON:
            self._in_comment = True
            return
        self._held += rest
        if self._size + len(self._held) > self._max:
            raise TooLarge(self._max)

    def _lines(self, text: bytes, frames: list[Frame]) -> None:
        """Take whole lines: `text` ends in LF, and its first line may have begun earlier."""
        if self._in_comment:
            self._in_comment = False
            text = text[text.find(b"\n") + 1 :]
        elif self._held:
            text = bytes(self._held) + text
            self._held.clear()
        if not self._size and len(text) <= self._max and text.endswith(b"\n\n"):
            self._whole(text, frames)
            return
        *blocks, rest = text.split(b"\n\n")
        if self._size + len(text) > self._max:  # some event may be too large: count
            for block in blocks:
                self._block(block, frames)
        elif blocks:
            if self._size:
                self._block(blocks.pop(0), frames)
            self._blocks(blocks, frames)
        if rest:
            for line in rest[:-1].split(b"\n"):
                self._line(line, frames)

    def _whole(self, text: bytes, frames: list[Frame]) -> None:
        """Take whole events, none too large."""
        if (alike := shaped(text)) is not None:
            frames += map(new_frame, repeat(Frame), zip(*alike, repeat(self._id)))
        else:
            self._blocks(text[:-2].split(b"\n\n"), frames)

    def _blocks(self, blocks: list[bytes], frames: list[Frame]) -> None:
        """The same, of events without their blank lines. The usual shapes need no look at their
        lines.
        """
        for block in blocks:
            if block.startswith(b"data: ") and _LF not in block:
                frames.append(new_frame(Frame, ("message", block[6:], self._id)))
                continue
            name, rest = b"", block
            if block.startswith(b"event:"):
                name, _, rest = block.partition(b"\n")
                if name[6:7] == b" " and rest.startswith(b"data: ") and _LF not in rest:
                    event = name[7:].decode("utf-8", "replace") or "message"
                    frames.append(new_frame(Frame, (event, rest[6:], self._id)))
                    continue
            if _LF in rest or not rest.startswith(b"data:"):
                self._block(block, frames)
                continue
            data = rest[6:] if rest.startswith(b"data: ") else rest[5:]
            event = name[6:].removeprefix(b" ").decode("utf-8", "replace") if name else ""
            frames.append(new_frame(Frame, (event or "message", data, self._id)))

    def _block(self, block: bytes, frames: list[Frame]) -> None:
        for line in block.split(b"\n"):
            self._line(line, frames)
        self._dispatch(frames)
