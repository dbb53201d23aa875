"""What clients get, as the openai SDK reads it."""

import json
from typing import Any

import openai
import pytest

from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_chat import DIALECT
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.errors import KINDS, failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    Tool,
    ToolCallDelta,
    UsageEvent,
    Vendor,
)
from tests.dialects.openai_chat import emit
from tests.dialects.openai_chat.test_encode import STOP
from tests.oracle.dialects.openai_chat import sdk

HELLO: list[Event] = [
    BlockStart(0, "text"),
    TextDelta(0, "Hel"),
    TextDelta(0, 'lo "你"\n'),
    BlockEnd(0),
]


def whole(events: list[Event]) -> Any:
    answer = WholeAnswer()
    for event in [emit.START, *events]:
        answer.add(event)
    assert DIALECT.client is not None
    return sdk.completion(DIALECT.client.whole(emit.ASKED, answer))


def frames(body: bytes) -> list[Any]:
    return [
        json.loads(part.removeprefix(b"data: "))
        for part in body.split(b"\n\n")
        if part and part != b"data: [DONE]"
    ]


def test_text() -> None:
    stream = sdk.chunks([*HELLO, STOP])
    assert 'Hello "你"\n' == sdk.text(stream)
    assert {0: "stop"} == sdk.finishes(stream)
    assert {("chatcmpl-s1", "fast", 1_700_000_000, "chat.completion.chunk")} == {
        (c.id, c.model, c.created, c.object) for c in stream
    }
    assert "assistant" == stream[0].choices[0].delta.role


def test_usage_comes_last_if_it_was_asked_for_and_the_key_is_null_before() -> None:
    body = emit.encoded(
        [*HELLO, Vendor("openai_chat", {"service_tier": "flex"}), UsageEvent(3, 5), STOP],
        include_usage=True,
    )
    *others, last = frames(body)
    assert all(chunk["usage"] is None for chunk in others)
    assert [] == last["choices"]
    stream = sdk.chunks([*HELLO, STOP], include_usage=True)
    usage = stream[-1].usage
    assert (3, 5, 8) == (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    assert (1, 2) == (
        usage.prompt_tokens_details.cached_tokens,
        usage.completion_tokens_details.reasoning_tokens,
    )


def test_usage_that_nobody_knows_is_not_made_up() -> None:
    assert all(
        chunk.usage is None
        for chunk in sdk.chunks([*HELLO, StreamEnd(Finish("stop"))], include_usage=True)
    )


def test_reasoning() -> None:
    stream = sdk.chunks(
        [
            BlockStart(0, "reasoning"),
            ReasoningDelta(0, "h"),
            ReasoningDelta(0, "m"),
            BlockEnd(0, "sig"),
            STOP,
        ]
    )
    assert "hm" == "".join(
        getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in stream
    )


CALLS: list[Event] = [
    BlockStart(0, "tool_call", Tool("a", "f")),
    BlockStart(1, "tool_call", Tool("b", "g")),
    ToolCallDelta(0, '{"x"'),
    ToolCallDelta(1, "{"),
    ToolCallDelta(0, ":1}"),
    ToolCallDelta(1, "}"),
    BlockEnd(0),
    BlockEnd(1),
    BlockStart(2, "tool_call", Tool("c", "h")),
    BlockEnd(2),
    StreamEnd(Finish("tool_calls", "stop")),
]


def test_tool_calls_are_joined_by_index_and_a_call_without_arguments_has_an_empty_object() -> None:
    stream = sdk.chunks(CALLS)
    assert [("a", "f", '{"x":1}'), ("b", "g", "{}"), ("c", "h", "{}")] == sdk.calls(stream)
    assert {0: "tool_calls"} == sdk.finishes(stream)


def test_the_sdks_own_accumulator_takes_it_all() -> None:
    """`client.chat.completions.stream` builds the final completion from the chunks, and insists on
    their order."""
    aside = Vendor(
        "openai_chat", {"provider": "x", "choices": [{"index": 0, "native_finish_reason": "stop"}]}
    )

    def final(events: list[Event]) -> Any:
        client = sdk.sdk(
            200, emit.encoded(events, include_usage=True), {"content-type": "text/event-stream"}
        )
        with client.chat.completions.stream(
            model="fast", messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            return stream.get_final_completion()

    said = final([*HELLO, aside, STOP])
    assert ('Hello "你"\n', 8) == (said.choices[0].message.content, said.usage.total_tokens)
    called = final([aside, *CALLS]).choices[0].message.tool_calls
    assert [("f", '{"x":1}'), ("g", "{}"), ("h", "{}")] == [
        (call.function.name, call.function.arguments) for call in called
    ]


def test_several_choices() -> None:
    events: list[Event] = [
        BlockStart(0, "text"),
        BlockStart(1, "text", choice=1),
        TextDelta(1, "yo"),
        TextDelta(0, "hi"),
        BlockStart(2, "tool_call", Tool("a", "f"), choice=1),
        BlockEnd(0),
        BlockEnd(1),
        BlockEnd(2),
        Vendor("openai_chat", {"choices": [{"index": 1, "finish_reason": "stop"}]}),
        StreamEnd(Finish("length", "length")),
    ]
    stream = sdk.chunks(events)
    assert ("hi", "yo") == (sdk.text(stream, 0), sdk.text(stream, 1))
    assert ([], [("a", "f", "{}")]) == (sdk.calls(stream, 0), sdk.calls(stream, 1))
    assert {0: "length", 1: "tool_calls"} == sdk.finishes(stream)
    completion = whole(events)
    assert [("hi", "length"), ("yo", "tool_calls")] == [
        (c.message.content, c.finish_reason) for c in completion.choices
    ]


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        (Finish("stop", "end_turn"), "stop"),
        (Finish("length", "max_tokens"), "length"),
        (Finish("tool_calls", "tool_use"), "tool_calls"),
        (Finish("tool_calls", "function_call"), "tool_calls"),
        (Finish("content_filter", "SAFETY"), "content_filter"),
        (Finish("refusal", "refusal"), "content_filter"),
        (Finish("refusal", "stop"), "stop"),
        (Finish("other", "pause_turn"), "stop"),
        (Finish("stop"), "stop"),
    ],
)
def test_the_finish_is_always_a_word_that_clients_know(finish: Finish, word: str) -> None:
    assert {0: word} == sdk.finishes(sdk.chunks([*HELLO, StreamEnd(finish)]))
    assert word == whole([*HELLO, StreamEnd(finish)]).choices[0].finish_reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_stream_raises_and_has_no_finish_and_no_terminator(kind: Any) -> None:
    events = [*HELLO, StreamError(failure(kind, "It broke.", code="odd"))]
    body = emit.encoded(events)
    assert b"[DONE]" not in body
    assert all(c["finish_reason"] is None for chunk in frames(body)[:-1] for c in chunk["choices"])
    with pytest.raises(openai.APIError, match=r"It broke\.") as caught:
        sdk.chunks(events)
    assert "odd" == caught.value.code


