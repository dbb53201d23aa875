"""What the mock can say, as events: so each scenario works in every dialect.

A scenario is a function from what was asked to the events of an answer, without its `stream.start`.
Those in ERRORS are answered before the first byte, with a status, in the vendor's own shape.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from proxy.errors import Failure, Kind, failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
)
from proxy.mock import texts
from proxy.mock.sample import arguments
from proxy.request import ChatRequest, ToolResultPart, ToolSpec

_ECHOED_CHARS = 40
_LONG_TOKENS = 4000
_SIGNATURE = "bW9jay1zaWduYXR1cmU="  # of reasoning
_PIECE_CHARS = 6  # of a tool call's arguments
# Called where the request offers no tool.
_WEATHER = ToolSpec(
    "get_weather",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
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


# Building blocks


def _text(block: int, pieces: Iterable[str]) -> Iterator[Event]:
    yield BlockStart(block, "text")
    for piece in pieces:
        yield TextDelta(block, piece)
    yield BlockEnd(block)


def _call(block: int, tool: Tool, arguments: str) -> Iterator[Event]:
    yield BlockStart(block, "tool_call", tool=tool)
    for start in range(0, len(arguments), _PIECE_CHARS):
        yield ToolCallDelta(block, arguments[start : start + _PIECE_CHARS])
    yield BlockEnd(block)


def _end(
    ask: Ask, output_tokens: int, reason: FinishReason = "stop", reasoning_tokens: int | None = None
) -> Iterator[Event]:
    usage = Usage(ask.input_tokens, output_tokens, None, reasoning_tokens)
    yield UsageEvent(usage.input_tokens, usage.output_tokens, None, reasoning_tokens)
    yield StreamEnd(Finish(reason), usage)


def _say(ask: Ask, text: str, reason: FinishReason = "stop") -> Iterator[Event]:
    pieces = tokens(text)
    yield from _text(0, pieces)
    yield from _end(ask, len(pieces), reason)


def said(ask: Ask, text: str, reasoning: str, calls: Sequence[tuple[Tool, str]]) -> Iterator[Event]:
    """Reasoning, text and calls of tools with their arguments, each where it is given."""
    thoughts, pieces = tokens(reasoning), tokens(text)
    block = 0
    if thoughts:
        yield BlockStart(block, "reasoning")
        for thought in thoughts:
            yield ReasoningDelta(block, thought)
        yield BlockEnd(block, signature=_SIGNATURE)
        block += 1
    if pieces:
        yield from _text(block, pieces)
        block += 1
    for number, (tool, given) in enumerate(calls):
        yield from _call(block + number, tool, given)
    spent = len(thoughts) + len(pieces) + sum(len(given) // 4 for _, given in calls)
    reason: FinishReason = "tool_calls" if calls else "stop"
    yield from _end(ask, spent, reason, len(thoughts) or None)


# Scenarios


def hello(ask: Ask) -> Iterator[Event]:
    """A greeting that says which model was asked for and how the prompt began."""
    prompt = " ".join(ask.request.last_user_text.split())
    start = prompt[:_ECHOED_CHARS] + ("…" if len(prompt) > _ECHOED_CHARS else "")
    asked = f" You said: {start}" if start else ""
    return _say(
        ask,
        (
            f"Hello! I am {ask.request.model or 'a model'}, played by a mock, one token at a "
            f"time.{asked}"
        ),
    )


def echo(ask: Ask) -> Iterator[Event]:
    """The prompt, word by word."""
    words = re.findall(r"\s*\S+\s*$|\s*\S+", ask.request.last_user_text)
    yield from _text(0, words)
    yield from _end(ask, len(words))


def chinese(ask: Ask) -> Iterator[Event]:
    """A Chinese paragraph with emoji and rare characters, one or two a token."""
    characters = iter(texts.CHINESE)
    pieces = [
        "".join(itertools.islice(characters, 1 + number % 2))
        for number in range(len(texts.CHINESE))
    ]
    pieces = [piece for piece in pieces if piece]
    yield from _text(0, pieces)
    yield from _end(ask, len(pieces))


def long(ask: Ask) -> Iterator[Event]:
    """Four thousand tokens."""
    words = (
        word
        for sentence in itertools.cycle(texts.LONG_SENTENCES)
        for word in tokens(" " + sentence)
    )
    yield from _text(0, itertools.islice(words, _LONG_TOKENS))
    yield from _end(ask, _LONG_TOKENS)


def reasoning(ask: Ask) -> Iterator[Event]:
    """Thinking, then the answer."""
    thoughts = tokens(texts.REASONING)
    yield BlockStart(0, "reasoning")
    for thought in thoughts:
        yield ReasoningDelta(0, thought)
    yield BlockEnd(0, signature=_SIGNATURE)
    answer = tokens("The answer is 42.")
    yield from _text(1, answer)
    yield from _end(ask, len(thoughts) + len(answer), reasoning_tokens=len(thoughts))


def tools(ask: Ask) -> Iterator[Event]:
    """Text, then two parallel calls of the tools on offer."""
    offered = ask.request.tools or [_WEATHER]
    said = tokens("Let me look that up in two places.")
    yield from _text(0, said)
    for number, city in enumerate(("Paris", "北京")):
        tool = offered[number % len(offered)]
        yield from _call(
            1 + number, Tool(f"call_mock_{number + 1}", tool.name), arguments(tool, city)
        )
    yield from _end(ask, len(said) + 20, "tool_calls")


def tool_then_answer(ask: Ask) -> Iterator[Event]:
    """A tool call, or the answer where the request holds a tool's result."""
    results = [
        part
        for message in ask.request.messages
        for part in message.parts
        if isinstance(part, ToolResultPart)
    ]
    if results:
        yield from _say(ask, "The tool says: " + "; ".join(result.text for result in results))
        return
    tool = (ask.request.tools or [_WEATHER])[0]
    yield from _call(0, Tool("call_mock_1", tool.name), arguments(tool, "Paris"))
    yield from _end(ask, 10, "tool_calls")


