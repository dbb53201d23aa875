"""Our events as the ollama SDK reads them: streamed, and whole, in both of the vendor's forms."""

from typing import Any

import ollama
import pytest

from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    StreamEnd,
    TextDelta,
    Timing,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.dialects.answers import (
    BROKEN,
    START,
    ending,
    folded,
    reasoning_block,
    text_block,
)
from tests.dialects.ollama import emit
from tests.dialects.ollama.test_encode import TOOL, call_block, lines
from tests.oracle.dialects.ollama import sdk


def both(events: list[Event], *, generate: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the SDK gathers from the stream, and from the whole document."""
    document = sdk.whole(folded([START, *events]), generate=generate)
    return sdk.said(sdk.stream([START, *events], generate=generate), generate=generate), sdk.said(
        [document], generate=generate
    )


@pytest.mark.parametrize("generate", [False, True])
def test_the_sdk_reads_a_stream_and_a_document_alike(generate: bool) -> None:
    end = StreamEnd(Finish("length"), Usage(3, 5), Timing(1.0, 2.5))
    stream, document = both(
        [*reasoning_block("h", "m"), *text_block("a", "b", block=1), end], generate=generate
    )
    assert stream == document
    assert ("hm", "ab", "length", 3, 5) == tuple(
        stream[name]
        for name in ("thinking", "text", "done_reason", "prompt_eval_count", "eval_count")
    )


def test_calls_are_whole_objects() -> None:
    events = [
        *text_block("a"),
        *call_block('{"a":', "1}", block=1),
        *call_block(block=2),
        ending("tool_calls"),
    ]
    stream, document = both(events)
    assert [("get_weather", {"a": 1}), ("get_weather", {})] == stream["calls"]
    assert stream == document
    assert "stop" == stream["done_reason"]
    first = lines(events)[1]["message"]["tool_calls"][0]
    assert {
        "id": "c1",
        "function": {"index": 0, "name": "get_weather", "arguments": {"a": 1}},
    } == first


def test_arguments_that_were_cut_are_kept_as_text() -> None:
    stream, document = both([*call_block('{"a":'), ending("length")])
    assert [("get_weather", {"arguments": '{"a":'})] == stream["calls"] == document["calls"]


def test_overlapping_blocks_are_told_apart() -> None:
    events: list[Event] = [
        BlockStart(0, "text"),
        BlockStart(1, "tool_call", tool=TOOL),
        ToolCallDelta(1, "{}"),
        TextDelta(0, "a"),
    ]
    stream, _ = both([*events, BlockEnd(1), BlockEnd(0), ending()])
    assert ("a", [("get_weather", {})]) == (stream["text"], stream["calls"])


def test_unknown_counts_are_not_made_up() -> None:
    stream, document = both([*text_block("a"), ending()])
    assert {None} == {
        said[name]
        for said in (stream, document)
        for name in ("prompt_eval_count", "eval_count", "total_duration")
    }


@pytest.mark.parametrize("reason", ["stop", "content_filter", "refusal", "other"])
def test_what_has_no_word_ends_with_stop(reason: Any) -> None:
    assert "stop" == both([*text_block("a"), StreamEnd(Finish(reason))])[0]["done_reason"]


@pytest.mark.parametrize("generate", [False, True])
def test_a_failure_is_an_error_line_and_no_end(generate: bool) -> None:
    data = emit.encoded([START, *text_block("a")[:-1], BROKEN], generate=generate)
    assert b'"done":true' not in data
    with pytest.raises(ollama.ResponseError, match=r"The upstream broke off\."):
        sdk.parsed(data, generate=generate)


def test_its_own_asides_come_back() -> None:
    logprobs = [{"token": "a", "logprob": -0.5}]
    beside: list[Event] = [
        Vendor("ollama", {"logprobs": logprobs}),
        Vendor("ollama", {"model": "real", "eval_duration": 7, "context": [1]}),
    ]
    events = [*text_block("a"), *beside, StreamEnd(Finish("stop"), timing=Timing(1.0, 1.0))]
    parts = sdk.stream([START, *events], generate=True)
    assert [logprobs] == [[_row(row) for row in part.logprobs] for part in parts if part.logprobs]
    assert ("asked", 7, [1]) == (parts[-1].model, parts[-1].eval_duration, parts[-1].context)
    document = sdk.whole(folded([START, *events]), generate=True)
    assert ("asked", 7, [1], logprobs) == (
        document.model,
        document.eval_duration,
        document.context,
        [_row(row) for row in document.logprobs],
    )


def _row(said: Any) -> dict[str, Any]:
    return {"token": said.token, "logprob": said.logprob}


def test_further_choices_and_other_vendors_asides_are_left_out() -> None:
    other: list[Event] = [
        BlockStart(1, "text", choice=1),
        TextDelta(1, "no"),
        BlockEnd(1),
        Vendor("openai_chat", {"eval_duration": 1}),
    ]
    stream, document = both(
        [*text_block("a")[:-1], Citation(0, "u"), BlockEnd(0), *other, ending()]
    )
    assert ("a", None) == (stream["text"], stream["eval_duration"])
    assert stream == document
