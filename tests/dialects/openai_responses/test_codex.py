"""A coding agent that speaks this dialect, over vendors that have neither tools with free text nor
namespaces: what Codex sends, and what it gets."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import Names, Rules
from proxy.codec.tool_names import RestoredTools
from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamStart
from tests.dialects.openai_responses import emit
from tests.support import decode

GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edits.", "format": GRAMMAR}
LITE = {
    "type": "additional_tools",
    "role": "developer",
    "tools": [
        {
            "type": "namespace",
            "name": "functions",
            "description": "",
            "tools": [
                {"type": "custom", "name": "exec", "format": {"type": "text"}},
                {"type": "function", "name": "wait", "parameters": {"type": "object"}},
            ],
        }
    ],
}
GO = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go."}]}
TEXT = 'print("hi")\n'


def of_chat(name: str, pieces: Sequence[str]) -> bytes:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return b"data: %b\n\n" % json.dumps({"id": "c", "choices": [choice]}).encode()

    def call(**said: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": 0, **said}]}

    begun = call(id="call_1", type="function", function={"name": name, "arguments": ""})
    more = [chunk(call(function={"arguments": piece})) for piece in pieces]
    return b"".join([chunk(begun), *more, chunk({}, "tool_calls"), b"data: [DONE]\n\n"])


def of_anthropic(name: str, pieces: Sequence[str]) -> bytes:
    def event(kind: str, **said: Any) -> bytes:
        data = json.dumps({"type": kind, **said}).encode()
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)

    def delta(piece: str) -> bytes:
        said = {"type": "input_json_delta", "partial_json": piece}
        return event("content_block_delta", index=0, delta=said)

    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "role": "assistant", "content": [], "model": "m", "usage": usage}
    block = {"type": "tool_use", "id": "call_1", "name": name, "input": {}}
    return b"".join(
        [
            event("message_start", message=message),
            event("content_block_start", index=0, content_block=block),
            *map(delta, pieces),
            event("content_block_stop", index=0),
            event("message_delta", delta={"stop_reason": "tool_use"}, usage=usage),
            event("message_stop"),
        ]
    )


VENDORS = {"openai_chat": of_chat, "anthropic": of_anthropic}


def names_of(body: dict[str, Any]) -> list[str]:
    return [tool.get("function", tool)["name"] for tool in body["tools"]]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("tools", "items", "name", "place"),
    [
        ([PATCH], [GO], "apply_patch", {"name": "apply_patch"}),
        (None, [LITE, GO], "exec", {"name": "exec", "namespace": "functions"}),
    ],
)
def test_free_text_goes_up_as_a_function_and_comes_back_as_text(
    vendor: str, tools: Any, items: list[Any], name: str, place: dict[str, str]
) -> None:
    """Streamed as it comes; and the call goes up again in the next turn as it was made."""
    said = {"model": "m", "input": items, "stream": True, "store": False}
    if tools:
        said["tools"] = tools
    parsed = emit.CLIENT.parse_request(Incoming("POST", {}, {}, {}, json.dumps(said).encode()))
    half = UPSTREAMS[vendor]
    # the tools' names must be short there: they are mapped, and mapped back
    rules = Rules(tool_name=Names(chars="a-z0-9A-Z", most=12))
    call = built(half, parsed.request, TargetConfig("up", "m", rules=rules))
    sent = names_of(json.loads(call.body))
    theirs = next(each for each in sent if call.tool_names.get(each, each) == name)
    pieces = ['{"input"', ': "pri', 'nt(\\"hi\\")\\', 'n"', "}"]
    decoder = RestoredTools(half.decoder(1 << 16, {}), call.tool_names, call.custom_tools)
    events = decode(decoder, [VENDORS[vendor](theirs, pieces)])
    encoder = emit.CLIENT.encoder(parsed)
    start = StreamStart("s1", "m", "up", "m", 1)
    body = b"".join(encoder.encode(event) for event in [start, *events]).decode()
    told = [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: ")]
    deltas = [
        event["delta"] for event in told if event["type"] == "response.custom_tool_call_input.delta"
    ]
    assert (TEXT, True) == ("".join(deltas), len(deltas) > 1)
    (item,) = told[-1]["response"]["output"]
    assert ("custom_tool_call", "call_1", TEXT) == (item["type"], item["call_id"], item["input"])
    assert place == {key: item[key] for key in ("name", "namespace") if key in item}

    result = {"type": "custom_tool_call_output", "call_id": "call_1", "output": "done"}
    again = {**said, "input": [*items, item, result]}
    request = emit.CLIENT.parse_request(
        Incoming("POST", {}, {}, {}, json.dumps(again).encode())
    ).request
    second = built(half, request, TargetConfig("up", "m", rules=rules))
    assert sent == names_of(json.loads(second.body))
    assert json.dumps(theirs) in second.body.decode().replace(" ", "")
    assert "print(" in second.body.decode()
