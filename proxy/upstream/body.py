"""Where the body of an answer in HTTP/1.1 ends, and what of its bytes are data (RFC 9112, 6 and 7).
No I/O.

A body's `feed` gives the data in some bytes. `done`: it has ended; `beyond`: with more bytes behind
it; `malformed`: it breaks the rules, and what came before that was given. After either nothing is
fed. `between`: it stands between two chunks.
"""

import re
from abc import ABC, abstractmethod

# Of the line that begins a chunk, with its extensions, and of each field behind the last chunk.
_MOST_LINE_BYTES = 8190
_MOST_FIELDS = 128
_MOST_SIZE_BYTES = 18  # of a size that is written plainly, and the end of its line
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_PLAINLY = b"%x".__mod__  # a size, as nearly all write it
_END = b"0\r\n\r\n"  # of a body behind which no fields come


class Body(ABC):
    """What the three have in common."""

    __slots__ = ("beyond", "done", "malformed")

    between = False

    def __init__(self) -> None:
        self.done = self.beyond = self.malformed = False

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """The data in these bytes."""


class ToTheEnd(Body):
    """As long as its connection."""

    __slots__ = ()

    def feed(self, data: bytes) -> bytes:
        return data


class Length(Body):
    """So many bytes."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> bytes:
        self.beyond = len(data) > self._left
        data = data[: self._left]
        self._left -= len(data)
        self.done = self._left == 0
        return data


class Chunks(Body):
    """In chunks. What may follow the last one is read and forgotten."""

    __slots__ = ("_fields", "_last", "_left", "_line", "_within", "between")

    def __init__(self) -> None:
        super().__init__()
        self.between = True  # no byte of the next chunk has come
        self._left = 0  # of the chunk's data, to come
        self._within = False  # a chunk, whose end of line is to come too
        self._line = b""  # of which the end has not come
        self._last = False  # only fields are to come
        self._fields = 0

    def feed(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        at = self._whole(data, pieces) if self.between else 0
        rest = data[at:]
        if rest == _END and self.between:
            self.done = self._last = True
            self.between = False
        elif rest:
            self._feed(rest, pieces)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _whole(self, data: bytes, pieces: list[bytes]) -> int:
        """Take the whole chunks that these bytes begin with, as nearly all are. Where they end."""
        lines = data.split(b"\r\n")
        sizes, whole = lines[:-1:2], lines[1:-1:2]
        if whole and not whole[-1]:
            whole.pop()  # it is the body's end
        # so written, a size can mean nothing else; 0 is the body's end
        if sizes[: len(whole)] == [*map(_PLAINLY, map(len, whole))] and b"" not in whole:
            pieces += whole
            return sum(map(len, lines[: 2 * len(whole)])) + 4 * len(whole)
        return self._one_by_one(data, pieces)  # there are line ends in the data

    @staticmethod
    def _one_by_one(data: bytes, pieces: list[bytes]) -> int:
        """The same for any data."""
        at = 0
        while True:
            end = data.find(b"\r\n", at, at + _MOST_SIZE_BYTES)
            if end < 0:  # it has not come, or is not written plainly
                return at
            line = data[at:end]
            try:
                begin, length = end + 2, int(line, 16)
            except ValueError:
                return at
            stop = begin + length
            plain = length > 0 and line == b"%x" % length  # as above
            if not plain or not data.startswith(b"\r\n", stop):
                return at
            pieces.append(data[begin:stop])
            at = stop + 2

    def _feed(self, data: bytes, pieces: list[bytes]) -> None:
        if self._line:
            data, self._line = self._line + data, b""
        at, size = 0, len(data)
        while at < size and not self.done and not self.malformed:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                self._left -= len(piece)
                at += len(piece)
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._line = data[at:]
                self.malformed = len(self._line) > _MOST_LINE_BYTES
                break
            self._take(data[at:end])
            at = end + 1
        self.beyond = self.done and at < size
        self.between = not (self._line or self._within or self._last or self.malformed)

    def _take(self, line: bytes) -> None:
        """A line outside of the data, without its LF. One without a CR too is read by some in
        another way: here in none.
        """
        plain, line = line[-1:] == b"\r", line[:-1]
        if not plain or len(line) > _MOST_LINE_BYTES:
            self.malformed = True
        elif self._last:
            self.done = not line
            self._fields += 1
            self.malformed = self._fields > _MOST_FIELDS
        elif self._within:
            self._within, self.malformed = False, bool(line)
        else:
            said = line.partition(b";")[0].rstrip(b" \t")
            if _SIZE.fullmatch(said) is None:
                self.malformed = True
                return
            self._left = int(said, 16)
            self._last = self._left == 0
            self._within = not self._last
