"""Our events as the cohere SDK reads them: streamed, and whole."""

import pytest

from proxy.dialects.cohere import DIALECT
from proxy.dialects.cohere.decode import CohereDecoder
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    FinishReason,
    StreamEnd,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.dialects.answers import LIMIT, START, ending, folded, reasoning_block, text_block
from tests.dialects.cohere import emit
from tests.support import decode

TOOL = Tool("c1", "get_weather")
PLAN = Vendor("cohere", {"type": "tool-plan-delta"})


def call_block(*pieces: str, block: int = 0) -> list[Event]:
    return [
        BlockStart(block, "tool_call", tool=TOOL),
        *(ToolCallDelta(block, piece) for piece in pieces),
        BlockEnd(block),
    ]


def planned(text: str) -> list[Event]:
    first, *rest = reasoning_block(text)
    return [first, PLAN, *rest]


def test_the_frames_are_the_vendors() -> None:
    lines = emit.encoded([START, *text_block("Grüße"), ending()]).decode().split("\n")
    assert (
        'data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Grüße"}}}}'
        in lines
    )
    assert [
        "event: message-start",
        "event: content-start",
        "event: content-delta",
        "event: content-end",
        "event: message-end",
    ] == [line for line in lines if line.startswith("event:")]
    assert "data: [DONE]" == lines[-3]


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter"])
def test_our_decoder_reads_our_encoder(reason: FinishReason) -> None:
    events = [*planned("I"), *text_block("a", block=1), *call_block('{"a":1}', block=2)]
    again = folded(
        decode(
            CohereDecoder(LIMIT),
            [emit.encoded([START, *events, StreamEnd(Finish(reason), Usage(1, 2, 3))])],
        )
    )
    assert ("I", "a", ['{"a":1}']) == (
        again.reasoning(),
        again.text(),
        [call.text for call in again.tool_calls()],
    )
    # A call that waits for its result is one, whatever the finish says.
    assert ("tool_calls" if reason == "stop" else reason, Usage(1, 2, 3)) == (
        again.finish.reason,
        again.usage,
    )


def test_errors_before_the_stream_have_the_vendors_status() -> None:
    assert DIALECT.client is not None
    for kind, status in (
        ("bad_request", 400),
        ("unauthorized", 401),
        ("upstream_truncated", 500),
        ("overloaded", 503),
        ("idle_timeout", 504),
    ):
        reply = DIALECT.client.render_error(failure(kind, "why", retry_after_s=2.5))  # type: ignore[arg-type]
        assert (status, b'{"message":"why"}', "3") == (
            reply.status,
            reply.body,
            reply.headers["retry-after"],
        )
