"""The encoder, judged by the vendor's SDK and by the order of the frames."""

import json
from typing import Any

from proxy.dialects.anthropic import encode
from proxy.dialects.anthropic.encode import AnthropicEncoder
from proxy.events import (
    BlockEnd,
    BlockStart,
    Finish,
    ReasoningDelta,
    StreamEnd,
    TextDelta,
    TextRewrite,
    Usage,
    UsageEvent,
)
from tests.dialects.anthropic.emit import START, encoded

END = StreamEnd(Finish("stop", "stop"), Usage(10, 5, 4, 2))
TEXT = [BlockStart(0, "text"), TextDelta(0, "Hel"), TextDelta(0, 'lo "世界"\n'), BlockEnd(0)]
THINKING = [BlockStart(1, "reasoning"), ReasoningDelta(1, "I think."), BlockEnd(1, "c2ln")]


def frames(data: bytes) -> list[dict[str, Any]]:
    """The frames' JSON, after checking that each is one event line and one data line that agree."""
    found = []
    for frame in data.decode().split("\n\n")[:-1]:
        event, text = frame.split("\n")
        value = json.loads(text.removeprefix("data: "))
        assert value["type"] == event.removeprefix("event: ")
        found.append(value)
    return found


def order(data: bytes) -> list[str]:
    return [f"{f['type']}:{f['index']}" if "index" in f else f["type"] for f in frames(data)]


def test_frames_come_in_the_vendors_order() -> None:
    """message_start, each block whole, message_delta, message_stop."""
    blocks = [
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
    ]
    signed = [f"{name}:0" for name in blocks]  # the second delta is the signature
    assert [
        "message_start",
        *signed,
        *[f"{name}:1" for name in blocks],
        "message_delta",
        "message_stop",
    ] == order(encoded([*THINKING, *TEXT, END]))


def test_unknown_usage_is_nought_only_where_the_sdk_insists() -> None:
    """message_start has integers; message_delta leaves an unknown input out; what was known early
    is said early."""
    start, delta, _ = frames(encoded([StreamEnd(Finish("stop"))]))
    assert {"input_tokens": 0, "output_tokens": 0} == start["message"]["usage"]
    assert {"output_tokens": 0} == delta["usage"]
    early = frames(encoded([UsageEvent(7, 1), *TEXT, StreamEnd(Finish("stop"), Usage(7, 9))]))
    assert {"input_tokens": 7, "output_tokens": 1} == early[0]["message"]["usage"]
    assert {"input_tokens": 7, "output_tokens": 9} == early[-2]["usage"]


def test_waiting_blocks_are_bounded() -> None:
    """Beyond the bound a waiting block is sent at once, interleaved."""
    encoder = AnthropicEncoder()
    encoder.encode(START)
    for event in (BlockStart(0, "text"), BlockStart(1, "text")):
        encoder.encode(event)
    sent = b""
    pieces = 0
    while not sent:
        sent = encoder.encode(TextDelta(1, "z" * 10_000))
        pieces += 1
    assert pieces <= encode.MAX_HELD_BYTES // 10_000 + 1
    assert 10_000 * pieces == sent.count(b"z")
    assert b'"index":1' in encoder.encode(TextDelta(1, "y"))


def test_text_is_never_garbled_by_a_rewrite() -> None:
    """The dialect cannot take text back: the relay settles rewrites before, and one that comes all
    the same sends nothing."""
    assert encoded([*TEXT[:2]]) == encoded([*TEXT[:2], TextRewrite(0, 0, "other")])
