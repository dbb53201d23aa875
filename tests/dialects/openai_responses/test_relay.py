"""A client of this dialect over a vendor of this dialect: its own request goes up."""

import json
import random
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.proofs import ANTHROPIC, OPENAI, OTHER, carried
from proxy.codec.relaying import built
from proxy.codec.rules import Names, Rules
from proxy.errors import Refused
from tests.dialects.answers import params
from tests.dialects.openai_responses import emit
from tests.dialects.other_json import any_json

KINDS = (
    *("message", "function_call", "function_call_output", "custom_tool_call", "reasoning"),
    *("web_search_call", "mcp_approval_response", "compaction", "additional_tools", "item_of_2030"),
)
NEEDED: dict[str, dict[str, Any]] = {
    "message": {"role": "user", "content": "hi"},
    "function_call": {"call_id": "c", "name": "f", "arguments": "{}"},
    "custom_tool_call": {"call_id": "c", "name": "f", "input": "x"},
    "function_call_output": {"call_id": "c", "output": "x"},
}


def relayed(
    body: dict[str, Any], rules: Rules | None = None, headers: Any = None, **options: Any
) -> Outgoing:
    incoming = Incoming("POST", {}, {}, headers or {}, json.dumps(body).encode())
    request = emit.CLIENT.parse_request(incoming).request
    config = TargetConfig("up", "theirs", "sk", options, rules or Rules())
    call = built(emit.UPSTREAM, request, config)
    assert call.relayed
    return call


def random_request(seed: int) -> dict[str, Any]:
    """Items, parts and tools of every kind, each with keys that nobody knows."""
    chance = random.Random(seed)

    def odd() -> dict[str, Any]:
        return {f"odd_{n}": any_json(chance) for n in range(chance.randint(0, 2))}

    def part() -> dict[str, Any]:
        return chance.choice(
            [
                {"type": "input_text", "text": "é\n", **odd()},
                {"type": "input_image", "image_url": "https://a.example/b.png", **odd()},
                {"type": "input_file", "file_id": "file_1", **odd()},
                {"type": "part_of_2030", **odd()},
            ]
        )

    def item() -> dict[str, Any]:
        kind = chance.choice(KINDS)
        said = {"type": kind, **NEEDED.get(kind, {}), **odd()}
        if kind == "message" and chance.random() < 0.7:
            said["content"] = [part() for _ in range(chance.randint(0, 3))]
        return said

    tools = [
        {"type": "function", "name": "f", **odd()},
        {"type": "custom", "name": "g", "format": {"type": "text"}, **odd()},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}], **odd()},
        {"type": "mcp", "server_label": "x", **odd()},
    ]
    body = {
        "model": "asked",
        "input": [item() for _ in range(chance.randint(1, 6))],
        "tools": chance.sample(tools, chance.randint(0, 4)),
        "tool_choice": chance.choice(["auto", {"type": "mcp", "server_label": "x"}]),
        "include": ["reasoning.encrypted_content", "something.new"],
        "prompt_cache_key": "k",
        "stream": chance.choice([True, False]),
        "truncation": "auto",
        **odd(),
    }
    keys = list(body)
    chance.shuffle(keys)
    return {key: body[key] for key in keys}


@pytest.mark.parametrize("seed", range(100))
def test_nothing_is_lost_and_no_key_moves(seed: int) -> None:
    body = random_request(seed)
    call = relayed(body)
    expected = {**body, "model": "theirs", "stream": True}
    assert json.dumps(expected) == json.dumps(json.loads(call.body))
    assert call.body == relayed(body).body
    assert () == call.notes


def test_the_headers_of_the_dialect_go_along() -> None:
    headers = {"openai-beta": "a=1", "authorization": "Bearer mine", "x-odd": "1"}
    call = relayed({"model": "m", "input": "hi"}, headers=headers, project="p")
    assert ("a=1", "Bearer sk", "p") == (
        call.headers["openai-beta"],
        call.headers["authorization"],
        call.headers["openai-project"],
    )
    assert "x-odd" not in call.headers


