"""What clients get, as the openai SDK reads it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from proxy.codec.base import Incoming
from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_chat import DIALECT
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.whole import document
from proxy.dialects.openai_chat.whole_message import joined
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from proxy.request import ImagePart, ReasoningPart, TextPart, ToolCallPart
from tests.dialects.openai_chat import emit

STOP = StreamEnd(Finish("stop", "stop"), Usage(3, 5, 1, 2))


def test_the_bytes_of_a_small_answer() -> None:
    """The role first, then the text, the finish and the terminator, and nothing about usage, which
    was not asked for."""
    head = b'data: {"id":"chatcmpl-s1","object":"chat.completion.chunk","created":1700000000,"model":"fast","choices":[{"index":0,"delta":'
    assert [
        head + b'{"role":"assistant","content":""},"finish_reason":null}]}',
        head + b'{"content":"hi"},"finish_reason":null}]}',
        head + b'{},"finish_reason":"stop"}]}',
        b"data: [DONE]",
        b"",
    ] == emit.encoded([BlockStart(0, "text"), TextDelta(0, "hi"), BlockEnd(0), STOP]).split(b"\n\n")


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        [],
        {},
        {"choices": 5},
        {"choices": [5, {}, {"index": "x"}]},
        {"usage": 5},
        {"model": "x"},
    ],
)
def test_odd_extras_are_passed_over(data: Any) -> None:
    encoder = ChatEncoder(include_usage=False)
    encoder.encode(emit.START)
    assert b"" == encoder.encode(Vendor("openai_chat", data))
    assert b"" == encoder.encode(Vendor("anthropic", {"service_tier": "x"}))


def test_a_rewrite_gives_no_bytes() -> None:
    """Text cannot be taken back here; a filter before the encoder sees to it."""
    encoder = ChatEncoder(include_usage=False)
    encoder.encode(emit.START)
    encoder.encode(BlockStart(0, "text"))
    assert b"" == encoder.encode(TextRewrite(0, 0, "x"))


CLAUDE, GEMINI = "anthropic-claude-v1", "google-gemini-v1"
PROVED: list[Event] = [
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "h"),
    ReasoningDelta(0, "m"),
    BlockEnd(0, "SIG", CLAUDE),
    BlockStart(1, "reasoning"),
    BlockEnd(1, "SECRET", CLAUDE, redacted=True),
    BlockStart(2, "text"),
    TextDelta(2, "hi"),
    BlockEnd(2),
    Image("data:image/png;base64,AA"),
    BlockStart(3, "tool_call", tool=Tool("c1", "f")),
    BlockEnd(3, "GG", GEMINI),
    BlockStart(4, "tool_call", tool=Tool("c2", "run", custom=True)),
    ToolCallDelta(4, '{"input":"l'),
    ToolCallDelta(4, 's\\n"}'),
    BlockEnd(4),
    StreamEnd(Finish("tool_calls", "tool_use")),
]
MESSAGE = {
    "reasoning_content": "hm",
    "content": "hi",
    "reasoning_details": [
        {"type": "reasoning.text", "text": "hm", "signature": "SIG", "format": CLAUDE, "index": 0},
        {"type": "reasoning.encrypted", "data": "SECRET", "format": CLAUDE, "index": 1},
    ],
    "thinking_blocks": [
        {"type": "thinking", "thinking": "hm", "signature": "SIG"},
        {"type": "redacted_thinking", "data": "SECRET"},
    ],
    "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}, "index": 0}],
    "tool_calls": [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "GG"}},
        },
        {"id": "c2", "type": "custom", "custom": {"name": "run", "input": "ls\n"}},
    ],
}


def grown(body: bytes) -> dict[str, Any]:
    """The message that the deltas of a stream make, as a client puts it together."""
    message: dict[str, Any] = {}
    for frame in body.decode().split("\n\n"):
        data = frame.removeprefix("data: ")
        if not data.startswith("{"):
            continue
        for choice in json.loads(data)["choices"]:
            calls = choice["delta"].pop("tool_calls", [])
            message = joined(message, choice["delta"])
            for call in calls:
                listed = message.setdefault("tool_calls", [])
                if len(listed) == call["index"]:
                    listed.append({})
                at = call.pop("index")
                listed[at] = joined(listed[at], call)
    message.pop("role")
    return message


def whole_message(events: Sequence[Event]) -> dict[str, Any]:
    answer = WholeAnswer()
    for event in (emit.START, *events):
        answer.add(event)
    message: dict[str, Any] = document(answer, {"run"})["choices"][0]["message"]
    return {name: value for name, value in message.items() if name not in ("role", "refusal")}


def test_what_a_vendor_must_see_again_stands_where_clients_keep_it() -> None:
    """Streamed and whole alike; and pictures and free text beside."""
    assert MESSAGE == grown(emit.encoded(PROVED, custom=frozenset({"run"})))
    assert MESSAGE == whole_message(PROVED)


def test_a_client_that_knows_no_free_text_gets_a_function() -> None:
    [_, call] = grown(emit.encoded(PROVED))["tool_calls"]
    function = {"name": "run", "arguments": '{"input":"ls\\n"}'}
    assert {"id": "c2", "type": "function", "function": function} == call


def test_it_comes_back_with_the_next_request() -> None:
    body = {"model": "m", "messages": [{"role": "assistant", **MESSAGE}]}
    assert DIALECT.client is not None
    parsed = DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, json.dumps(body).encode()))
    assert () == parsed.notes
    assert [
        ReasoningPart("hm", "SIG", format=CLAUDE),
        ReasoningPart("", "SECRET", redacted=True, format=CLAUDE),
        TextPart("hi"),
        ImagePart("data:image/png;base64,AA"),
        ToolCallPart("c1", "f", "{}", signature="GG", format=GEMINI),
        ToolCallPart("c2", "run", '{"input":"ls\\n"}', custom=True),
    ] == parsed.request.messages[0].content


def test_log_probs_and_sound_of_a_whole_answer_are_joined() -> None:
    def said(**choice: Any) -> Vendor:
        return Vendor("openai_chat", {"choices": [{"index": 0, **choice}]})

    answer = WholeAnswer()
    for event in (
        emit.START,
        said(logprobs={"content": [1], "refusal": None}),
        said(logprobs={"content": [2], "refusal": None}),
        said(delta={"audio": {"id": "a", "data": "AA", "transcript": "h"}}),
        said(delta={"audio": {"id": "a", "data": "BB", "transcript": "i"}}),
        said(delta={"annotations": [{"type": "file", "file": {"hash": "x"}}]}),
        STOP,
    ):
        answer.add(event)
    choice = document(answer)["choices"][0]
    assert {"content": [1, 2], "refusal": None} == choice["logprobs"]
    assert {"id": "a", "data": "AABB", "transcript": "hi"} == choice["message"]["audio"]
    assert [{"type": "file", "file": {"hash": "x"}}] == choice["message"]["annotations"]
    assert "delta" not in choice
