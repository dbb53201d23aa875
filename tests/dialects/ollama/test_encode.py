"""Our events as the ollama SDK reads them: streamed, and whole, in both of the vendor's forms."""

import json
from typing import Any

import ollama
import pytest

from proxy.codec.base import NDJSON, Parsed
from proxy.dialects.ollama import DIALECT
from proxy.dialects.ollama.decode import OllamaDecoder
from proxy.dialects.ollama.parse import Options
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    StreamEnd,
    TextDelta,
    Timing,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.dialects.answers import (
    BROKEN,
    LIMIT,
    START,
    asked,
    ending,
    folded,
    reasoning_block,
    text_block,
)
from tests.dialects.ollama import judge
from tests.support import decode

TOOL = Tool("c1", "get_weather")


def call_block(*pieces: str, block: int = 0) -> list[Event]:
    return [
        BlockStart(block, "tool_call", tool=TOOL),
        *(ToolCallDelta(block, piece) for piece in pieces),
        BlockEnd(block),
    ]


def lines(events: list[Event], *, generate: bool = False) -> list[Any]:
    return [
        json.loads(line) for line in judge.encoded([START, *events], generate=generate).splitlines()
    ]


def both(events: list[Event], *, generate: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the SDK gathers from the stream, and from the whole document."""
    document = judge.whole(folded([START, *events]), generate=generate)
    return judge.said(
        judge.stream([START, *events], generate=generate), generate=generate
    ), judge.said([document], generate=generate)


def test_the_lines_are_the_vendors() -> None:
    head = {"model": "asked", "created_at": "2023-11-14T22:13:20Z"}
    end = StreamEnd(Finish("stop"), Usage(3, 5), Timing(1.0, 2.5))
    counts = {
        "done": True,
        "done_reason": "stop",
        "total_duration": 2_500_000,
        "prompt_eval_count": 3,
        "eval_count": 5,
    }
    events: list[Event] = [*reasoning_block("hm"), *text_block("Grüße", block=1), end]
    assert [
        {**head, "message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
        {**head, "message": {"role": "assistant", "content": "Grüße"}, "done": False},
        {**head, "message": {"role": "assistant", "content": ""}, **counts},
    ] == lines(events)
    assert [
        {**head, "response": "", "thinking": "hm", "done": False},
        {**head, "response": "Grüße", "done": False},
        {**head, "response": "", **counts},
    ] == lines(events, generate=True)


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
    data = judge.encoded([START, *text_block("a")[:-1], BROKEN], generate=generate)
    assert b'"done":true' not in data
    with pytest.raises(ollama.ResponseError, match=r"The upstream broke off\."):
        judge.parsed(data, generate=generate)


def test_its_own_asides_come_back() -> None:
    logprobs = [{"token": "a", "logprob": -0.5}]
    beside: list[Event] = [
        Vendor("ollama", {"logprobs": logprobs}),
        Vendor("ollama", {"model": "real", "eval_duration": 7, "context": [1]}),
    ]
    events = [*text_block("a"), *beside, StreamEnd(Finish("stop"), timing=Timing(1.0, 1.0))]
    parts = judge.stream([START, *events], generate=True)
    assert [logprobs] == [[_row(row) for row in part.logprobs] for part in parts if part.logprobs]
    assert ("asked", 7, [1]) == (parts[-1].model, parts[-1].eval_duration, parts[-1].context)
    document = judge.whole(folded([START, *events]), generate=True)
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


def test_our_decoder_reads_our_encoder() -> None:
    events = [
        *reasoning_block("hm"),
        *text_block("a", block=1),
        *call_block('{"a":1}', block=2),
        StreamEnd(Finish("tool_calls"), Usage(1, 2)),
    ]
    again = folded(decode(OllamaDecoder(LIMIT), [judge.encoded([START, *events])]))
    assert ("hm", "a", [TOOL]) == (
        again.reasoning(),
        again.text(),
        [call.tool for call in again.tool_calls()],
    )
    assert ("tool_calls", Usage(1, 2)) == (again.finish.reason, again.usage)


def test_there_is_no_heartbeat_in_lines() -> None:
    assert DIALECT.client is not None
    encoder = DIALECT.client.encoder(Parsed(asked("hi"), Options()))
    assert (NDJSON, b"") == (encoder.content_type, encoder.heartbeat)


def test_errors_before_the_stream_are_one_text() -> None:
    assert DIALECT.client is not None
    reply = DIALECT.client.render_error(failure("rate_limited", "why", retry_after_s=2.5))
    assert (429, b'{"error":"why"}', {"retry-after": "3"}) == (
        reply.status,
        reply.body,
        reply.headers,
    )