def test_what_the_target_refuses_is_mended() -> None:
    rules = Rules(
        tool_name=Names(chars="a-z_", most=12),
        call_id=Names(chars="a-z0-9", most=9),
        efforts=("low", "high"),
        user_chars=16,
        largest_max_tokens=100,
        refused=("temperature",),
        refuse=("mcp", "metadata"),
    )
    long = "a_name_that_is_too_long"
    calls = [
        {"type": "function_call", "call_id": "Call:1", "name": long, "arguments": "{}"},
        {"type": "function_call_output", "call_id": "Call:1", "output": "x"},
    ]
    body = {
        "model": "m",
        "input": [
            {"type": "additional_tools", "tools": [{"type": "mcp"}, {"type": "web_search"}]},
            {"role": "user", "content": "hi"},
            *calls,
        ],
        "tools": [
            {"type": "mcp", "server_label": "x"},
            {"type": "mcp_2027_01_01", "server_label": "x"},
            {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": long}]},
        ],
        "tool_choice": {"type": "function", "name": long},
        "reasoning": {"effort": "max", "summary": "auto"},
        "user": "u" * 40,
        "max_output_tokens": 200,
        "temperature": 1,
        "metadata": {"a": "b"},
        "store": True,
    }
    call = relayed(body, rules, store=False, omit=["reasoning"])
    sent = json.loads(call.body)
    more, _, called, result = sent["input"]
    ((short, theirs),) = call.tool_names.items()
    assert (long, short, short, short) == (
        theirs,
        called["name"],
        sent["tools"][0]["tools"][0]["name"],
        sent["tool_choice"]["name"],
    )
    assert called["call_id"] == result["call_id"] != "Call:1"
    assert [{"type": "web_search"}] == more["tools"]
    assert (100, False) == (sent["max_output_tokens"], sent["store"])
    assert len(sent["user"]) <= 16
    assert not {"temperature", "metadata", "reasoning"} & sent.keys()
    assert {
        *("tools.name", "max_output_tokens", "user", "reasoning.effort", "refused", "refuse"),
        *("store", "reasoning"),
    } == params(call.notes)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("resp_0123456789abcdef01234567~resp_theirs", "resp_theirs"),
        ("resp_my.own_id~resp_theirs", "resp_theirs"),
        ("resp_68af4030baa48193b0b43b4c2a176a1a0e6967589f080e78", None),
    ],
)
def test_an_answer_that_the_vendor_keeps_can_be_gone_on_from(said: str, sent: str | None) -> None:
    body = {"model": "m", "input": "and then?", "previous_response_id": said}
    assert (sent or said) == json.loads(relayed(body).body)["previous_response_id"]


@pytest.mark.parametrize("digits", [24, 32])
def test_an_answer_of_another_dialect_cannot(digits: int) -> None:
    """Its id is a stream's, or one that a WebSocket was told without a stream."""
    body = {"model": "m", "input": "x", "previous_response_id": f"resp_{'0a' * (digits // 2)}"}
    with pytest.raises(Refused, match="send the whole input"):
        relayed(body)


def test_reasoning_of_another_vendor_does_not_go_up() -> None:
    """A client may have begun its conversation with one, through us."""
    own = {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAA"}
    foreign = {"type": "reasoning", "encrypted_content": carried("SIG", ANTHROPIC, OPENAI)}
    unknown = {"type": "reasoning", "encrypted_content": carried("SIG", OTHER, OPENAI)}
    call = relayed({"model": "m", "input": [own, foreign, unknown]})
    sent = json.loads(call.body)["input"]
    assert [own, {**unknown, "encrypted_content": "SIG"}] == sent
    assert {"input.reasoning"} == params(call.notes)


def test_a_vendor_without_free_text_gets_functions() -> None:
    """A request that has none goes up as it is."""
    rules = Rules(custom_tools=False)
    assert relayed({"model": "m", "input": "hi", "odd": 1}, rules).relayed
    body = {"model": "m", "input": "hi", "tools": [{"type": "custom", "name": "sh"}]}
    incoming = Incoming("POST", {}, {}, {}, json.dumps(body).encode())
    request = emit.CLIENT.parse_request(incoming).request
    call = built(emit.UPSTREAM, request, TargetConfig("up", "m", rules=rules))
    (tool,) = json.loads(call.body)["tools"]
    assert ("function", "sh", {"sh"}) == (tool["type"], tool["name"], call.custom_tools)


def test_items_of_another_form_are_said_as_the_vendor_takes_them() -> None:
    """What the assistant said is its output, and ids of other vendors are left out where they are
    looked at.
    """
    said = [
        {"role": "assistant", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": "b"},
        {"type": "function_call", "id": "toolu_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "id": "x", "call_id": "c", "output": "1"},
    ]
    body = {"model": "m", "input": said}
    first = {"role": "assistant", "content": [{"type": "output_text", "text": "a"}]}
    without = {name: value for name, value in said[2].items() if name != "id"}
    strict = json.loads(relayed(body, Rules(checks_item_ids=True)).body)["input"]
    assert [first, said[1], without, said[3]] == strict
    assert [first, *said[1:]] == json.loads(relayed(body).body)["input"]
