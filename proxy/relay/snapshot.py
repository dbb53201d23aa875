"""The beginning of a stream in little room: in as few events as can say the same, for a reader that
comes late; or one by one, for one that counts them, or is slow.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

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
    TextRewrite,
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
_LENGTH_BYTES = 8


class Deltas(msgspec.Struct, tag="deltas", gc=False):
    """Deltas of one block in a row, by the lengths of their texts."""

    block: int
    lengths: list[int]


Order = list[Event | Deltas]


class Snapshot:
    """Feed it the events of a stream from its start on. `bytes` is about what it takes in
    memory. `order` is how the events came one by one; None: text was taken back since.
    """

    __slots__ = ("_answer", "_beside", "_closed", "bytes", "order")

    def __init__(self) -> None:
        self.order: Order | None = []
        self._answer = WholeAnswer()
        # what stands beside the blocks, and how many of them had begun by then
        self._beside: list[tuple[int, Vendor | Image]] = []
        self._closed: dict[int, BlockEnd] = {}
        self.bytes = 0

    def add(self, events: list[Event]) -> None:
        """More events, none of them terminal."""
        for event in events:
            self._answer.add(event)
            self._put_in_order(event)
            if isinstance(event, Vendor | Image):
                self._beside.append((len(self._answer.blocks), event))
            if isinstance(event, Image):
                self.bytes += len(event.url)
            self.bytes += _CHAR_BYTES * chars_of(event)
            if isinstance(event, BlockEnd):
                self._closed[event.block] = event
            elif isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                self.bytes += _LENGTH_BYTES
            else:
                self.bytes += _EVENT_BYTES

    def recall(self, said: list[Event], order: Order | None) -> None:
        """Become another one, which said these and had this order."""
        self.add(said)
        self.order = order
        for entry in order or ():
            if isinstance(entry, Deltas):
                self.bytes += _LENGTH_BYTES * len(entry.lengths)

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

    def replayed(self, number: int) -> Iterator[Event]:
        """The events one by one, from this number on; also those that are added meanwhile. `order`
        must not be None.
        """
        told: dict[int, int] = defaultdict(int)  # of the texts of blocks
        at = 0
        while self.order is not None and at < len(self.order):
            entry = self.order[at]
            at += 1
            if not isinstance(entry, Deltas):
                if number <= 0:
                    yield entry
                number -= 1
                continue
            skipped = min(max(number, 0), len(entry.lengths))
            number -= len(entry.lengths)
            told[entry.block] += sum(entry.lengths[:skipped])
            yield from self._deltas(entry, skipped, told)

    def _deltas(self, entry: Deltas, skipped: int, told: dict[int, int]) -> Iterator[Event]:
        block = self._answer.blocks[entry.block]
        kind, text, begin = _DELTAS[block.kind], block.text, told[entry.block]
        for length in islice(entry.lengths, skipped, None):
            if begin + length > len(text):  # more was added
                text = block.text
            yield kind(entry.block, text[begin : begin + length])
            begin += length
        told[entry.block] = begin

    def _put_in_order(self, event: Event) -> None:
        order = self.order
        if order is None:
            return
        if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
            last = order[-1] if order else None
            if not isinstance(last, Deltas) or last.block != event.block:
                last = Deltas(event.block, [])
                order.append(last)
            last.lengths.append(chars_of(event))
        elif isinstance(event, TextRewrite):
            self.order = None
        else:
            order.append(event)

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


def chars_of(event: Event) -> int:
    """How many code points its text has, or its arguments."""
    return len(getattr(event, "text", None) or getattr(event, "arguments", None) or "")
