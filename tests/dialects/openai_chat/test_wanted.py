"""What is wanted of the answer, as the target can be asked for it."""

import json
from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.codec.halves import UpstreamHalf
from proxy.codec.relaying import built
from proxy.codec.rules import Rules
from proxy.dialects.openai_chat import DIALECT
from proxy.request import ChatRequest, Message, ToolCallPart, ToolChoice, ToolResultPart, ToolSpec
from tests.dialects.openai_chat.test_relay_rules import HI, arrived, noted, sent

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
BY_SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
TOOLS = [{"type": "function", "function": {"name": "get"}}]
NAMED = {"type": "function", "function": {"name": "get"}}


def upstream() -> UpstreamHalf:
    assert DIALECT.upstream is not None
    return DIALECT.upstream


@pytest.mark.parametrize(
    "messages", [HI, [{"role": "system", "content": "Be brief."}, *HI]], ids=["none", "a system"]
)
def test_a_schema_that_cannot_be_asked_for_is_told_to_the_model(messages: Any) -> None:
    call = sent(Rules(answer_forms=("json_object",)), messages=messages, response_format=BY_SCHEMA)
    body = json.loads(call.body)
    assert {"type": "json_object"} == body["response_format"]
    first = body["messages"][0]
    assert ("system", True) == (first["role"], '"city"' in first["content"])
    assert first["content"].startswith("Be brief." if messages is not HI else "Answer with")
    assert HI == body["messages"][1:]
    assert [("changed", "response_format.json_schema")] == noted(call)


def test_json_that_cannot_be_asked_for_is_told_to_the_model() -> None:
    call = sent(Rules(answer_forms=("json_schema",)), response_format={"type": "json_object"})
    body = json.loads(call.body)
    assert ("system", False) == (body["messages"][0]["role"], "response_format" in body)
    assert [("changed", "response_format")] == noted(call)


@pytest.mark.parametrize("forms", [(), ("json_schema",), ("json_object", "json_schema")])
def test_a_form_that_is_taken_stays(forms: Any) -> None:
    body = arrived(Rules(answer_forms=forms), response_format=BY_SCHEMA)
    assert (BY_SCHEMA, HI) == (body["response_format"], body["messages"])


@pytest.mark.parametrize(
    ("rules", "asked", "choice"),
    [
        (Rules(), {}, "required"),
        (Rules(forces_tools=False), {}, None),
        (Rules(forces_tools_thinking=False), {}, "required"),
        (Rules(forces_tools_thinking=False), {"enable_thinking": True}, None),
        (Rules(forces_tools_thinking=False), {"enable_thinking": False}, "required"),
        (Rules(forces_tools_thinking=False), {"thinking": {"type": "enabled"}}, None),
        (Rules(forces_tools_thinking=False), {"thinking": {"type": "disabled"}}, "required"),
        (Rules(forces_tools_thinking=False), {"reasoning_effort": "low"}, None),
        (Rules(forces_tools_thinking=False), {"reasoning_effort": "none"}, "required"),
    ],
)
def test_who_cannot_be_told_to_call_a_tool_is_not(rules: Rules, asked: Any, choice: Any) -> None:
    call = sent(rules, tools=TOOLS, tool_choice="required", **asked)
    assert choice == json.loads(call.body).get("tool_choice")
    assert ([] if choice else [("dropped", "tool_choice")]) == noted(call)
    named = arrived(rules, tools=TOOLS, tool_choice=NAMED, **asked)
    assert (choice and NAMED) == named.get("tool_choice")
    assert "auto" == arrived(rules, tools=TOOLS, tool_choice="auto", **asked)["tool_choice"]


def test_both_hold_for_a_request_that_is_built() -> None:
    rules = Rules(answer_forms=("json_object",), forces_tools=False)
    request = ChatRequest(
        model="m",
        messages=[Message("user", "hi")],
        tools=[ToolSpec("get")],
        tool_choice=ToolChoice("required"),
        response_format=BY_SCHEMA,
    )
    body = json.loads(built(upstream(), request, TargetConfig("up", "m", rules=rules)).body)
    assert ({"type": "json_object"}, False) == (body["response_format"], "tool_choice" in body)


@pytest.mark.parametrize(("alone", "left"), [(None, 2), (True, 2), (False, 0)])
def test_what_chooses_among_no_tools_is_left_out_where_it_is_refused(alone: Any, left: int) -> None:
    body = arrived(Rules(choice_alone=alone), tool_choice="auto", parallel_tool_calls=True)
    assert left == len({"tools", "tool_choice", "parallel_tool_calls"} & body.keys())


@pytest.mark.parametrize(
    ("said", "readable"),
    [("", "{}"), ('{"a":1}', '{"a":1}'), ('{"a":', r'{"arguments":"{\"a\":"}'), ("[1]", '{"arguments":"[1]"}')],
)  # fmt: skip
def test_arguments_of_earlier_calls_can_be_read_by_who_reads_them(said: str, readable: str) -> None:
    rules = Rules(reads_arguments=True)
    call = {"id": "c", "type": "function", "function": {"name": "get", "arguments": said}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c", "content": "1"}
    relayed = arrived(rules, messages=[*HI, turn, result])["messages"][1]
    assert readable == relayed["tool_calls"][0]["function"]["arguments"]
    request = ChatRequest(
        model="m",
        messages=[
            Message("user", "hi"),
            Message("assistant", [ToolCallPart("c", "get", said)]),
            Message("tool", [ToolResultPart("c", "1")]),
        ],
    )
    body = json.loads(built(upstream(), request, TargetConfig("up", "m", rules=rules)).body)
    assert readable == body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    kept = arrived(Rules(), messages=[*HI, turn, result])["messages"][1]
    assert (said or "{}") == kept["tool_calls"][0]["function"]["arguments"]
