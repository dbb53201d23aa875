"""A client of this dialect over an upstream of this dialect: what it wrote arrives."""

import json
import random
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.openai_chat import DIALECT
from proxy.settings.rules import RuleBook

HI = [{"role": "user", "content": "hi"}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "42"}


def sent(
    body: dict[str, Any],
    vendor: str | None = None,
    model: str = "",
    headers: dict[str, str] | None = None,
    **options: Any,
) -> Outgoing:
    """What goes up to a vendor of the catalogue, or to one that is not in it."""
    assert DIALECT.client is not None
    assert DIALECT.upstream is not None
    data = json.dumps(body).encode()
    parsed = DIALECT.client.parse_request(Incoming("POST", {}, {}, headers or {}, data))
    rules = RuleBook("openai_chat", vendor, {}).of(model or body["model"])
    return built(DIALECT.upstream, parsed.request, TargetConfig("up", model, "k", options, rules))


def arrived(body: dict[str, Any], vendor: str | None = None, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(sent(body, vendor, **more).body)
    return said


def noted(call: Outgoing) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in call.notes]


# A random request: keys of the API and others, in any order, values of any depth.
_WORDS = ("a", "käse", "", "0", "\u2028", "x" * 70)


def any_value(rng: random.Random, depth: int = 0) -> Any:
    match rng.randrange(7 if depth < 3 else 5):
        case 0:
            return rng.choice((None, True, False))
        case 1:
            return rng.randrange(-5, 2**40)
        case 2:
            return rng.choice((0.5, -1.25, 1e-9))
        case 3 | 4:
            return rng.choice(_WORDS)
        case 5:
            return [any_value(rng, depth + 1) for _ in range(rng.randrange(3))]
    return {f"k{n}": any_value(rng, depth + 1) for n in range(rng.randrange(3))}


def any_part(rng: random.Random) -> dict[str, Any]:
    part: dict[str, Any] = rng.choice(
        (
            {"type": "text", "text": rng.choice(_WORDS)},
            {"type": "image_url", "image_url": {"url": "https://h/i.png", "detail": "low"}},
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            {"type": "file", "file": {"file_id": "f"}},
            {"type": "video_url", "video_url": {"url": "u"}},
        )
    )
    extra = {"cache_control": {"type": "ephemeral"}} if rng.random() < 0.3 else {}
    return {**part, **extra}


def any_message(rng: random.Random) -> dict[str, Any]:
    message: dict[str, Any] = rng.choice(
        (
            {"role": "user", "content": [any_part(rng) for _ in range(2)]},
            {"role": "assistant", "content": None, "tool_calls": [{**CALL, "x": any_value(rng)}]},
            {"role": "assistant", "content": "a", "reasoning_content": "hm", "refusal": None},
            {"role": "assistant", "content": "a", "reasoning_details": [any_value(rng)]},
            {"role": "developer", "content": "be brief", "name": "n"},
            {"role": "latest_reminder", "content": "x"},
            RESULT,
        )
    )
    return {**message, f"m{rng.randrange(9)}": any_value(rng)}


def any_request(rng: random.Random) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "model": "m",
        "messages": [any_message(rng) for _ in range(rng.randrange(1, 5))],
        "temperature": 0.5,
        "max_tokens": 5,
        "tools": [{"type": "web_search"}, {"type": "function", "function": {"name": "f"}}],
        "tool_choice": {"type": "web_search"},
        "stop": ["a", "b"],
        "user": "u" * 200,
        "logit_bias": {"5": -1},
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
        **{f"x{n}": any_value(rng) for n in range(4)},
    }
    names = ["model", "messages", *rng.sample(sorted(keys.keys() - {"model", "messages"}), 6)]
    rng.shuffle(names)
    return {name: keys[name] for name in names}


@pytest.mark.parametrize("seed", range(60))
def test_a_request_arrives_as_it_was_written(seed: int) -> None:
    """Every key at every level, in its order; only the model is the target's, and that a stream
    with its counts is wanted is said where it was not."""
    body = any_request(random.Random(seed))
    call = sent(body, model="theirs")
    expected = {**body, "model": "theirs", "stream": True}
    asked = {**(body.get("stream_options") or {}), "include_usage": True}
    assert json.dumps({**expected, "stream_options": asked}) == json.dumps(json.loads(call.body))
    assert [] == noted(call)
    assert call.relayed


