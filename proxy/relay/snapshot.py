"""The beginning of a stream in as few events as can say the same: for a reader that comes back when
the events themselves are not kept any more.
"""

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from proxy.codec.fold import Block, WholeAnswer
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    BlockKind,
    BlockStart,
    Event,
    Image,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    UsageEvent,
    Vendor,
)

_DELTAS: Mapping[BlockKind, type[TextDelta | ReasoningDelta | ToolCallDelta]] = {
    "text": TextDelta,
    "reasoning": ReasoningDelta,
    "tool_call": ToolCallDelta,
}
# What a code point, and an event that is no delta, take in memory at most, or about.
_CHAR_BYTES = 4
_EVENT_BYTES = 500


class Snapshot:
    """Feed it the events of a stream from its start on. `bytes` is about what it takes in
    memory.
    """

    __slots__ = ("_answer", "_beside", "_closed", "bytes")

    def __init__(self) -> None:
        self._answer = WholeAnswer()
        # what stands beside the blocks, and how many of them had begun by then
        self._beside: list[tuple[int, Vendor | Image]] = []
        self._closed: dict[int, BlockEnd] = {}
        self.bytes = 0

    def add(self, events: list[Event]) -> None:
        """More events, none of them terminal."""
        for event in events:
            self._answer.add(event)
            if isinstance(event, Vendor | Image):
                self._beside.append((len(self._answer.blocks), event))
            if isinstance(event, Image):
                self.bytes += len(event.url)
            text = getattr(event, "text", None) or getattr(event, "arguments", None) or ""
            self.bytes += _CHAR_BYTES * len(text)
            if isinstance(event, BlockEnd):
                self._closed[event.block] = event
            elif not isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                self.bytes += _EVENT_BYTES

    def said(self) -> list[Event]:
        """The events: the start, each block with one delta, what stood beside the blocks in its
        place, and the usage.
        """
        answer = self._answer
        events: list[Event] = [] if answer.start is None else [answer.start]
        beside: dict[int, list[Event]] = defaultdict(list)
        for begun, event in self._beside:
            beside[begun].append(event)
        events += beside[0]
        for at, (number, block) in enumerate(answer.blocks.items(), 1):
            events += self._block(number, block, beside[at])
        if answer.usage != NO_USAGE:
            events.append(UsageEvent(*msgspec.structs.astuple(answer.usage)))
        return events

    def _block(self, number: int, block: Block, beside: list[Event]) -> list[Event]:
        tool = UNSET if block.tool is None else block.tool
        refusal = block.refusal or UNSET
        events: list[Event] = [BlockStart(number, block.kind, tool, block.choice or UNSET, refusal)]
        if block.text:
            events.append(_DELTAS[block.kind](number, block.text))
        events += block.citations
        events += beside
        if number in self._closed:
            events.append(self._closed[number])
        return events
