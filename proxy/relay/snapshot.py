"""The beginning of a stream in as few events as can say the same: for a reader that comes back when
the events themselves are not kept any more.
"""

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
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    UsageEvent,
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

    __slots__ = ("_answer", "_closed", "bytes")

    def __init__(self) -> None:
        self._answer = WholeAnswer()
        self._closed: set[int] = set()
        self.bytes = 0

    def add(self, events: list[Event]) -> None:
        """More events, none of them terminal."""
        for event in events:
            self._answer.add(event)
            text = getattr(event, "text", None) or getattr(event, "arguments", None) or ""
            self.bytes += _CHAR_BYTES * len(text)
            if isinstance(event, BlockEnd):
                self._closed.add(event.block)
            elif not isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                self.bytes += _EVENT_BYTES

    def said(self) -> list[Event]:
        """The events: the start, each block with one delta, the usage, and what the vendor said
        beside it.
        """
        answer = self._answer
        events: list[Event] = [] if answer.start is None else [answer.start]
        for number, block in answer.blocks.items():
            events += self._block(number, block)
        events += answer.vendor
        if answer.usage != NO_USAGE:
            events.append(UsageEvent(*msgspec.structs.astuple(answer.usage)))
        return events

    def _block(self, number: int, block: Block) -> list[Event]:
        tool = UNSET if block.tool is None else block.tool
        events: list[Event] = [BlockStart(number, block.kind, tool, block.choice or UNSET)]
        if block.text:
            events.append(_DELTAS[block.kind](number, block.text))
        events += block.citations
        if number in self._closed:
            signature = UNSET if block.signature is None else block.signature
            events.append(BlockEnd(number, signature))
        return events
