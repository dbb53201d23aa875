"""A scripted vendor: it calls one tool of the program's, and once it has the result it says that it
is done. It speaks four dialects, in bytes that are written out here, and keeps what it was asked.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream

DONE = "The typo is mended."
_JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Call(NamedTuple):
    """The tool that is called, and its arguments."""

    tool: str
    arguments: dict[str, Any]


class Asked(NamedTuple):
    """One request that reached the vendor. `headers` have lower-case names."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def _sse(*events: dict[str, Any], named: bool = False) -> bytes:
    return b"".join(
        (b"event: %b\n" % event["type"].encode() if named else b"")
        + b"data: %b\n\n" % json.dumps(event).encode()
        for event in events
    )


def _anthropic(call: Call | None) -> bytes:
    if call is None:
        start: dict[str, Any] = {"type": "text", "text": ""}
        delta: dict[str, Any] = {"type": "text_delta", "text": DONE}
    else:
        start = {"type": "tool_use", "id": "toolu_01", "name": call.tool, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    }
    stop = {"stop_reason": "end_turn" if call is None else "tool_use", "stop_sequence": None}
    return _sse(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
        named=True,
    )


def _openai_chat(call: Call | None) -> bytes:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }

    function = call and {"name": call.tool, "arguments": json.dumps(call.arguments)}
    said: dict[str, Any] = (
        {"content": DONE}
        if call is None
        else {
            "tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]
        }
    )
    usage = {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19}
    return (
        _sse(
            chunk({"role": "assistant", **said}),
            chunk({}, "stop" if call is None else "tool_calls"),
            {**chunk({}), "choices": [], "usage": usage},
        )
        + b"data: [DONE]\n\n"
    )


def _openai_responses(call: Call | None) -> bytes:
    response = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m"}
    if call is None:
        part = {"type": "output_text", "text": DONE, "annotations": []}
        item: dict[str, Any] = {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        opened: dict[str, Any] = {**item, "status": "in_progress", "content": []}
        at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        between: list[dict[str, Any]] = [
            {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
            {"type": "response.output_text.delta", **at, "delta": DONE},
            {"type": "response.output_text.done", **at, "text": DONE},
            {"type": "response.content_part.done", **at, "part": part},
        ]
    else:
        arguments = json.dumps(call.arguments)
        item = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": call.tool,
            "arguments": arguments,
            "status": "completed",
        }
        opened = {**item, "arguments": "", "status": "in_progress"}
        at = {"item_id": "fc_1", "output_index": 0}
        between = [
            {"type": "response.function_call_arguments.delta", **at, "delta": arguments},
            {"type": "response.function_call_arguments.done", **at, "arguments": arguments},
        ]
    usage = {"input_tokens": 10, "output_tokens": 9, "total_tokens": 19}
    events: list[dict[str, Any]] = [
        {
            "type": "response.created",
            "response": {**response, "status": "in_progress", "output": []},
        },
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        *between,
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {
            "type": "response.completed",
            "response": {**response, "status": "completed", "output": [item], "usage": usage},
        },
    ]
    return _sse(*({**each, "sequence_number": n} for n, each in enumerate(events)), named=True)


def _gemini(call: Call | None) -> bytes:
    part: dict[str, Any] = (
        {"text": DONE}
        if call is None
        else {"functionCall": {"name": call.tool, "args": call.arguments}}
    )
    return _sse(
        {
            "candidates": [
                {
                    "index": 0,
                    "content": {"role": "model", "parts": [part]},
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {
                "promptTokenCount": 10,
                "candidatesTokenCount": 9,
                "totalTokenCount": 19,
            },
        }
    )


_ANSWERS = {
    "anthropic": _anthropic,
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "gemini": _gemini,
}
# By their words: a tool's result in any of the four dialects.
_RESULT = re.compile(
    r'"type": "tool_result"|"role": "tool"|"type": "function_call_output"|"functionResponse"'
)


class Vendor:
    """A running vendor: `url` is where, `asked` what it was asked."""

    def __init__(self, dialect: str, call: Call) -> None:
        self._answer = _ANSWERS[dialect]
        self._call = call
        self.url = ""
        self.asked: list[Asked] = []

    def _next(self, body: dict[str, Any]) -> bytes:
        """The call, where the program has given that tool and no result yet; else the end."""
        text = json.dumps(body)
        knows = f'"name": "{self._call.tool}"' in text
        return self._answer(None if _RESULT.search(text) or not knows else self._call)

    async def serve(self, peer: Peer) -> None:
        while True:
            head = (await peer.request()).decode("latin-1")
            method, path, _ = head.partition("\r\n")[0].split(" ")
            if method != "POST" or "count" in path.lower():
                peer.write(_JSON_HEAD % 2 + b"{}")
                continue
            lines = (line.partition(":") for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in lines}
            body = json.loads(peer.body)
            self.asked.append(Asked(path, headers, body))
            peer.write(CHUNKED)
            peer.send(self._next(body))
            peer.write(LAST_CHUNK)


@asynccontextmanager
async def scripted(dialect: str, call: Call) -> AsyncIterator[Vendor]:
    """A vendor of this dialect on a port of its own."""
    vendor = Vendor(dialect, call)
    async with raw_upstream(vendor.serve) as url:
        vendor.url = url
        yield vendor
