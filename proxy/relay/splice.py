"""An answer that breaks off after commit and goes on at another target: what was said so far, and
how the second answer becomes part of it.

Only where a model is configured so (`continue_after_commit`): the second model goes on from another
one's words, and the client is told, by a `vendor` event.
"""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from proxy.codec.fold import WholeAnswer
from proxy.errors import Kind
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    StreamEnd,
    StreamError,
    TextRewrite,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.request import ChatRequest, Message

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
    """What a client has been sent. It is kept whole, up to `most` code points, after which the
    answer cannot go on elsewhere.
    """

    __slots__ = ("_answer", "_most", "_size", "open", "usage")

    def __init__(self, most: int) -> None:
        self._answer = WholeAnswer()
        self._most = most
        self._size = 0
        self.open: dict[int, BlockStart] = {}
        self.usage: Usage | None = None  # of the answers that broke off

    def add(self, event: Event) -> None:
        """An event that is not terminal."""
        if isinstance(event, BlockStart):
            self.open[event.block] = event
        elif isinstance(event, BlockEnd):
            self.open.pop(event.block, None)
        self._size += len(getattr(event, "text", None) or "")
        if self._size <= self._most and not isinstance(event, Vendor | UsageEvent):
            self._answer.add(event)

    @property
    def may_go_on(self) -> bool:
        """A tool call cannot be gone on with, nor can one of several answers."""
        whole = self._size <= self._most
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


def onward_request(request: ChatRequest, text: str, prompt: str) -> ChatRequest:
    """The request again, with the text so far as the assistant's, and what it is told after it."""
    if not text:
        return request
    more = [Message("assistant", text), *([Message("user", prompt)] if prompt else [])]
    return msgspec.structs.replace(request, messages=[*request.messages, *more])


class Joint:
    """Where a second answer is joined to what was said: its blocks get numbers of their own, but a
    text that begins it goes into the text block that was left open.
    """

    __slots__ = ("_kept_chars", "_left_open", "_merged", "_offset", "_text", "_usage")

    def __init__(self, said: Said, usage: Usage) -> None:
        self._offset = said.next_block
        self._left_open = dict(said.open)
        # the second answer's block, and the one that it goes into
        self._merged: tuple[int, int] | None = None
        # the one left open
        self._text = next(
            (block for block, start in said.open.items() if start.kind == "text"), None
        )
        self._kept_chars = 0 if self._text is None else len(said.text_of(self._text))
        self._usage = usage

    def events(self, event: Event) -> Iterator[Event]:
        """The event as the client is to see it, and what must come before it."""
        if isinstance(event, BlockStart):
            yield from self._start(event)
        elif isinstance(event, UsageEvent):
            yield UsageEvent(*_sum(self._usage, event))
        elif isinstance(event, StreamEnd):
            yield from self._close()
            yield msgspec.structs.replace(event, usage=Usage(*_sum(self._usage, event.usage)))
        elif isinstance(event, StreamError):
            yield msgspec.structs.replace(event, usage=Usage(*_sum(self._usage, event.usage)))
        elif hasattr(event, "block"):
            yield self._moved(event)
        else:
            yield event

    def counted(self, usage: Usage | UsageEvent | None) -> Usage:
        """What is known to have been used, of both answers: for the books, which an unknown number
        must not empty.
        """
        now = msgspec.structs.astuple(usage or Usage())
        pairs = zip(msgspec.structs.astuple(self._usage), now, strict=True)
        return Usage(*(b if a is None else a if b is None else a + b for a, b in pairs))

    def _start(self, event: BlockStart) -> Iterator[Event]:
        text = self._text
        if event.kind == "text" and text in self._left_open and event.choice in (UNSET, 0):
            del self._left_open[text]
            yield from self._close()
            self._merged = event.block, text
            return
        yield from self._close()
        yield msgspec.structs.replace(event, block=event.block + self._offset)

    def _close(self) -> Iterator[Event]:
        for block in self._left_open:
            yield BlockEnd(block)
        self._left_open = {}

    def _moved(self, event: Event) -> Event:
        block: int = event.block  # type: ignore[union-attr]  # the caller has looked
        if self._merged is None or block != self._merged[0]:
            return msgspec.structs.replace(event, block=block + self._offset)
        to, more = self._merged[1], self._kept_chars
        if isinstance(event, TextRewrite):
            return msgspec.structs.replace(event, block=to, keep=event.keep + more)
        if isinstance(event, Citation):
            start, end = (None if at is None else at + more for at in (event.start, event.end))
            return msgspec.structs.replace(event, block=to, start=start, end=end)
        return msgspec.structs.replace(event, block=to)


def _sum(before: Usage, now: Usage | UsageEvent) -> list[int | None]:
    """Of both answers; unknown where either is."""
    pairs = zip(msgspec.structs.astuple(before), msgspec.structs.astuple(now), strict=True)
    return [None if a is None or b is None else a + b for a, b in pairs]
