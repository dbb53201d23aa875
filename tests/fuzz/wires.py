"""Frames as vendors write them, for upstreams that never end."""

import json
from collections.abc import Callable
from typing import Any

Endless = Callable[[int], bytes]
PAD = "x" * 40


def json_of(value: Any) -> bytes:
    return json.dumps(value).encode()


def data(value: Any) -> bytes:
    return b"data: %b\n\n" % json_of(value)


def choice(delta: Any, index: int = 0, **beside: Any) -> bytes:
    return data({"id": "x", "choices": [{"index": index, "delta": delta, **beside}]})


def call(index: int, call_id: str, name: str | None, arguments: str) -> bytes:
    return choice(
        {
            "tool_calls": [
                {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
            ]
        }
    )


def named(kind: str, **more: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json_of({"type": kind, **more}))


def once(first: bytes, then: Endless) -> Endless:
    return lambda n: first if n == 0 else then(n)
