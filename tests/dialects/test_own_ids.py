"""Calls of one answer whose vendor gives all of them one id are told apart, in every dialect whose
answers have blocks of their own. The others share `proxy/codec/blocks.py`.
"""

import json
from typing import Any

import pytest

from proxy.dialects.registry import UPSTREAMS
from proxy.events import BlockStart
from tests import aws_frames
from tests.support import decode


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def claude() -> bytes:
    start = {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": []}}
    blocks = [
        {"type": "content_block_start", "index": at, "content_block": {"type": "tool_use", "id": "c", "name": "f", "input": {}}}
        for at in (0, 1)
    ]  # fmt: skip
    stops = [{"type": "content_block_stop", "index": at} for at in (0, 1)]
    end = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}
    return sse(start, blocks[0], stops[0], blocks[1], stops[1], end, {"type": "message_stop"})


def responses() -> bytes:
    items = [
        {"id": f"fc_{at}", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
        for at in (0, 1)
    ]
    done = [
        {"type": "response.output_item.done", "output_index": at, "item": item}
        for at, item in enumerate(items)
    ]
    whole = {"id": "r", "status": "completed", "output": items}
    return sse(*done, {"type": "response.completed", "response": whole})


def bedrock() -> bytes:
    start = {"toolUse": {"toolUseId": "c", "name": "f"}}
    return b"".join(
        [
            aws_frames.event("messageStart", {"role": "assistant"}),
            aws_frames.event("contentBlockStart", {"contentBlockIndex": 0, "start": start}),
            aws_frames.event("contentBlockStop", {"contentBlockIndex": 0}),
            aws_frames.event("contentBlockStart", {"contentBlockIndex": 1, "start": start}),
            aws_frames.event("contentBlockStop", {"contentBlockIndex": 1}),
            aws_frames.event("messageStop", {"stopReason": "tool_use"}),
            aws_frames.event("metadata", {"usage": {"inputTokens": 1, "outputTokens": 1}}),
        ]
    )


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("anthropic", claude()),
        ("openai_responses", responses()),
        ("bedrock_converse", bedrock()),
    ],
)
def test_two_calls_of_one_id_have_two(dialect: str, body: bytes) -> None:
    events = decode(UPSTREAMS[dialect].decoder(1 << 20, {}), [body])
    tools = [event.tool for event in events if isinstance(event, BlockStart)]
    assert ["c", "c_2"] == [getattr(tool, "id", None) for tool in tools]
