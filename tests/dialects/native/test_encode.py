"""Native frames, whole answers and errors, read back as JSON by the standard library and checked
against the published schema's own words."""

import json
from typing import Any

from proxy.codec.base import Parsed
from proxy.codec.fold import WholeAnswer
from proxy.dialects.native import DIALECT
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    Note,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    Timing,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.framing.sse import SSEParser
from proxy.request import ChatRequest, Message

PARSED = Parsed(ChatRequest(model="m", messages=[Message("user", "hi")]))
START = StreamStart(
    "st1", "fast", "up", "vendor-model", 1_700_000_000, [Note("dropped", "seed", "No seed.")]
)
END = StreamEnd(Finish("tool_calls", "tool_use"), Usage(10, 5), Timing(1.5, 20.25))
EVENTS: list[Event] = [
    START,
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "Hm"),
    BlockEnd(0, "sig"),
    BlockStart(1, "text"),
    TextDelta(1, "Hallo\n"),
    TextRewrite(1, 4, "o 世界"),
    Citation(1, url="https://a.test"),
    BlockEnd(1),
    Vendor("openai_chat", {"logprobs": [1]}),
    BlockStart(2, "tool_call", Tool("t", "f")),
    ToolCallDelta(2, '{"a":1}'),
    BlockEnd(2),
    BlockStart(3, "text", choice=1),
    TextDelta(3, "other"),
    BlockEnd(3),
    Image("data:image/png;base64,iVBORw0KGgo="),
    BlockStart(4, "text", refusal=True),
    TextDelta(4, "No."),
    BlockEnd(4),
    BlockStart(5, "tool_call", Tool("t2", "sh", custom=True)),
    ToolCallDelta(5, '{"input":"ls"}'),
    BlockEnd(5, "sig2", "google-gemini-v1"),
    BlockStart(6, "reasoning"),
    BlockEnd(6, "sig3", "anthropic-claude-v1", redacted=True, id="r1"),
    UsageEvent(10, 5),
    END,
]


def encoded(events: list[Event]) -> bytes:
    assert DIALECT.client is not None
    encoder = DIALECT.client.encoder(PARSED)
    return b"".join(encoder.encode(event) for event in events)


