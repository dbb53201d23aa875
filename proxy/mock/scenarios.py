"""What the mock can say, as events: so each scenario works in every dialect.

A scenario is a function from what was asked to the events of an answer, without its `stream.start`.
Those in ERRORS are answered before the first byte, with a status, in the vendor's own shape.
"""

import itertools
import re
from collections.abc import Callable, Iterator

from proxy.errors import Failure, Kind, failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Image,
    StreamError,
    TextDelta,
    TextRewrite,
    Tool,
    Usage,
)
from proxy.mock import texts
from proxy.mock.parts import Ask, call, end, said, say, spoken, tokens
from proxy.mock.sample import arguments
from proxy.request import ToolResultPart, ToolSpec

_ECHOED_CHARS = 40
_LONG_TOKENS = 4000
# Called where the request offers no tool.
_WEATHER = ToolSpec(
    "get_weather",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
_CITIES = ("Paris", "北京")


def hello(ask: Ask) -> Iterator[Event]:
    """A greeting that says which model was asked for and how the prompt began."""
    prompt = " ".join(ask.request.last_user_text.split())
    start = prompt[:_ECHOED_CHARS] + ("…" if len(prompt) > _ECHOED_CHARS else "")
    asked = f" You said: {start}" if start else ""
    return say(
        ask,
        (
            f"Hello! I am {ask.request.model or 'a model'}, played by a mock, one token at a "
            f"time.{asked}"
        ),
    )


def echo(ask: Ask) -> Iterator[Event]:
    """The prompt, word by word."""
    words = re.findall(r"\s*\S+\s*$|\s*\S+", ask.request.last_user_text)
    yield from spoken(0, words)
    yield from end(ask, len(words))


def chinese(ask: Ask) -> Iterator[Event]:
    """A Chinese paragraph with emoji and rare characters, one or two a token."""
    characters = iter(texts.CHINESE)
    pieces = [
        "".join(itertools.islice(characters, 1 + number % 2))
        for number in range(len(texts.CHINESE))
    ]
    pieces = [piece for piece in pieces if piece]
    yield from spoken(0, pieces)
    yield from end(ask, len(pieces))


def long(ask: Ask) -> Iterator[Event]:
    """Four thousand tokens."""
    words = (
        word
        for sentence in itertools.cycle(texts.LONG_SENTENCES)
        for word in tokens(" " + sentence)
    )
    yield from spoken(0, itertools.islice(words, _LONG_TOKENS))
    yield from end(ask, _LONG_TOKENS)


def reasoning(ask: Ask) -> Iterator[Event]:
    """Thinking, then the answer."""
    return said(ask, "The answer is 42.", texts.REASONING, ())


def tools(ask: Ask) -> Iterator[Event]:
    """Text, then two parallel calls of the tools on offer."""
    return said(ask, "Let me look that up in two places.", "", _calls(ask))


def reasoning_tools(ask: Ask) -> Iterator[Event]:
    """Thinking, some text, then two parallel calls of the tools on offer."""
    return said(ask, "Let me look that up in two places.", texts.PLAN, _calls(ask))


def _calls(ask: Ask) -> list[tuple[Tool, str]]:
    offered = ask.request.tools or [_WEATHER]
    found = []
    for number, city in enumerate(_CITIES):
        tool = offered[number % len(offered)]
        found.append((Tool(f"call_mock_{number + 1}", tool.name), arguments(tool, city)))
    return found


def sources(ask: Ask) -> Iterator[Event]:
    """Text that names its sources, each behind what it was taken for."""
    spent, at = 0, 0
    yield BlockStart(0, "text")
    for sentence, title, url in texts.SOURCES:
        for piece in tokens(sentence):
            yield TextDelta(0, piece)
            spent += 1
        begun = at + len(sentence) - len(sentence.lstrip())
        at += len(sentence)
        yield Citation(0, url, title, sentence.strip(), begun, at)
    yield BlockEnd(0)
    yield from end(ask, spent)


def picture(ask: Ask) -> Iterator[Event]:
    """A sentence, then a picture."""
    pieces = tokens("Here is a river between two hills:")
    yield from spoken(0, pieces)
    yield Image(texts.PICTURE)
    yield from end(ask, len(pieces) + 1)


def tool_then_answer(ask: Ask) -> Iterator[Event]:
    """A tool call, or the answer where the request holds a tool's result."""
    results = [
        part
        for message in ask.request.messages
        for part in message.parts
        if isinstance(part, ToolResultPart)
    ]
    if results:
        yield from say(ask, "The tool says: " + "; ".join(result.text for result in results))
        return
    tool = (ask.request.tools or [_WEATHER])[0]
    yield from call(0, Tool("call_mock_1", tool.name), arguments(tool, "Paris"))
    yield from end(ask, 10, "tool_calls")


def markdown(ask: Ask) -> Iterator[Event]:
    """Headings, lists, a table, code."""
    return say(ask, texts.MARKDOWN)


def empty(ask: Ask) -> Iterator[Event]:
    """A complete answer that says nothing."""
    return end(ask, 0)


def refusal(ask: Ask) -> Iterator[Event]:
    """A refusal."""
    return say(ask, texts.REFUSAL, "refusal")


def length(ask: Ask) -> Iterator[Event]:
    """An answer cut off by its limit."""
    return say(ask, "This answer is cut off by its limit in the middle of a", "length")


def rewrite(ask: Ask) -> Iterator[Event]:
    """A placeholder that is filled in after it was shown; a dialect that cannot take text back gets
    the final text.
    """
    final = "截至2023年，样本为1024条。"
    if not ask.rewrites:
        yield from say(ask, final)
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
    yield from end(ask, len(shown) + 1 + len(rest))


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
    "reasoning_tools": reasoning_tools,
    "tool_then_answer": tool_then_answer,
    "sources": sources,
    "picture": picture,
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
