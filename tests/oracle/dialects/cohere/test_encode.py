"""Our events as the cohere SDK reads them: streamed, and whole."""

from typing import Any

import pytest

from proxy.codec.base import Parsed
from proxy.dialects.cohere import DIALECT
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    StreamEnd,
    StreamError,
    TextDelta,
    ToolCallDelta,
    Usage,
    Vendor,
)
from proxy.request import ChatRequest
from tests.dialects.answers import BROKEN, START, ending, folded, reasoning_block, text_block
from tests.dialects.cohere import emit
from tests.dialects.cohere.test_encode import TOOL, call_block, planned
from tests.oracle.dialects.cohere import sdk


def both(events: list[Event]) -> tuple[dict[str, Any], Any]:
    """What the SDK gathers from the stream, and its whole response."""
    return sdk.said(sdk.stream([START, *events])), sdk.response(
        DIALECT.client.whole(Parsed(ChatRequest(model="m", messages=[])), folded([START, *events]))
    )


def test_reasoning_is_thinking_and_a_plan_a_plan() -> None:
    stream, response = both([*reasoning_block("hm"), *text_block("a", block=1), ending()])
    assert ("hm", "a", "") == (stream["thinking"], stream["text"], stream["plan"])
    assert [("thinking", "hm"), ("text", "a")] == [
        (part.type, getattr(part, part.type)) for part in response.message.content
    ]
    stream, response = both([*planned("I will"), *call_block("{}", block=1), ending("tool_calls")])
    assert ("", "I will", []) == (stream["thinking"], stream["plan"], stream["contents"])
    assert ("I will", []) == (response.message.tool_plan, response.message.content)


def test_calls_are_counted_apart_and_never_lack_arguments() -> None:
    events = [
        *text_block("a"),
        *call_block('{"a":', "1}", block=1),
        *call_block(block=2),
        ending("tool_calls"),
    ]
    stream, response = both(events)
    assert {0: ["c1", "get_weather", '{"a":1}'], 1: ["c1", "get_weather", "{}"]} == stream["calls"]
    assert ['{"a":1}', "{}"] == [call.function.arguments for call in response.message.tool_calls]
    assert ("TOOL_CALL", "TOOL_CALL") == (stream["end"]["finish_reason"], response.finish_reason)


def test_overlapping_blocks_keep_their_own_index() -> None:
    events = [
        BlockStart(0, "text"),
        BlockStart(1, "tool_call", tool=TOOL),
        TextDelta(0, "a"),
        ToolCallDelta(1, "{}"),
        TextDelta(0, "b"),
    ]
    stream, _ = both([*events, BlockEnd(1), BlockEnd(0), ending()])
    assert ("ab", {0: ["c1", "get_weather", "{}"]}) == (stream["text"], stream["calls"])


def test_another_vendors_citation_is_a_document() -> None:
    cited = Citation(0, "https://a.example", "A", "said A", 0, 1)
    stream, response = both([*text_block("a")[:-1], cited, Citation(0), BlockEnd(0), ending()])
    first, second = stream["citations"]
    assert (0, 1, "said A", 0) == (
        first["start"],
        first["end"],
        first["text"],
        first["content_index"],
    )
    assert {"url": "https://a.example", "title": "A", "text": "said A"} == first["sources"][0][
        "document"
    ]
    assert "start" not in second
    assert stream["citations"] == [
        citation.model_dump(exclude_none=True) for citation in response.message.citations
    ]


def test_its_own_citations_come_back_as_they_were() -> None:
    cited = {
        "start": 0,
        "end": 1,
        "text": "a",
        "sources": [{"type": "document", "id": "d0", "document": {"n": 1}}],
    }
    own = Vendor("cohere", {"type": "citation-start", "delta": {"message": {"citations": cited}}})
    stream, response = both(
        [*text_block("a")[:-1], own, Citation(0, start=0, end=1), BlockEnd(0), ending()]
    )
    assert [cited] == stream["citations"]
    assert [cited] == [
        citation.model_dump(exclude_none=True) for citation in response.message.citations
    ]


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        (Finish("stop", "end_turn"), "COMPLETE"),
        (Finish("stop", "STOP_SEQUENCE"), "STOP_SEQUENCE"),
        (Finish("length"), "MAX_TOKENS"),
        (Finish("content_filter"), "ERROR_TOXIC"),
        (Finish("refusal"), "COMPLETE"),
        (Finish("other", "?"), "COMPLETE"),
    ],
)
def test_finish_words(finish: Finish, word: str) -> None:
    stream, response = both([*text_block("a"), StreamEnd(finish)])
    assert (word, word) == (stream["end"]["finish_reason"], response.finish_reason)


def test_unknown_usage_is_not_made_up() -> None:
    """What is charged for is what was counted, as clients look there first."""
    stream, response = both([*text_block("a"), ending()])
    assert {"billed_units": {}, "tokens": {}} == stream["end"]["usage"]
    assert (None, None) == (response.usage.tokens.input_tokens, response.usage.tokens.output_tokens)
    stream, _ = both([*text_block("a"), StreamEnd(Finish("stop"), Usage(None, 7, 0))])
    counts = {"output_tokens": 7}
    expected = {"billed_units": counts, "tokens": counts, "cached_tokens": 0}
    assert expected == stream["end"]["usage"]


def test_a_failure_is_an_error_without_done() -> None:
    data = emit.encoded([START, *text_block("a")[:-1], BROKEN])
    assert b"[DONE]" not in data
    end = sdk.said(sdk.parsed(data))["end"]
    assert ("ERROR", "The upstream broke off.") == (end["finish_reason"], end["error"])
    coded = StreamError(failure("upstream_error", "no", code="TOO_MANY_TOKENS"))
    assert "TOO_MANY_TOKENS" == sdk.said(sdk.stream([START, coded]))["end"]["error_type"]


def test_further_choices_and_other_vendors_asides_are_left_out() -> None:
    other: list[Event] = [
        BlockStart(1, "text", choice=1),
        TextDelta(1, "no"),
        Citation(1, "u"),
        BlockEnd(1),
        Vendor("openai_chat", {"a": 1}),
    ]
    stream, response = both([*text_block("a"), *other, ending()])
    assert ("a", []) == (stream["text"], stream["citations"])
    assert ["a"] == [part.text for part in response.message.content]


def test_reasoning_that_says_nothing_is_no_content() -> None:
    stream, response = both([*reasoning_block(), *text_block("a", block=1), ending()])
    assert [(0, "text")] == stream["contents"]
    assert ["text"] == [part.type for part in response.message.content]
