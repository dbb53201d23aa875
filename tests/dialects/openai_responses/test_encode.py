"""Events to the vendor's stream, and whole answers to one document; the openai SDK reads both."""

import json

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
)
from tests.dialects.answers import folded, reasoning_block, text_block
from tests.dialects.openai_responses import emit
from tests.dialects.openai_responses.frames import new
from tests.support import decode

USAGE = Usage(20, 9, 8, 4)


def call(block: int, *pieces: str, call_id: str = "call_1", name: str = "weather") -> list[Event]:
    deltas = [ToolCallDelta(block, piece) for piece in pieces]
    return [BlockStart(block, "tool_call", tool=Tool(call_id, name)), *deltas, BlockEnd(block)]


def end(reason: FinishReason = "stop", raw: str | None = None, usage: Usage = USAGE) -> StreamEnd:
    return StreamEnd(Finish(reason, raw), usage)


def test_the_events_name_is_its_type() -> None:
    """Clients go by the one or the other."""
    body = emit.encoded([*text_block("a"), *call(1), end()])
    frames = [frame.split("\n") for frame in body.decode().split("\n\n") if frame]
    assert [name.removeprefix("event: ") for name, _ in frames] == [
        json.loads(data.removeprefix("data: "))["type"] for _, data in frames
    ]


def test_our_own_decoder_finds_the_same_answer() -> None:
    events = [
        *reasoning_block("Hm."),
        *text_block("Hel", "lo", block=1),
        *call(2, '{"a"', ":1}"),
        end("tool_calls", "completed"),
    ]
    there = folded(decode(new(), [emit.encoded(events)]))
    here = folded(events)
    assert (here.text(), here.reasoning(), here.finish, here.usage) == (
        there.text(),
        there.reasoning(),
        there.finish,
        there.usage,
    )
    assert [(block.tool, block.text) for block in here.tool_calls()] == [
        (block.tool, block.text) for block in there.tool_calls()
    ]
