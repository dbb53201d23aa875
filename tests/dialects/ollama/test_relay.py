"""A client of this dialect over an upstream of it: nothing of its request is lost."""

import json
import random
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, Parsed, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import NO_RULES, Names, Rules
from proxy.dialects.ollama import DIALECT
from proxy.dialects.ollama.decode import OllamaDecoder
from proxy.dialects.ollama.parse import Options
from proxy.events import Image
from proxy.request import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tests.dialects.answers import START, folded, params, target
from tests.dialects.ollama import emit
from tests.dialects.requests import mixed
from tests.support import decode

assert DIALECT.client is not None
assert DIALECT.upstream is not None
_CLIENT, _UPSTREAM = DIALECT.client, DIALECT.upstream
PNG = "iVBORw0KGgo="


def call(form: str, body: dict[str, Any], rules: Rules = NO_RULES, **options: Any) -> Outgoing:
    incoming = Incoming("POST", {"form": form}, {}, {}, json.dumps(body).encode())
    config = TargetConfig("up", "theirs", None, options, rules)
    return built(_UPSTREAM, _CLIENT.parse_request(incoming).request, config)


def _common(dice: random.Random) -> dict[str, Any]:
    options = {"temperature": 0.5, "num_ctx": 8192, "mirostat": 1, "stop": ["a"], "seed": 3}
    return mixed(
        dice,
        {
            "stream": dice.choice((True, False)),
            "format": {"type": "object"},
            "options": mixed(dice, options),
            "keep_alive": "5m",
            "think": dice.choice((True, "high", "deep")),
            "logprobs": True,
            "top_logprobs": 2,
            "truncate": False,
            "shift": False,
        },
    )


def _chat(dice: random.Random) -> dict[str, Any]:
    called = {"function": {"name": "f", "index": 0, "arguments": {"a": [1]}}}
    messages = [
        {"role": "system", "content": "Be brief.", "images": [PNG]},
        {"role": "control", "content": "thinking"},
        {"role": "user", "content": "a", "images": [PNG]},
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [called]},
        {"role": "tool", "tool_name": "f", "content": "r", "images": [PNG]},
    ]
    kept = [mixed(dice, {}) | message for message in messages]
    tools = [{"type": "function", "function": {"name": "f", "x": 1}, "items": {}}]
    return {**_common(dice), "model": "asked", "messages": kept, **mixed(dice, {"tools": tools})}


def _generate(dice: random.Random) -> dict[str, Any]:
    more = {
        "suffix": "s",
        "system": "y",
        "template": "t",
        "context": [1, 2],
        "raw": True,
        "images": [PNG],
        "width": 5,
    }
    return {**_common(dice), "prompt": "p", "model": "asked", **mixed(dice, more)}


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("form", ["chat", "generate"])
def test_a_request_arrives_as_it_was_written(form: str, seed: int) -> None:
    """Every key at every level, known or not, in its order; but the model, and that it streams."""
    dice = random.Random(seed)
    body = _chat(dice) if form == "chat" else _generate(dice)
    sent = call(form, body)
    assert (True, f"/api/{form}", ()) == (sent.relayed, sent.path, sent.notes)
    changed = {**body, "model": "theirs", "stream": True}
    assert json.dumps(changed) == json.dumps(json.loads(sent.body))
    assert sent.body == call(form, body).body


def test_options_and_rules() -> None:
    """The client's runtime options come on top of the operator's; how long a model stays is the
    operator's."""
    body = {"model": "m", "prompt": "p", "options": {"seed": 1}, "keep_alive": -1, "raw": True}
    rules = Rules(refused=("raw", "mirostat"))
    sent = call("generate", body, rules, options={"num_ctx": 9, "mirostat": 2}, keep_alive="5m")
    assert {
        "model": "theirs",
        "prompt": "p",
        "options": {"num_ctx": 9, "seed": 1},
        "keep_alive": "5m",
        "stream": True,
    } == json.loads(sent.body)
    assert {"refused"} == params(sent.notes)


def test_a_chat_is_a_prompt_where_the_model_takes_no_other() -> None:
    """Then the request is built."""
    talk = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    sent = call("chat", talk, endpoint="generate")
    assert (False, "/api/generate") == (sent.relayed, sent.path)
    assert "hi" == json.loads(sent.body)["prompt"]