def folded(events: list[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return answer


def test_every_frame_has_its_number_last() -> None:
    """One data line, then the id, then a blank line; no event line; numbers from 0."""
    frames = encoded(EVENTS).decode().split("\n\n")
    assert "" == frames.pop()
    for number, frame in enumerate(frames):
        data, last = frame.split("\n")
        assert data.startswith("data: {")
        assert f"id: st1:{number}" == last


def test_frames_are_the_contracts_objects() -> None:
    """The fields of design section 3, unknown is null, what does not apply is left out."""
    found = [json.loads(frame.data) for frame in SSEParser(1 << 20).feed(encoded(EVENTS))]
    assert len(EVENTS) == len(found)
    notes = [{"note": "dropped", "param": "seed", "message": "No seed."}]
    start = {
        "type": "stream.start",
        "stream": "st1",
        "model": "fast",
        "upstream": "up",
        "upstream_model": "vendor-model",
    }
    assert {**start, "created": 1_700_000_000, "notes": notes} == found[0]
    assert {"type": "block.start", "block": 0, "kind": "reasoning"} == found[1]
    assert {"type": "block.end", "block": 0, "signature": "sig"} == found[3]
    assert {"type": "text.rewrite", "block": 1, "keep": 4, "text": "o 世界"} == found[6]
    assert {
        "type": "citation",
        "block": 1,
        "url": "https://a.test",
        "title": None,
        "text": None,
        "start": None,
        "end": None,
    } == found[7]
    assert {
        "type": "block.start",
        "block": 2,
        "kind": "tool_call",
        "tool": {"id": "t", "name": "f"},
    } == found[10]
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cached_input_tokens": None,
        "reasoning_tokens": None,
        "cache_write_tokens": None,
        "audio_input_tokens": None,
        "audio_output_tokens": None,
        "cost": None,
    }
    assert {"type": "image", "url": "data:image/png;base64,iVBORw0KGgo="} == found[16]
    assert {"type": "block.start", "block": 4, "kind": "text", "refusal": True} == found[17]
    assert {"id": "t2", "name": "sh", "custom": True} == found[20]["tool"]
    proof = {"signature": "sig2", "format": "google-gemini-v1"}
    assert {"type": "block.end", "block": 5, **proof} == found[22]
    proof = {"signature": "sig3", "format": "anthropic-claude-v1"}
    redacted = {"type": "block.end", "block": 6, **proof, "redacted": True, "id": "r1"}
    assert redacted == found[24]
    assert {"type": "usage", **usage} == found[25]
    finish = {"reason": "tool_calls", "raw": "tool_use"}
    assert {
        "type": "stream.end",
        "finish": finish,
        "usage": usage,
        "timing": {"first_event_ms": 1.5, "total_ms": 20.25},
    } == found[26]


def test_an_error_is_the_last_frame() -> None:
    """With what is known of it, and nothing made up."""
    (frame,) = SSEParser(1 << 20).feed(
        encoded([START, StreamError(failure("idle_timeout", "Silence.", upstream="up"))])
    )[1:]
    said = json.loads(frame.data)
    assert {
        "kind": "idle_timeout",
        "message": "Silence.",
        "retryable": True,
        "status": 504,
        "upstream": "up",
    } == said["error"]
    assert {None} == set(said["usage"].values())


def test_the_heartbeat_is_a_comment_with_one_newline() -> None:
    """A blank line would make fetch-event-source deliver an empty message."""
    assert DIALECT.client is not None
    assert b": ping\n" == DIALECT.client.encoder(PARSED).heartbeat
    assert DIALECT.client.rewrites


def test_a_whole_answer_is_the_same_events_folded() -> None:
    """First choice at the top, everything in `blocks`, what is unknown null or left out."""
    assert DIALECT.client is not None
    reply = DIALECT.client.whole(PARSED, folded(EVENTS))
    document: dict[str, Any] = json.loads(reply.body)
    assert (200, "application/json") == (reply.status, reply.content_type)
    assert ("st1", "fast", "up", "vendor-model") == tuple(
        document[key] for key in ("stream", "model", "upstream", "upstream_model")
    )
    assert ("Hallo 世界No.", "Hm") == (document["text"], document["reasoning"])
    assert [
        {"id": "t", "name": "f", "arguments": '{"a":1}'},
        {"id": "t2", "name": "sh", "arguments": '{"input":"ls"}', "custom": True},
    ] == document["tool_calls"]
    assert [{"type": "image", "url": "data:image/png;base64,iVBORw0KGgo="}] == document["images"]
    reasoning, text, call, other, refusal, custom, hidden = document["blocks"]
    assert {"kind": "text", "text": "No.", "refusal": True} == refusal
    assert ("sig2", "google-gemini-v1") == (custom["signature"], custom["format"])
    assert (True, "r1", "") == (hidden["redacted"], hidden["id"], hidden["text"])
    assert {"kind": "reasoning", "text": "Hm", "signature": "sig"} == reasoning
    assert ("text", "Hallo 世界", "https://a.test") == (
        text["kind"],
        text["text"],
        text["citations"][0]["url"],
    )
    assert {"kind": "tool_call", "text": '{"a":1}', "tool": {"id": "t", "name": "f"}} == call
    assert {"kind": "text", "text": "other", "choice": 1} == other
    assert [{"type": "vendor", "dialect": "openai_chat", "data": {"logprobs": [1]}}] == document[
        "vendor"
    ]
    assert ({"reason": "tool_calls", "raw": "tool_use"}, 20.25, 10) == (
        document["finish"],
        document["timing"]["total_ms"],
        document["usage"]["input_tokens"],
    )


def test_errors_before_the_first_byte() -> None:
    """The failure's own status, its fields, and Retry-After where there is one."""
    assert DIALECT.client is not None
    reply = DIALECT.client.render_error(
        failure(
            "rate_limited",
            "Slow down.",
            upstream="up",
            param="model",
            code="slow",
            retry_after_s=2.5,
        )
    )
    said = {
        "kind": "rate_limited",
        "message": "Slow down.",
        "retryable": True,
        "status": 429,
        "upstream": "up",
        "param": "model",
        "code": "slow",
    }
    assert (429, {"error": {**said, "retry_after_s": 2.5}}, {"retry-after": "2.5"}) == (
        reply.status,
        json.loads(reply.body),
        reply.headers,
    )
    assert {} == DIALECT.client.render_error(failure("internal", "Oops.")).headers
