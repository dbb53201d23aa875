"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import (
    BEGUN_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Asked,
    Endless,
    Sample,
    named,
    once,
    typed,
)

ANTHROPIC_ERROR = {"type": "error", "error": {"type": "api_error", "message": WORDS}}

ANTHROPIC_START = {
    "type": "message_start",
    "message": {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": BEGUN_TOKENS},
    },
}

ANTHROPIC_BLOCK = {
    "type": "content_block_start",
    "index": 0,
    "content_block": {"type": "text", "text": ""},
}

ANTHROPIC_ENDING: tuple[dict[str, Any], ...] = (
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": OUTPUT_TOKENS},
    },
    {"type": "message_stop"},
)


def anthropic_delta(text: str) -> dict[str, Any]:
    return {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": text},
    }


SAMPLE = Sample(
    opening=named(ANTHROPIC_START),
    starts=named(ANTHROPIC_BLOCK) + named({"type": "ping"}),
    say=lambda _, text: named(anthropic_delta(text)),
    ending=b"".join(map(named, ANTHROPIC_ENDING)),
    error=named(ANTHROPIC_ERROR),
    error_body=ANTHROPIC_ERROR,
    begins=True,
)


def _start(index: int, kind: str, **more: Any) -> bytes:
    return typed("content_block_start", index=index, content_block={"type": kind, **more})


def _delta(index: int, kind: str, **more: Any) -> bytes:
    return typed("content_block_delta", index=index, delta={"type": kind, **more})


ENDLESS: dict[str, Endless] = {
    "pings": lambda n: typed("ping"),
    "blocks": lambda n: _start(n, "text", text=""),
    "calls": lambda n: _start(n, "tool_use", id=f"t{n}", name="n"),
    "blocks in one place": lambda n: _start(0, "tool_use", id=f"t{n}", name="n"),
    "blocks that stop": lambda n: _start(n, "text", text="") + typed("content_block_stop", index=n),
    "an opaque block": once(
        _start(0, "server_tool_use"), lambda n: _delta(0, "input_json_delta", partial_json=PAD)
    ),
    "keys of an opaque block": once(
        _start(0, "server_tool_use"), lambda n: _delta(0, "new", **{f"k{n}": 1})
    ),
    "empty keys of an opaque block": once(
        _start(0, "server_tool_use"), lambda n: _delta(0, "new", **{f"k{n}": ""})
    ),
    "counts": lambda n: typed("message_delta", delta={}, usage={f"k{n}": PAD}),
    "stops": lambda n: typed(
        "message_delta", delta={"stop_reason": f"s{n}", "container": PAD, "stop_details": n}
    ),
    "signatures": lambda n: _delta(n, "signature_delta", signature=PAD),
    "text": lambda n: _delta(0, "text_delta", text=PAD),
    "text everywhere": lambda n: _delta(n, "text_delta", text=PAD),
    "turns": lambda n: (
        _delta(0, "text_delta", text="a") if n % 2 else _delta(0, "thinking_delta", thinking="b")
    ),
    "messages": lambda n: typed(
        "message_start", message={"id": f"{n}", "usage": {"input_tokens": n}}
    ),
}

ASKED = Asked(
    "/v1/messages",
    {
        "temperature": 1,
        "top_k": 5,
        "stop_sequences": ["x"],
        "metadata": {"user_id": "u"},
        "stream": True,
        "model": "m",
        "max_tokens": 2000,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                    }
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "c1",
                        "content": [{"type": "text", "text": "r"}],
                    }
                ],
            },
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    },
    said=lambda values: "".join(
        value["delta"]["text"]
        for value in values
        if value["type"] == "content_block_delta" and value["delta"]["type"] == "text_delta"
    ),
)
