"""Garbage of any kind: the decoder never raises, keeps the grammar, and gives exactly one terminal
event."""

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.codec.base import Decoder
from proxy.dialects.anthropic import DIALECT
from proxy.dialects.anthropic.encode import AnthropicEncoder
from tests.dialects.anthropic.emit import START
from tests.properties import examples
from tests.support import decode, facts, recording_bytes

_SMALL = [recording_bytes(row) for row in facts("anthropic") if row["bytes"] < 12_000]
_OWN = b"".join(
    b"data: " + json.dumps(value).encode() + b"\n\n"
    for value in (
        {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 1}}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "思考"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "s"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "server_tool_use", "id": "a", "name": "b", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'},
        },
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "id": "a", "name": "b", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'},
        },
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 3},
        },
        {"type": "message_stop"},
    )
)
_BODIES = [_OWN, *_SMALL]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats(allow_nan=False)
    | st.text(max_size=3)
)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "error", "id"]), inner, max_size=2)
    ),
    max_leaves=4,
)
blocks = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["text", "thinking", "tool_use", "server_tool_use", "redacted_thinking", "odd"]
        )
        | junk
    },
    optional={
        "text": junk,
        "thinking": junk,
        "signature": junk,
        "input": junk,
        "id": junk,
        "name": junk,
        "caller": junk,
        "citations": junk,
    },
)
deltas = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "text_delta",
                "thinking_delta",
                "signature_delta",
                "input_json_delta",
                "citations_delta",
                "compaction_delta",
            ]
        )
        | junk
    },
    optional={
        "text": junk,
        "thinking": junk,
        "signature": junk,
        "partial_json": junk,
        "citation": junk,
        "content": junk,
    },
)
usages = (
    st.dictionaries(
        st.sampled_from(
            ["input_tokens", "output_tokens", "cache_read_input_tokens", "output_tokens_details"]
        ),
        junk,
        max_size=3,
    )
    | junk
)
frames = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "message_start",
                "content_block_start",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop",
                "message",
            ]
        )
        | junk
    },
    optional={
        "index": st.integers(0, 2) | junk,
        "content_block": blocks | junk,
        "delta": deltas
        | st.fixed_dictionaries({"stop_reason": st.sampled_from(["end_turn", "tool_use"]) | junk})
        | junk,
        "message": st.fixed_dictionaries(
            {"content": st.lists(blocks, max_size=2) | junk, "usage": usages}
        )
        | junk,
        "content": st.lists(blocks, max_size=2) | junk,
        "usage": usages,
    },
)


def decoder(max_event_bytes: int) -> Decoder:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.decoder(max_event_bytes, {})


def encodes(events: list[Any]) -> None:
    encoder = AnthropicEncoder()
    for event in (START, *events):
        encoder.encode(event)


@given(st.sampled_from(_BODIES), st.integers(0, 2**32), st.sampled_from([200, 4_000, 1 << 20]))
@examples(150)
def test_mutated_bytes(body: bytes, seed: int, bound: int) -> None:
    """Bytes changed, cut out and doubled, in chunks of any size, under any bound."""
    rng = random.Random(seed)
    data = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 60)]
            case 2:
                data[at:at] = data[at : at + rng.randint(1, 60)]
            case _:
                data[at:at] = rng.choice(
                    [b"\n\n", b"\r", b'"', b"}", b"null", b"[[", b"\xff", b"data: "]
                )
        if not data:
            return
    size = rng.randint(1, len(data))
    encodes(
        decode(decoder(bound), [bytes(data[at : at + size]) for at in range(0, len(data), size)])
    )


@given(st.lists(frames, max_size=8))
@examples(200)
def test_frames_of_wrong_shapes(values: list[Any]) -> None:
    """Well-formed JSON whose fields have any value, in any order; what comes of it can be
    encoded."""
    body = b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)
    encodes(decode(decoder(1 << 16), [body]))


@given(st.binary(max_size=300))
@examples(100)
def test_noise(body: bytes) -> None:
    """Bytes that were never a stream."""
    encodes(decode(decoder(1 << 16), [body]))
