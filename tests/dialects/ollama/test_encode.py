"""Our events as the ollama SDK reads them: streamed, and whole, in both of the vendor's forms."""

import json
from typing import Any

from proxy.codec.base import NDJSON, Parsed
from proxy.dialects.ollama import DIALECT
from proxy.dialects.ollama.decode import OllamaDecoder
from proxy.dialects.ollama.parse import Options
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    StreamEnd,
    Timing,
    Tool,
    ToolCallDelta,
    Usage,
)
from tests.dialects.answers import (
    LIMIT,
    START,
    asked,
    folded,
    reasoning_block,
    text_block,
)
from tests.dialects.ollama import emit
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
        json.loads(line) for line in emit.encoded([START, *events], generate=generate).splitlines()
    ]


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


def test_our_decoder_reads_our_encoder() -> None:
    events = [
        *reasoning_block("hm"),
        *text_block("a", block=1),
        *call_block('{"a":1}', block=2),
        StreamEnd(Finish("tool_calls"), Usage(1, 2)),
    ]
    again = folded(decode(OllamaDecoder(LIMIT), [emit.encoded([START, *events])]))
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
