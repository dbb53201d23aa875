"""An answer that breaks off after commit and goes on at another target: what was said so far, and
how the second answer becomes part of the same log.

Only where a model is configured so (`continue_after_commit`): the second model goes on from another
one's words, and the client is told, by a `vendor` event.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.relaying import without_original
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    BlockStart,
    Citation,
    Cost,
    Event,
    StreamEnd,
    StreamError,
    TextRewrite,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.relay.log import Log, Writes
from proxy.relay.said import Said
from proxy.request import ChatRequest, Message


def onward_request(request: ChatRequest, text: str, prompt: str) -> ChatRequest:
    """The request again, with the text so far as the assistant's, and what it is told after it."""
    if not text:
        return request
    more = [Message("assistant", text), *([Message("user", prompt)] if prompt else [])]
    return without_original(request, messages=[*request.messages, *more])


def spliced(log: Log, announced: Vendor, now: float) -> Writes:
    """Where a second source writes to go on with what was interrupted in this log. `announced`
    tells the readers so.
    """
    assert log.said is not None
    assert log.interrupted is not None
    joint = Joint(log.said, log.interrupted.usage)
    log.interrupted = None
    log.write([announced], now, 0)
    return _Splice(log, joint)


class _Splice:
    """Takes what a source writes and writes it, joined to what stands there, into a log."""

    __slots__ = ("_joint", "_log")

    def __init__(self, log: Log, joint: "Joint") -> None:
        self._log = log
        self._joint = joint

    def write(self, events: list[Event], now: float, size: int) -> None:
        """See `Writes`."""
        joined = [seen for event in events for seen in self._joint.events(event)]
        self._log.write(joined, now, size)


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


def spent(before: Usage | UsageEvent | None, now: Usage | UsageEvent | None) -> Usage:
    """What is known to have been used, of both answers: for the books, which an unknown number must
    not empty.
    """
    pairs = zip(_counts(before), _counts(now), strict=True)
    return Usage(*(b if a is None else a if b is None else _plus(a, b) for a, b in pairs))


def _counts(usage: Usage | UsageEvent | None) -> tuple[Any, ...]:
    """Tokens, and the cost."""
    return msgspec.structs.astuple(NO_USAGE if usage is None else usage)


def _sum(before: Usage, now: Usage | UsageEvent) -> list[Any]:
    """Of both answers; unknown where either is."""
    pairs = zip(_counts(before), _counts(now), strict=True)
    return [None if a is None or b is None else _plus(a, b) for a, b in pairs]


def _plus(a: Any, b: Any) -> Any:
    """Costs of one stream are in one currency, that of the configuration."""
    return Cost(a.amount + b.amount, a.currency) if isinstance(a, Cost) else a + b
