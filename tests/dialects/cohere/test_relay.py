"""A client of this dialect over an upstream of it: nothing of its request is lost, and of the answer
neither."""

import json
import random
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, Parsed, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import NO_RULES, Names, Rules
from proxy.dialects.cohere import DIALECT
from proxy.dialects.cohere.decode import CohereDecoder
from proxy.events import Usage
from proxy.request import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from proxy.settings.rules import RuleBook
from tests.dialects.answers import START, ending, folded, params, target, text_block
from tests.dialects.cohere import emit
from tests.dialects.requests import mixed
from tests.support import decode

assert DIALECT.client is not None
assert DIALECT.upstream is not None
_CLIENT, _UPSTREAM = DIALECT.client, DIALECT.upstream


def relayed(
    body: dict[str, Any],
    rules: Rules = NO_RULES,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> Outgoing:
    incoming = Incoming("POST", {}, {}, headers or {}, json.dumps(body).encode())
    config = TargetConfig("up", "theirs", "key", options, rules)
    call = built(_UPSTREAM, _CLIENT.parse_request(incoming).request, config)
    assert call.relayed
    return call


def _request(dice: random.Random) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "hologram", "h": 1}]},
        {"role": "assistant", "tool_plan": "p", "tool_calls": [call], "citations": [{"start": 0}]},
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": [{"type": "document", "document": {"data": {"a": 1}, "id": "d"}}],
        },
    ]
    known = {
        "stream": dice.choice((True, False)),
        "documents": ["text", {"id": "d1", "data": {"text": "a"}}],
        "citation_options": mixed(dice, {"mode": "FAST"}),
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
        "safety_mode": "STRICT",
        "max_tokens": 9,
        "p": 0.5,
        "k": 3,
        "logprobs": True,
        "strict_tools": True,
        "tools": [{"type": "function", "function": mixed(dice, {}) | {"name": "f"}}],
        "tool_choice": "NONE",
        "thinking": {"type": "enabled", "token_budget": 9},
        "priority": 3,
        "raw_prompting": True,
    }
    kept = [mixed(dice, {}) | each for each in messages]
    return {**mixed(dice, known), "model": "asked", **mixed(dice, {}), "messages": kept}


@pytest.mark.parametrize("seed", range(30))
def test_a_request_arrives_as_it_was_written(seed: int) -> None:
    """Every key at every level, known or not, in its order; but the model, and that it streams."""
    body = _request(random.Random(seed))
    call = relayed(body)
    changed = {**body, "model": "theirs", "stream": True}
    assert json.dumps(changed) == json.dumps(json.loads(call.body))
    assert call.body == relayed(body).body
    assert () == call.notes


def test_options_rules_and_headers() -> None:
    """The operator's hold; the client's name goes along where the operator gives none."""
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_plan": "p"}]
    body = {"model": "m", "messages": messages, "priority": 1, "k": 2}
    call = relayed(
        body,
        Rules(refused=("k",), refuse=("priority",)),
        {"x-client-name": "me", "cookie": "x"},
        tool_plan=False,
    )
    assert {
        "model": "theirs",
        "messages": [messages[0], {"role": "assistant"}],
        "stream": True,
    } == json.loads(call.body)
    assert {"refuse", "refused", "messages.tool_plan"} == params(call.notes)
    assert {"content-type", "accept", "authorization", "x-client-name"} == {*call.headers}
    named = relayed(body, headers={"x-client-name": "me"}, client_name="us")
    assert "us" == named.headers["x-client-name"]