def markdown(ask: Ask) -> Iterator[Event]:
    """Headings, lists, a table, code."""
    return _say(ask, texts.MARKDOWN)


def empty(ask: Ask) -> Iterator[Event]:
    """A complete answer that says nothing."""
    return _end(ask, 0)


def refusal(ask: Ask) -> Iterator[Event]:
    """A refusal."""
    return _say(ask, texts.REFUSAL, "refusal")


def length(ask: Ask) -> Iterator[Event]:
    """An answer cut off by its limit."""
    return _say(ask, "This answer is cut off by its limit in the middle of a", "length")


def rewrite(ask: Ask) -> Iterator[Event]:
    """A placeholder that is filled in after it was shown; a dialect that cannot take text back gets
    the final text.
    """
    final = "截至2023年，样本为1024条。"
    if not ask.rewrites:
        yield from _say(ask, final)
        return
    shown = [*"截至", "[[", "训练", "时间", "]"]
    rest = tokens("，样本为1024条。")
    yield BlockStart(0, "text")
    for piece in shown:
        yield TextDelta(0, piece)
    yield TextRewrite(0, len("截至"), "2023年")
    for piece in rest:
        yield TextDelta(0, piece)
    yield BlockEnd(0)
    yield from _end(ask, len(shown) + 1 + len(rest))


def error_in_stream(ask: Ask) -> Iterator[Event]:
    """Some text, then an in-band error."""
    yield BlockStart(0, "text")
    for piece in tokens("This answer will not reach its"):
        yield TextDelta(0, piece)
    yield StreamError(IN_BAND, Usage(ask.input_tokens))


Scenario = Callable[[Ask], Iterator[Event]]

SCENARIOS: dict[str, Scenario] = {
    "hello": hello,
    "echo": echo,
    "chinese": chinese,
    "long": long,
    "reasoning": reasoning,
    "tools": tools,
    "tool_then_answer": tool_then_answer,
    "markdown": markdown,
    "empty": empty,
    "refusal": refusal,
    "length": length,
    "rewrite": rewrite,
    "error_in_stream": error_in_stream,
}

# Errors

ERRORS: dict[str, int] = {f"error_{status}": status for status in (401, 404, 429, 500, 503)}
IN_BAND = failure("overloaded", "The mock vendor gave up in the middle of its answer.")
_KINDS: dict[int, Kind] = {
    401: "unauthorized",
    403: "forbidden",
    404: "model_not_found",
    413: "too_large",
    429: "rate_limited",
    500: "internal",
    503: "overloaded",
    529: "overloaded",
}
_RETRY_AFTER_S = 7.0


def refused(status: int) -> Failure:
    """The failure that a vendor answers with this status."""
    kind = _KINDS.get(status, "bad_request" if status < 500 else "upstream_status")
    wait = _RETRY_AFTER_S if status in (429, 503) else None
    return failure(
        kind,
        f"The mock vendor was told to answer with status {status}.",
        status=status,
        retry_after_s=wait,
    )