def test_the_same_conversation_gives_the_same_bytes() -> None:
    """The next turn begins with the bytes of the one before, so the vendor's cache hits."""
    first = {
        "messages": HI,
        "model": "m",
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    longer = {**first, "messages": [*HI, {"role": "assistant", "content": "x", "odd": 1}]}
    assert sent(first).body == sent(first).body
    begun = sent(first).body.partition(b'"hi"}')[0]
    assert sent(longer).body.startswith(begun)


def test_the_headers_of_the_dialect_go_up_and_no_others() -> None:
    headers = {"openai-beta": "x=1", "authorization": "Bearer theirs", "cookie": "a=b"}
    call = sent({"model": "m", "messages": HI}, headers=headers)
    assert {
        "openai-beta": "x=1",
        "content-type": "application/json",
        "accept": "text/event-stream",
        "authorization": "Bearer k",
    } == call.headers


def test_ids_that_mistral_refuses_are_mended_alike() -> None:
    """And a key that it does not know is left out, with a note; it takes only those."""
    call = sent(
        {
            "model": "m",
            "messages": [
                *HI,
                {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
                RESULT,
                {"role": "assistant", "content": "a", "reasoning_content": "hm"},
            ],
            "max_completion_tokens": 5,
            "seed": 7,
            "store": True,
        },
        "mistral",
        rename={"seed": "random_seed"},
        include_usage=False,
    )
    body = json.loads(call.body)
    [made] = body["messages"][1]["tool_calls"]
    assert made["id"] == body["messages"][2]["tool_call_id"]
    assert (9, True) == (len(made["id"]), made["id"].isalnum())
    assert {
        "model": "m",
        "max_tokens": 5,
        "random_seed": 7,
        "stream": True,
    } == {key: value for key, value in body.items() if key != "messages"}
    assert {"role": "assistant", "content": "a", "prefix": True} == body["messages"][3]
    assert [("dropped", "messages.refused"), ("dropped", "refused")] == noted(call)


def test_names_of_tools_that_are_refused_are_mended_and_told() -> None:
    name = "mcp__" + "x" * 70
    call = {**CALL, "function": {"name": name, "arguments": "{}"}}
    out = sent(
        {
            "model": "gpt-4o",
            "messages": [*HI, {"role": "assistant", "tool_calls": [call]}, RESULT],
            "tools": [{"type": "function", "function": {"name": name, "strict": True}}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        },
        "openai",
    )
    body = json.loads(out.body)
    [short] = out.tool_names
    assert {short: name} == dict(out.tool_names)
    assert 64 >= len(short)
    assert [short] * 3 == [
        body["tools"][0]["function"]["name"],
        body["tool_choice"]["function"]["name"],
        body["messages"][1]["tool_calls"][0]["function"]["name"],
    ]
    assert body["tools"][0]["function"]["strict"] is True


def test_what_a_model_that_thinks_refuses_is_left_out() -> None:
    out = sent(
        {
            "model": "m",
            "messages": HI,
            "temperature": 0.2,
            "max_tokens": 9,
            "reasoning_effort": "xhigh",
            "user": "u" * 65,
        },
        "openai",
        model="o4-mini",
    )
    body = json.loads(out.body)
    assert 64 >= len(body.pop("user"))
    assert {
        "model": "o4-mini",
        "messages": HI,
        "max_completion_tokens": 9,
        "reasoning_effort": "high",
        "stream": True,
        "stream_options": {"include_usage": True},
    } == body
    assert {"user", "reasoning.effort", "refused"} == {param for _, param in noted(out)}


def test_roles_are_the_vendors() -> None:
    messages = [{"role": "developer", "content": "x", "name": "n"}, *HI]
    body = {"model": "m", "messages": messages}
    assert ["system", "user"] == [m["role"] for m in arrived(body, "deepseek")["messages"]]
    assert ["developer", "user"] == [m["role"] for m in arrived(body, "openai")["messages"]]


def test_reasoning_stands_where_the_vendor_wants_it() -> None:
    turn = {"role": "assistant", "content": "a", "reasoning": "hm"}
    body = {"model": "m", "messages": [*HI, turn]}
    said = arrived(body, "deepseek", send_reasoning="reasoning_content")["messages"][1]
    assert {"role": "assistant", "content": "a", "reasoning_content": "hm"} == said
    assert turn == arrived(body)["messages"][1]


def test_keys_of_messages_that_a_vendor_refuses_are_left_out() -> None:
    turn = {"role": "assistant", "content": "a", "reasoning_content": "hm"}
    call = sent({"model": "m", "messages": [*HI, turn]}, "groq")
    assert {"role": "assistant", "content": "a"} == json.loads(call.body)["messages"][1]
    assert [("dropped", "messages.refused")] == noted(call)


def test_proofs_of_another_vendor_are_not_shown() -> None:
    details = [
        {"type": "reasoning.encrypted", "data": "A", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "B", "format": "google-gemini-v1"},
    ]
    turn = {"role": "assistant", "content": "a", "reasoning_details": details}
    body = {"model": "m", "messages": [*HI, turn]}
    assert details == arrived(body, "openrouter")["messages"][1]["reasoning_details"]
    assert DIALECT.upstream is not None


def test_the_operators_omissions_and_refusals_hold() -> None:
    body = {
        "model": "m",
        "messages": HI,
        "user": "u",
        "store": True,
        "tools": [{"type": "web_search"}],
    }
    assert DIALECT.client is not None
    assert DIALECT.upstream is not None
    parsed = DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, json.dumps(body).encode()))
    rules = RuleBook("openai_chat", None, {"refuse": ["store", "web_search"]}).of("m")
    target = TargetConfig("up", "", None, {"omit": ["user"]}, rules)
    call = built(DIALECT.upstream, parsed.request, target)
    assert {"model", "messages", "stream", "stream_options"} == json.loads(call.body).keys()
    assert {"user", "refuse"} == {param for _, param in noted(call)}


def test_tools_with_free_text_are_functions_for_a_vendor_without_them() -> None:
    tool = {"type": "custom", "custom": {"name": "run"}}
    body = {"model": "m", "messages": HI, "tools": [tool]}
    assert [tool] == arrived(body, "openai")["tools"]
    call = sent(body, "deepseek", ask_reasoning="switch")
    [function] = json.loads(call.body)["tools"]
    assert "input" in function["function"]["parameters"]["properties"]
    assert frozenset({"run"}) == call.custom_tools
