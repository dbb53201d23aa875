"""Folds a stream of events into one answer, for clients that asked for one document."""

from collections.abc import Iterator
from typing import cast

import msgspec
from msgspec import UNSET

from proxy.codec.growing import GrowingText
from proxy.errors import Failure
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)


class Cited:
    """The sources of a text whose end may be taken back. A cut costs nothing until they are
    read.
    """

    __slots__ = ("_cuts", "_sources")

    def __init__(self) -> None:
        self._sources: list[Citation] = []
        # How many sources there were, and how much of the text stayed: only those that no later cut
        # goes beyond, so that what stayed grows from one to the next.
        self._cuts: list[tuple[int, int]] = []

    def add(self, source: Citation) -> None:
        """One more."""
        self._sources.append(source)

    def cut(self, keep: int) -> None:
        """Only the first `keep` code points of the text stay, and what was cited for them. Where
        that stands may be unknown.
        """
        if not self._sources:
            return
        while self._cuts and self._cuts[-1][1] >= keep:
            self._cuts.pop()
        self._cuts.append((len(self._sources), keep))

    def left(self) -> list[Citation]:
        """Those of what stayed."""
        if self._cuts:
            self._sources, self._cuts = list(self._standing()), []
        return self._sources

    def _standing(self) -> Iterator[Citation]:
        begin = 0
        for until, keep in self._cuts:
            for source in self._sources[begin:until]:
                if keep > 0 and (source.start or 0) < keep and (source.end or 0) <= keep:
                    yield source
            begin = until
        yield from self._sources[begin:]


class Block(msgspec.Struct):
    """One piece of the answer, whole."""

    kind: BlockKind
    tool: Tool | None = None
    choice: int = 0
    proof: BlockEnd | None = None  # the end of a block that has a signature
    refusal: bool = False
    said: GrowingText = msgspec.field(default_factory=GrowingText)
    cited: Cited = msgspec.field(default_factory=Cited)

    @property
    def signature(self) -> str | None:
        """What its vendor must see again."""
        return None if self.proof is None else cast("str", self.proof.signature)

    @property
    def text(self) -> str:
        """The block's text, reasoning or arguments ("" stands for no arguments)."""
        return str(self.said)

    @property
    def citations(self) -> list[Citation]:
        """Its sources, in the order in which they came."""
        return self.cited.left()


class WholeAnswer:
    """One answer, growing. Feed it every event; read it after the terminal one."""

    def __init__(self) -> None:
        self.start: StreamStart | None = None
        self.blocks: dict[int, Block] = {}
        self.vendor: list[Vendor] = []
        # before which block each stood: the number of blocks begun by then
        self.vendor_at: list[int] = []
        self.images: list[Image] = []
        self.images_at: list[int] = []  # likewise
        self.usage: Usage = NO_USAGE
        self.end: StreamEnd | None = None
        self.error: Failure | None = None

    def add(self, event: Event) -> None:
        match event:
            case (
                TextDelta(block, piece) | ReasoningDelta(block, piece) | ToolCallDelta(block, piece)
            ):
                self.blocks[block].said.add(piece)
            case BlockStart():
                self.blocks[event.block] = Block(
                    event.kind,
                    tool=None if event.tool is UNSET else event.tool,
                    choice=0 if event.choice is UNSET else event.choice,
                    refusal=event.refusal is True,
                )
            case TextRewrite(block, keep, text):
                rewritten = self.blocks[block]
                rewritten.said.rewrite(keep, text)
                rewritten.cited.cut(keep)
            case BlockEnd() if event.signature is not UNSET:
                self.blocks[event.block].proof = event
            case Image():
                self.images.append(event)
                self.images_at.append(len(self.blocks))
            case Citation(block):
                self.blocks[block].cited.add(event)
            case UsageEvent():
                self.usage = Usage(*msgspec.structs.astuple(event))
            case Vendor():
                self.vendor.append(event)
                self.vendor_at.append(len(self.blocks))
            case StreamStart():
                self.start = event
            case StreamEnd():
                self.end = event
                self._count(event.usage)
            case StreamError():
                self.error = event.error
                self._count(event.usage)
            case _:
                pass

    @property
    def finish(self) -> Finish:
        """Why it ended. Only a complete answer has one."""
        assert self.end is not None
        return self.end.finish

    def text(self, choice: int = 0) -> str:
        """The visible text of one choice."""
        return self._joined("text", choice)

    def reasoning(self, choice: int = 0) -> str:
        """The visible reasoning of one choice."""
        return self._joined("reasoning", choice)

    def tool_calls(self, choice: int = 0) -> list[Block]:
        """The tool calls of one choice, in the order in which they began."""
        return [b for b in self.blocks.values() if b.kind == "tool_call" and b.choice == choice]

    def _count(self, usage: Usage) -> None:
        """A terminal event that knows no usage takes back none that was known before."""
        if usage != NO_USAGE:
            self.usage = usage

    def _joined(self, kind: BlockKind, choice: int) -> str:
        return "".join(
            b.text for b in self.blocks.values() if b.kind == kind and b.choice == choice
        )