def test_other_clients_documents_and_pictures() -> None:
    """A document to be cited is one of the request's; what a tool showed stands behind its result."""
    text = "data:text/plain;base64,YQ=="
    talk = [
        Message(
            "user", [DocumentPart(text, "T", citations=True), DocumentPart(text), TextPart("so?")]
        ),
        Message("assistant", [ToolCallPart("c1", "f", signature="s")]),
        Message("tool", [ToolResultPart("c1", [TextPart("r"), ImagePart("https://i")])]),
        Message("user", [DocumentPart("https://d"), AudioPart("data:audio/wav;base64,AAAA")]),
    ]
    call = built(_UPSTREAM, ChatRequest(model="m", messages=talk), target())
    body = json.loads(call.body)
    assert [{"id": "doc:0", "data": {"title": "T", "text": "a"}}] == body["documents"]
    assert "aso?" == body["messages"][0]["content"]
    assert {"role": "tool", "tool_call_id": "c1", "content": "r"} == body["messages"][2]
    assert "https://i" == body["messages"][3]["content"][-1]["image_url"]["url"]
    assert {
        "messages.document",
        "messages.audio",
        "messages.reasoning",
        "tool_result.content",
    } == params(call.notes)


def test_what_is_charged_is_always_told() -> None:
    """Clients of this vendor look for it first; what is not known is left out."""
    for usage, counts in (
        (Usage(3, 2), {"input_tokens": 3, "output_tokens": 2}),
        (Usage(), {}),
    ):
        events = [START, *text_block("a"), ending()]
        events[-1] = type(ending())(ending().finish, usage)
        last = [
            json.loads(line[6:])
            for line in emit.encoded(events).split(b"\n")
            if line[:6] == b"data: " and line[6:7] == b"{"
        ][-1]
        assert counts == last["delta"]["usage"]["billed_units"]
        whole = json.loads(
            _CLIENT.whole(Parsed(ChatRequest(model="m", messages=[])), folded(events)).body
        )
        assert counts == whole["usage"]["billed_units"]


def test_the_vendors_own_frames_go_out_as_they_came() -> None:
    """Log-probs with an empty piece of content, whatever else as it was."""
    frames = [
        {"type": "message-start", "id": "a"},
        {
            "type": "content-start",
            "index": 0,
            "delta": {"message": {"content": {"type": "text", "text": ""}}},
        },
        {
            "type": "content-delta",
            "index": 0,
            "delta": {"message": {"content": {"text": "a"}}},
            "logprobs": {"text": "a", "token_ids": [1], "logprobs": [-0.5]},
        },
        {"type": "debug", "prompt": "p"},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {}}},
    ]
    wire = b"".join(b"data: %b\n\n" % json.dumps(frame).encode() for frame in frames)
    events = [START, *decode(CohereDecoder(1 << 16), [wire])]
    got = emit.encoded(events)
    assert b'"logprobs":{"text":"a","token_ids":[1],"logprobs":[-0.5]}' in got
    assert b'event: debug\ndata: {"type":"debug","prompt":"p"}' in got
    whole = json.loads(
        _CLIENT.whole(Parsed(ChatRequest(model="m", messages=[])), folded(events)).body
    )
    assert [{"text": "a", "token_ids": [1], "logprobs": [-0.5]}] == whole["logprobs"]


def test_which_models_think_by_themselves_is_data() -> None:
    """They get earlier reasoning as thinking."""
    said = [ReasoningPart("hm"), TextPart("a")]
    request = ChatRequest(model="m", messages=[Message("user", "hi"), Message("assistant", said)])
    for model, kinds in (("command-a-reasoning", ["thinking", "text"]), ("command-a", None)):
        rules = RuleBook("cohere", None, {}).of(model)
        body = json.loads(built(_UPSTREAM, request, target()._replace(rules=rules)).body)
        content = body["messages"][1]["content"]
        assert kinds == ([part["type"] for part in content] if kinds else None)
        assert kinds or "a" == content


def test_names_and_ids_that_the_target_refuses_are_mended() -> None:
    made = {"id": "c:1", "type": "function", "function": {"name": "a.b", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "c:1", "content": "42"},
    ]
    tools = [{"type": "function", "function": {"name": "a.b"}}]
    rules = Rules(tool_name=Names("a-z", 12), call_id=Names("a-z0-9", 20))
    out = relayed({"model": "m", "messages": messages, "tools": tools}, rules)
    body = json.loads(out.body)
    _, turn, result = body["messages"]
    assert {body["tools"][0]["function"]["name"]: "a.b"} == out.tool_names
    assert result["tool_call_id"] == turn["tool_calls"][0]["id"] != "c:1"
