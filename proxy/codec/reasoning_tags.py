"""Reasoning that a model writes into its text, between tags, as reasoning.

Servers of open models leave `<think>...</think>` in the text where they do not know the model's
tags, and so do some vendors. Whether a target does is a rule (`reasoning_tags`): text that only
talks of such a tag must stay as it is.

A tag counts at the beginning of a block of text, behind blanks at most, and right behind the
reasoning that another one has closed. Blanks at both ends of the reasoning, and before the text
behind it, are the tags' and are left out. Reasoning without a closing tag goes on to the end of
its block.
"""

from collections.abc import Sequence

from msgspec import UnsetType
from msgspec.structs import replace

from proxy.codec.base import Decoder, OuterDecoder
from proxy.codec.tagged_text import MOST_BLANKS, TaggedText, size_of_beginning, tags_of
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    ReasoningDelta,
    StreamError,
    TextDelta,
    TextRewrite,
    ToolCallDelta,
)

# Sources that are kept until the text begins to which they belong.
_MOST_SOURCES = 1024


class TaggedReasoning(OuterDecoder):
    """A decoder whose text is parted so. `said` are the rule's words; `begun`: an answer begins in
    the reasoning of the first of them, as its opening tag ended the prompt.
    """

    def __init__(self, inner: Decoder, said: Sequence[str], *, begun: bool = False) -> None:
        super().__init__(inner)
        self._tags = [tags_of(each) for each in said]
        self._begun = begun
        self._spoken: set[int | UnsetType] = set()  # choices that have said something
        self._texts: dict[int, TaggedText] = {}
        self._numbers: dict[int, int] = {}  # the inner decoder's blocks of other kinds -> ours
        self._next = 0

    def feed(self, data: bytes) -> list[Event]:
        return self._parted(self._inner.feed(data))

    def close(self) -> list[Event]:
        return self._parted(self._inner.close())

    def _parted(self, events: list[Event]) -> list[Event]:
        self.done = self._inner.done
        out: list[Event] = []
        for event in events:
            match event:
                case BlockStart():
                    self._start(out, event)
                case TextDelta():
                    self._more(out, self._texts[event.block], event.text)
                case TextRewrite():
                    self._rewrite(out, self._texts[event.block], event)
                case Citation():
                    self._cite(out, self._texts[event.block], event)
                case BlockEnd() if event.block in self._texts:
                    self._end(out, self._texts.pop(event.block), event)
                case BlockEnd() | ReasoningDelta() | ToolCallDelta():
                    out.append(replace(event, block=self._numbers[event.block]))
                case StreamError():
                    for text in self._texts.values():
                        self._release(out, text)
                    out.append(event)
                case _:
                    out.append(event)
        return out

    def _start(self, out: list[Event], event: BlockStart) -> None:
        first = event.choice not in self._spoken
        self._spoken.add(event.choice)
        if event.kind != "text":
            number = self._numbers[event.block] = self._number()
            out.append(replace(event, block=number))
            return
        text = self._texts[event.block] = TaggedText(event)
        if event.refusal is True:
            text.state = "text"
        elif self._begun and first:
            text.state, text.closing = "inside", self._tags[0].closing

    def _more(self, out: list[Event], text: TaggedText, data: str) -> None:
        """Each round tells of something, or holds what cannot be told yet."""
        data, text.held = text.held + data, ""
        while data:
            if text.state == "text":
                self._say(out, text, data)
                return
            data = (
                self._thought(out, text, data)
                if text.state == "inside"
                else text.edge(self._tags, data)
            )

    def _thought(self, out: list[Event], text: TaggedText, data: str) -> str:
        """The reasoning up to its closing tag; what is to be read behind that."""
        closing = text.closing
        if text.block is None:  # its first margin, and a tag that the prompt has opened already
            inner = data.lstrip()
            if self._begun and not text.shown:
                opening = next(tag.opening for tag in self._tags if tag.closing == closing)
                inner = inner.removeprefix(opening).lstrip()
                if opening.startswith(inner):
                    text.taken += len(data) - len(inner)
                    text.held = inner
                    return ""
            text.taken += len(data) - len(inner)
            data = inner
        thought, found, rest = data.partition(closing)
        if found:
            self._think(out, text, thought.rstrip())
            self._close(out, text)
            text.state = "behind"
            text.taken += len(thought) + len(closing)
            return rest
        kept = data[: len(data) - size_of_beginning(data, closing)]
        thought = kept.rstrip()
        if len(kept) - len(thought) > MOST_BLANKS:
            thought = kept
        self._think(out, text, thought)
        text.taken += len(thought)
        text.held = data[len(thought) :]
        return ""

    def _think(self, out: list[Event], text: TaggedText, thought: str) -> None:
        if not thought:
            return
        if text.block is None:
            text.block, text.shown = self._number(), True
            out.append(BlockStart(text.block, "reasoning", choice=text.choice))
        out.append(ReasoningDelta(text.block, thought))

    def _say(self, out: list[Event], text: TaggedText, words: str) -> None:
        block = self._opened(out, text)
        if words:
            out.append(TextDelta(block, words))

    def _opened(self, out: list[Event], text: TaggedText) -> int:
        if text.block is None:
            text.block, text.shown = self._number(), True
            out.append(BlockStart(text.block, "text", choice=text.choice, refusal=text.refusal))
            sources, text.sources = text.sources, []
            for event in sources:
                self._cite(out, text, event)
        return text.block

    def _release(self, out: list[Event], text: TaggedText) -> None:
        """Nothing more comes: what was held is what it looks like."""
        held, text.held = text.held, ""
        if text.state == "inside":
            self._think(out, text, held.rstrip())
        elif held:
            text.state = "text"
            self._say(out, text, held)

    def _end(self, out: list[Event], text: TaggedText, event: BlockEnd) -> None:
        self._release(out, text)
        if text.sources or (not text.shown and text.state == "begin"):
            self._finish_reasoning(out, text)
            self._opened(out, text)
        if text.block is not None:
            out.append(replace(event, block=text.block))

    def _finish_reasoning(self, out: list[Event], text: TaggedText) -> None:
        if text.state == "inside":
            self._close(out, text)
        text.state = "text"

    @staticmethod
    def _close(out: list[Event], text: TaggedText) -> None:
        if text.block is not None:
            out.append(BlockEnd(text.block))
            text.block = None

    def _rewrite(self, out: list[Event], text: TaggedText, event: TextRewrite) -> None:
        """Text that is shown is taken back; reasoning that is said stays said."""
        if text.state == "text" and event.keep >= text.taken:
            out.append(TextRewrite(self._opened(out, text), event.keep - text.taken, event.text))
            return
        if text.state == "text" and text.block is not None:
            out.append(TextRewrite(text.block, 0, event.text))
            text.taken = event.keep
            return
        if text.state == "inside":
            self._close(out, text)
        kept = text.held[: max(0, event.keep - text.taken)]
        text.taken = min(text.taken, event.keep)
        text.held, text.state = "", "behind" if text.shown else "begin"
        self._more(out, text, kept + event.text)

    def _cite(self, out: list[Event], text: TaggedText, event: Citation) -> None:
        """A source of the text that is shown; its place is counted from there."""
        if text.state != "text" or text.block is None:
            if len(text.sources) < _MOST_SOURCES:
                text.sources.append(event)
            return
        start, end = (
            None if at is None else max(0, at - text.taken) for at in (event.start, event.end)
        )
        out.append(replace(event, block=text.block, start=start, end=end))

    def _number(self) -> int:
        self._next += 1
        return self._next - 1
