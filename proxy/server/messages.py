"""How much of a WebSocket's messages has come (RFC 6455, 5.2). Whoever reads them gets each when it
is whole; what there is of it until then is held for it.
"""

from collections import deque

_LAST, _KIND, _MASKED, _LENGTH = 0x80, 0x0F, 0x80, 0x7F
_CONTROLS = 8  # kinds from here on are no parts of a message
_SIZES = {126: 2, 127: 8}  # bytes of a length that follows


class Coming:
    """Reads frames as far as it must be known where they end. What is no frame is for whoever reads
    them to say: here it counts as what it looks like. The work is linear in frames and reads.
    """

    __slots__ = ("_begun", "_counts", "_last", "_left", "_part", "_whole", "waiting")

    def __init__(self) -> None:
        self._begun = b""  # of the head of a frame
        self._left = 0  # of the frame
        self._counts = self._last = False
        self._part = 0  # bytes of the message that is not whole
        self._whole: deque[int] = deque()
        self.waiting = 0  # bytes that have come of messages that are not taken yet

    @property
    def broken_off(self) -> bool:
        """Whether there is a message of which not all has come."""
        return self._part > 0

    def feed(self, data: bytes) -> bool:
        """So much has come. Whether it ends a message."""
        ended = False
        if self._begun:
            data, self._begun = self._begun + data, b""
        at, size = 0, len(data)
        while at < size:
            if not self._left:
                end = self._head(data, at)
                if end is None:
                    self._begun = data[at:]
                    break
                at = end
            step = min(self._left, size - at)
            at += step
            self._left -= step
            if self._counts:
                self._part += step
                self.waiting += step
                if self._last and not self._left:
                    self._whole.append(self._part)
                    self._part, ended = 0, True
        return ended

    def take(self) -> None:
        """The next whole message is its reader's."""
        self.waiting -= self._whole.popleft()

    def _head(self, data: bytes, at: int) -> int | None:
        """Where the head of the frame ends that begins here; None: it has not all come."""
        if len(data) - at < 2:
            return None
        first, second = data[at], data[at + 1]
        length = second & _LENGTH
        behind = at + 2 + _SIZES.get(length, 0)
        end = behind + (4 if second & _MASKED else 0)
        if len(data) < end:
            return None
        if length in _SIZES:
            length = int.from_bytes(data[at + 2 : behind])
        self._left, self._last = length, bool(first & _LAST)
        self._counts = first & _KIND < _CONTROLS
        return end
