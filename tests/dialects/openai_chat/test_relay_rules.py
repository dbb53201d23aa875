"""What a target refuses of a client's own chat completion is mended, whatever vendor it is."""

import json
from typing import Any

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import Names, Rules
from proxy.dialects.openai_chat import DIALECT

HI = [{"role": "user", "content": "hi"}]
SHORT = Names("a-z_", 12)


def incoming(**body: Any) -> Incoming:
    data = json.dumps({"model": "m", "messages": HI, **body}).encode()
    return Incoming("POST", {}, {}, {}, data)


def sent(rules: Rules, **body: Any) -> Outgoing:
    assert DIALECT.client is not None
    assert DIALECT.upstream is not None
    parsed = DIALECT.client.parse_request(incoming(**body))
    return built(DIALECT.upstream, parsed.request, TargetConfig("up", "m", "k", {}, rules))


def arrived(rules: Rules, **body: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(sent(rules, **body).body)
    return said


def noted(call: Outgoing) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in call.notes]


def test_the_limit_goes_in_the_one_field_that_is_taken() -> None:
    """And not above the target's own."""
    rules = Rules(max_tokens_field="max_tokens", largest_max_tokens=100)
    call = sent(rules, max_completion_tokens=900, max_tokens=50)
    body = json.loads(call.body)
    assert (100, False) == (body["max_tokens"], "max_completion_tokens" in body)
    assert [("changed", "max_tokens")] == noted(call)


def test_schemas_are_said_in_the_words_that_are_taken() -> None:
    """Those that have none of the others stay as they are."""
    plain = {"type": "object", "properties": {"a": {"type": "string"}}}
    closed = {**plain, "additionalProperties": False}
    tools = [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name, schema in (("plain", plain), ("closed", closed))
    ]
    call = sent(Rules(schema_lacks=("additional_properties",)), tools=tools)
    said = [tool["function"]["parameters"] for tool in json.loads(call.body)["tools"]]
    assert [plain, plain] == said
    assert [("changed", "tools.parameters")] == noted(call)


def test_stops_efforts_and_names_of_users_stay_within_what_is_taken() -> None:
    call = sent(
        Rules(stop_most=1, efforts=("low", "high"), user_chars=20),
        stop=["a", "b"],
        reasoning_effort="xhigh",
        user="somebody@mail.example.com",
        safety_identifier="short",
    )
    body = json.loads(call.body)
    assert (["a"], "high", "short") == (
        body["stop"],
        body["reasoning_effort"],
        body["safety_identifier"],
    )
    assert 20 >= len(body["user"])
    assert [("dropped", "stop"), ("changed", "user"), ("changed", "reasoning.effort")] == noted(
        call
    )


def test_a_word_that_fits_stays() -> None:
    call = sent(Rules(stop_most=2, efforts=("low",)), stop=["a", "b"], reasoning_effort="low")
    assert [] == noted(call)


def test_names_of_functions_are_mended_wherever_they_stand() -> None:
    """In tools, a choice, the only tools allowed, calls and results, and in what was before tools;
    the answer has the client's name."""
    long = "A long name"
    tool = {"type": "function", "function": {"name": long}}
    mine = {"name": long, "arguments": "{}"}
    messages = [
        *HI,
        {"role": "assistant", "content": None, "function_call": mine},
        {"role": "function", "name": long, "content": "1"},
    ]
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool]}}
    call = sent(Rules(tool_name=SHORT), messages=messages, tools=[tool], tool_choice=allowed)
    body = json.loads(call.body)
    (short,) = call.tool_names
    assert {short: long} == call.tool_names
    assert [short] * 4 == [
        body["tools"][0]["function"]["name"],
        body["tool_choice"]["allowed_tools"]["tools"][0]["function"]["name"],
        body["messages"][1]["function_call"]["name"],
        body["messages"][2]["name"],
    ]
    assert [("changed", "tools.name")] == noted(call)


def test_arguments_that_are_an_object_go_up_as_text() -> None:
    """Mistral's SDKs send them so."""
    calling = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    messages = [
        *HI,
        {"role": "assistant", "tool_calls": [calling]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
    ]
    body = arrived(Rules(call_id=Names("a-z0-9", 9, 9)), messages=messages)
    (call,) = body["messages"][1]["tool_calls"]
    assert '{"a":1}' == call["function"]["arguments"]
    assert call["id"] == body["messages"][2]["tool_call_id"]
    assert 9 == len(call["id"])


def test_keys_of_messages_that_are_not_taken_are_left_out() -> None:
    """A note tells of those that said something."""
    message = {"role": "user", "content": "hi", "name": "bob", "weight": None}
    rules = Rules(only_in_messages=("role", "content", "name"), refused_in_messages=("name",))
    call = sent(rules, messages=[message])
    assert [{"role": "user", "content": "hi"}] == json.loads(call.body)["messages"]
    assert [("dropped", "messages.refused")] == noted(call)


def test_reasoning_of_another_vendor_is_left_out() -> None:
    own = {"type": "reasoning.text", "text": "a", "format": "xai-responses-v1"}
    foreign = {"type": "reasoning.text", "text": "b", "format": "google-gemini-v1"}
    unknown = {"type": "reasoning.text", "text": "c"}
    messages = [
        *HI,
        {"role": "assistant", "content": "x", "reasoning_details": [own, foreign, unknown]},
        *HI,
    ]
    call = sent(Rules(proofs="xai-responses-v1"), messages=messages)
    assert [own, unknown] == json.loads(call.body)["messages"][1]["reasoning_details"]
    assert [("dropped", "messages.reasoning")] == noted(call)


def test_kinds_of_tools_that_the_operator_refuses_are_left_out() -> None:
    """Where none is left, so is the key."""
    tools = [{"type": "web_search"}, {"type": "web_search_premium"}]
    call = sent(Rules(refuse=("web_search",)), tools=tools)
    assert "tools" not in json.loads(call.body)
    assert ("dropped", "refuse") in noted(call)


def test_what_the_operator_refuses_is_not_said_to_one_vendor_alone() -> None:
    """Gemini and relays read `extra_body` and `google` as if they stood in the body."""
    said = {"cachedContent": "c", "tools": [{"google_search": {}}], "safety_settings": []}
    left = {"tools": [], "safety_settings": []}
    rules = Rules(refuse=("googleSearch", "cached_content"))
    call = sent(rules, extra_body={"google": said, "store": True}, google=said)
    body = json.loads(call.body)
    assert {"google": left, "store": True} == body["extra_body"]
    assert left == body["google"]
    assert [("dropped", "refuse")] * 2 == noted(call)
    untouched = {"extra_body": {"google": said}}
    assert untouched["extra_body"] == arrived(Rules(), **untouched)["extra_body"]


def test_empty_lists_of_tools_and_calls_are_left_out() -> None:
    """OpenAI refuses them, and a choice among no tools; they say nothing."""
    messages = [*HI, {"role": "assistant", "content": "x", "tool_calls": []}, *HI]
    call = sent(
        Rules(), messages=messages, tools=[], tool_choice="auto", parallel_tool_calls=True, seed=1
    )
    body = json.loads(call.body)
    assert {"model", "messages", "stream", "stream_options", "seed"} == body.keys()
    assert {"role": "assistant", "content": "x"} == body["messages"][1]
    assert [] == noted(call)
