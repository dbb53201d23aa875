"""A text that grows at its end and whose end may be taken back, at the cost of what changes."""

from bisect import bisect_left, bisect_right

# After so many pieces more, the short ones are put together.
_PIECES = 64


class GrowingText:
    """Kept in pieces, each at least twice as long as all behind it but for the newest, so that a
    code point is copied seldom, and few pieces are held. Lengths are code points.
    """

    __slots__ = ("_ends", "_pieces")

    def __init__(self, text: str = "") -> None:
        self._pieces = [text] if text else []
        self._ends = (
            [len(text)] if text else []
        )  # where each piece ends; the last may be used in part

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __str__(self) -> str:
        return self.between(0, len(self))

    def add(self, text: str) -> None:
        """It goes on with this."""
        if text:
            self._ends.append(len(self) + len(text))
            self._pieces.append(text)
            if not len(self._ends) % _PIECES:
                self._put_together()

    def cut(self, keep: int) -> None:
        """Only its first `keep` code points stay."""
        if keep >= len(self):
            return
        last = bisect_left(self._ends, keep) if keep > 0 else -1
        del self._pieces[last + 1 :], self._ends[last + 1 :]
        if self._ends:
            self._ends[last] = keep

    def rewrite(self, keep: int, text: str) -> None:
        """It goes on with this behind its first `keep` code points, as a text.rewrite says."""
        self.cut(keep)
        self.add(text)

    def between(self, begin: int, end: int) -> str:
        """The code points from `begin` to `end`, which is not beyond its end."""
        found = []
        at = bisect_right(self._ends, begin)
        while begin < end:
            start = self._ends[at - 1] if at else 0
            until = min(end, self._ends[at])
            found.append(self._pieces[at][begin - start : until - start])
            begin, at = until, at + 1
        return "".join(found)

    def _put_together(self) -> None:
        ends, end = self._ends, len(self)
        at = len(ends) - 1
        while at > 0 and 2 * (end - ends[at - 1]) > ends[at - 1] - (ends[at - 2] if at > 1 else 0):
            at -= 1
        joined = self.between(ends[at - 1] if at else 0, end)
        self._pieces[at:], ends[at:] = [joined], [end]