def test_other_clients_pictures_documents_and_settings() -> None:
    """Pictures stay in the tool's result; a document of plain text is text."""
    talk = [
        Message("user", [DocumentPart("data:text/plain;base64,YQ=="), TextPart("so?")]),
        Message("assistant", [ToolCallPart("c1", "f", signature="s")]),
        Message(
            "tool",
            [ToolResultPart("c1", [TextPart("r"), ImagePart(f"data:image/png;base64,{PNG}")])],
        ),
        Message("user", [DocumentPart("https://d"), AudioPart("data:audio/wav;base64,AAAA")]),
    ]
    request = ChatRequest(
        model="m",
        messages=talk,
        top_k=3,
        min_p=0.5,
        repetition_penalty=1.5,
        frequency_penalty=0.5,
        presence_penalty=0.25,
        logprobs=True,
        top_logprobs=2,
        verbosity="low",
    )
    sent = built(_UPSTREAM, request, target())
    body = json.loads(sent.body)
    assert {
        "top_k": 3,
        "min_p": 0.5,
        "repeat_penalty": 1.5,
        "presence_penalty": 0.25,
        "frequency_penalty": 0.5,
    } == body["options"]
    assert (True, 2) == (body["logprobs"], body["top_logprobs"])
    assert "aso?" == body["messages"][0]["content"]
    assert ("r", [PNG]) == (body["messages"][2]["content"], body["messages"][2]["images"])
    assert {
        "verbosity",
        "messages.document",
        "messages.audio",
        "messages.reasoning",
    } == params(sent.notes)


def test_what_is_not_known_here_is_noted() -> None:
    """For upstreams of other dialects."""
    body = {
        "model": "m",
        "messages": [
            {"role": "system", "images": [PNG]},
            {"role": "user", "content": "hi", "odd": 1},
        ],
        "think": "deep",
        "format": "xml",
    }
    incoming = Incoming("POST", {"form": "chat"}, {}, {}, json.dumps(body).encode())
    assert {
        "messages.images",
        "unknown_key",
        "think",
        "format",
    } == params(_CLIENT.parse_request(incoming).notes)


def test_pictures_that_a_model_made() -> None:
    """Events of their own, and bare base64 for clients of this dialect."""
    lines = [
        {"message": {"role": "assistant", "content": "", "images": [PNG]}, "done": False},
        {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"},
    ]
    wire = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    events = [START, *decode(OllamaDecoder(1 << 16), [wire])]
    assert Image(f"data:image/png;base64,{PNG}") in events
    first = json.loads(emit.encoded(events).split(b"\n")[0])
    assert [PNG] == first["message"]["images"]
    parsed = Parsed(ChatRequest(model="m", messages=[]), Options())
    assert [PNG] == json.loads(_CLIENT.whole(parsed, folded(events)).body)["message"]["images"]


def test_images_and_arguments_go_up_as_this_vendor_alone_wants_them() -> None:
    """Clients of several vendors send a data: URL, and arguments as text."""
    said = [
        {"role": "user", "content": "?", "images": [f"data:image/png;base64,{PNG}", PNG]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c1", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"id": "c2", "function": {"name": "f", "arguments": "{"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    body = json.loads(call("chat", {"model": "m", "messages": said}).body)
    user, turn, _ = body["messages"]
    assert [PNG, PNG] == user["images"]
    assert [{"a": 1}, {"arguments": "{"}] == [
        each["function"]["arguments"] for each in turn["tool_calls"]
    ]
    asked = {"model": "m", "prompt": "?", "images": [f"data:image/png;base64,{PNG}"]}
    assert [PNG] == json.loads(call("generate", asked).body)["images"]


def test_names_and_ids_that_the_target_refuses_are_mended() -> None:
    rules = Rules(tool_name=Names("a-z", 12), call_id=Names("a-z0-9", 20))
    made = {"id": "c:1", "function": {"name": "a.b", "arguments": {}}}
    said = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "", "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "c:1", "tool_name": "a.b", "content": "42"},
    ]
    tools = [{"type": "function", "function": {"name": "a.b", "parameters": {}}}]
    out = call("chat", {"model": "m", "messages": said, "tools": tools}, rules)
    body = json.loads(out.body)
    _, turn, result = body["messages"]
    short = body["tools"][0]["function"]["name"]
    assert ({short: "a.b"}, short) == (out.tool_names, result["tool_name"])
    assert result["tool_call_id"] == turn["tool_calls"][0]["id"] != "c:1"