def test_citations() -> None:
    cited = [
        Citation(0, "https://a.example", "A", None, 0, 5),
        Citation(0, "https://b.example"),
        Citation(0, None, "no address"),
    ]
    events: list[Event] = [*HELLO[:-1], *cited, BlockEnd(0), STOP]
    found = [
        a["url_citation"]
        for c in sdk.chunks(events)
        for a in getattr(c.choices[0].delta, "annotations", None) or []
    ]
    assert [
        {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 5},
        {
            "url": "https://b.example",
            "title": "https://b.example",
            "start_index": 0,
            "end_index": 0,
        },
    ] == found
    assert ["https://a.example", "https://b.example"] == [
        a.url_citation.url for a in whole(events).choices[0].message.annotations
    ]


def test_a_vendors_extras_go_through_to_its_own_clients() -> None:
    logprobs = {
        "content": [{"token": "H", "logprob": -0.1, "bytes": None, "top_logprobs": []}],
        "refusal": None,
    }
    extras: list[Event] = [
        Vendor("openai_chat", {"model": "gpt-4o-2024-08-06", "service_tier": "default"}),
        Vendor("openai_chat", {"choices": [{"index": 0, "logprobs": logprobs}]}),
        Vendor(
            "openai_chat", {"usage": {"cost": 0.5, "prompt_tokens_details": {"audio_tokens": 3}}}
        ),
    ]
    stream = sdk.chunks([*HELLO, *extras, STOP], include_usage=True)
    assert ["default"] == [c.service_tier for c in stream if c.service_tier]
    assert {"fast"} == {c.model for c in stream}
    assert [-0.1] == [
        p.logprob for c in stream for x in c.choices if x.logprobs for p in x.logprobs.content
    ]
    assert (0.5, 3, 1) == (
        stream[-1].usage.cost,
        stream[-1].usage.prompt_tokens_details.audio_tokens,
        stream[-1].usage.prompt_tokens_details.cached_tokens,
    )
    completion = whole([*HELLO, *extras, STOP])
    assert ("default", 0.5) == (completion.service_tier, completion.usage.cost)


def test_a_whole_answer() -> None:
    completion = whole(
        [BlockStart(9, "reasoning"), ReasoningDelta(9, "hm"), BlockEnd(9), *HELLO, STOP]
    )
    message = completion.choices[0].message
    assert ("assistant", 'Hello "你"\n', "hm", None) == (
        message.role,
        message.content,
        message.reasoning_content,
        message.tool_calls,
    )
    assert ("chatcmpl-s1", "chat.completion", "fast", 8) == (
        completion.id,
        completion.object,
        completion.model,
        completion.usage.total_tokens,
    )


def test_a_whole_answer_of_calls_has_no_content() -> None:
    choice = whole(CALLS).choices[0]
    assert choice.message.content is None
    assert [("a", "f", '{"x":1}'), ("b", "g", "{}"), ("c", "h", "{}")] == [
        (c.id, c.function.name, c.function.arguments) for c in choice.message.tool_calls
    ]


def test_a_whole_answer_of_nothing_is_empty_text() -> None:
    assert "" == whole([StreamEnd(Finish("stop", "stop"))]).choices[0].message.content


def test_a_whole_refusal_is_one() -> None:
    events = [
        BlockStart(0, "text", refusal=True),
        TextDelta(0, "No."),
        BlockEnd(0),
        StreamEnd(Finish("refusal", "stop")),
    ]
    choice = whole(events).choices[0]
    assert (None, "No.", "stop") == (
        choice.message.content,
        choice.message.refusal,
        choice.finish_reason,
    )
    deltas = [chunk.choices[0].delta for chunk in sdk.chunks(events)]
    assert "No." == "".join(delta.refusal or "" for delta in deltas)
    assert "" == "".join(delta.content or "" for delta in deltas)


def test_heartbeats_do_not_disturb_the_sdk() -> None:
    body = emit.encoded([*HELLO, STOP]).replace(
        b"data: ", ChatEncoder(include_usage=False).heartbeat + b"data: "
    )
    client = sdk.sdk(200, body, {"content-type": "text/event-stream"})
    with client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "hi"}], stream=True
    ) as stream:
        assert 'Hello "你"\n' == sdk.text(list(stream))
