"""What answers of the mock are made of: text in pieces of a token or so, calls of tools, an end."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    StreamEnd,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
)
from proxy.request import ChatRequest

_SIGNATURE = "bW9jay1zaWduYXR1cmU="  # of reasoning
_PIECE_CHARS = 6  # of a tool call's arguments
# A word with the blank before it, one or two characters of a script without blanks, or a mark:
# together they are the text.
_TOKEN = re.compile(r"\s*[A-Za-z0-9']+|\s*[^\sA-Za-z0-9']{1,2}|\s+")


class Ask(NamedTuple):
    """What was asked, and whether the dialect of the answer can take text back."""

    request: ChatRequest
    rewrites: bool = False

    @property
    def input_tokens(self) -> int:
        """A rough count, as no tokenizer is at hand: four characters a token."""
        words = [self.request.system or "", *(message.text for message in self.request.messages)]
        return 1 + sum(map(len, words)) // 4


def tokens(text: str) -> list[str]:
    """Pieces of about a token each; joined, they are the text."""
    return _TOKEN.findall(text)


def spoken(block: int, pieces: Iterable[str]) -> Iterator[Event]:
    """A block of text."""
    yield BlockStart(block, "text")
    for piece in pieces:
        yield TextDelta(block, piece)
    yield BlockEnd(block)


def thought(block: int, pieces: Iterable[str]) -> Iterator[Event]:
    """A block of reasoning, with what the vendor must see again."""
    yield BlockStart(block, "reasoning")
    for piece in pieces:
        yield ReasoningDelta(block, piece)
    yield BlockEnd(block, signature=_SIGNATURE)


def call(block: int, tool: Tool, arguments: str) -> Iterator[Event]:
    """A call of a tool, its arguments (JSON) in pieces."""
    yield BlockStart(block, "tool_call", tool=tool)
    for start in range(0, len(arguments), _PIECE_CHARS):
        yield ToolCallDelta(block, arguments[start : start + _PIECE_CHARS])
    yield BlockEnd(block)


def end(
    ask: Ask, output_tokens: int, reason: FinishReason = "stop", reasoning_tokens: int | None = None
) -> Iterator[Event]:
    """The usage, and the end."""
    usage = Usage(ask.input_tokens, output_tokens, None, reasoning_tokens)
    yield UsageEvent(usage.input_tokens, usage.output_tokens, None, reasoning_tokens)
    yield StreamEnd(Finish(reason), usage)


def say(ask: Ask, text: str, reason: FinishReason = "stop") -> Iterator[Event]:
    """A whole answer of text alone."""
    pieces = tokens(text)
    yield from spoken(0, pieces)
    yield from end(ask, len(pieces), reason)


def said(ask: Ask, text: str, reasoning: str, calls: Sequence[tuple[Tool, str]]) -> Iterator[Event]:
    """Reasoning, text and calls of tools with their arguments, each where it is given."""
    thoughts, pieces = tokens(reasoning), tokens(text)
    block = 0
    if thoughts:
        yield from thought(block, thoughts)
        block += 1
    if pieces:
        yield from spoken(block, pieces)
        block += 1
    for number, (tool, given) in enumerate(calls):
        yield from call(block + number, tool, given)
    spent = len(thoughts) + len(pieces) + sum(len(given) // 4 for _, given in calls)
    reason: FinishReason = "tool_calls" if calls else "stop"
    yield from end(ask, spent, reason, len(thoughts) or None)
