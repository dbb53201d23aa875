"""What stands in the log of an answer that may go on at another target when it breaks off."""

from proxy.codec.fold import WholeAnswer
from proxy.errors import Failure, Kind
from proxy.events import BlockEnd, BlockStart, Event, UsageEvent, Vendor

# Faults of the one upstream, after which another one may do better.
GOES_ON: frozenset[Kind] = frozenset(
    {
        "idle_timeout",
        "overloaded",
        "rate_limited",
        "upstream_error",
        "upstream_malformed",
        "upstream_truncated",
    }
)


class Said:
    """What stands in a log. It is kept whole, up to `most` code points, after which the answer
    cannot go on elsewhere.
    """

    __slots__ = ("_answer", "_most", "_size", "open")

    def __init__(self, most: int) -> None:
        self._answer = WholeAnswer()
        self._most = most
        self._size = 0
        self.open: dict[int, BlockStart] = {}

    def add(self, event: Event) -> None:
        """An event that is not terminal."""
        if isinstance(event, BlockStart):
            self.open[event.block] = event
        elif isinstance(event, BlockEnd):
            self.open.pop(event.block, None)
        self._size += len(getattr(event, "text", None) or "")
        if self._size <= self._most and not isinstance(event, Vendor | UsageEvent):
            self._answer.add(event)

    def may_go_on(self, why: Failure) -> bool:
        """Whether another source may go on with an answer that failed so. A tool call cannot be
        gone on with, nor can one of several answers.
        """
        whole = why.kind in GOES_ON and self._size <= self._most
        return whole and all(
            block.kind != "tool_call" and block.choice == 0
            for block in self._answer.blocks.values()
        )

    @property
    def text(self) -> str:
        return self._answer.text()

    @property
    def next_block(self) -> int:
        return max(self._answer.blocks, default=-1) + 1

    def text_of(self, block: int) -> str:
        return self._answer.blocks[block].text
