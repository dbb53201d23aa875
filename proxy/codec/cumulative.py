"""Snapshots of a growing text to what changed, for vendors that send the whole text so far each
time.

Comparing costs one pass over the snapshot, which is what decoding it costs anyway.
"""

from proxy.events import TextDelta, TextRewrite


def common_prefix(one: str, other: str) -> int:
    """How many code points both begin with. Halves the range, so the work is done by slices and not
    by a loop over characters.
    """
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def change(block: int, said: str, now: str) -> TextDelta | TextRewrite | None:
    """The event that turns a block's text `said` into `now`; None if they are the same."""
    if now.startswith(said):
        return TextDelta(block, now[len(said) :]) if len(now) > len(said) else None
    keep = common_prefix(said, now)
    return TextRewrite(block, keep, now[keep:])


class Cumulative:
    """The last snapshot of one text block."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text = ""

    def update(self, block: int, snapshot: str) -> TextDelta | TextRewrite | None:
        """What this snapshot changes: more text, text taken back, or nothing (some vendors repeat
        themselves).
        """
        said, self.text = self.text, snapshot
        return change(block, said, snapshot)
