"""A client's body to a request: items, tools, what is refused, and what is noted."""

from typing import Any

import pytest

from proxy.codec.base import Incoming
from proxy.codec.proofs import ANTHROPIC, OPENAI, carried
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
    Cache,
    DocumentPart,
    ImagePart,
    Message,
    Reasoning,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from tests.dialects.answers import params
from tests.dialects.openai_responses import emit
from tests.dialects.openai_responses.emit import parsed

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def turns(*items: Any) -> list[Message]:
    return parsed(input=list(items)).request.messages


def refused(**body: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        parsed(**body)
    failure = caught.value.failure
    assert ("bad_request", 400) == (failure.kind, failure.status)
    return str(failure.param), failure.message


def test_text_is_one_turn() -> None:
    got = parsed(stream=True)
    assert ([Message("user", "hi")], True, None) == (
        got.request.messages,
        got.request.stream,
        got.request.system,
    )
    assert () == got.notes


def test_every_setting() -> None:
    got = parsed(
        instructions="Be brief.",
        max_output_tokens=99,
        temperature=0.5,
        top_p=0.9,
        tools=[
            {
                "type": "function",
                "name": "weather",
                "description": "W",
                "parameters": SCHEMA,
                "strict": True,
            }
        ],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}},
        user="u1",
        metadata={"a": "b"},
        store=False,
        include=["reasoning.encrypted_content"],
    )
    request = got.request
    assert ("Be brief.", 99, 0.5, 0.9, "u1") == (
        request.system,
        request.max_tokens,
        request.temperature,
        request.top_p,
        request.user,
    )
    assert [ToolSpec("weather", "W", SCHEMA, True)] == request.tools
    assert ToolChoice("tool", "weather", False) == request.tool_choice
    assert (Reasoning("low", summary="auto"), {"a": "b"}) == (request.reasoning, request.metadata)
    assert {
        "type": "json_schema",
        "json_schema": {"name": "city", "schema": SCHEMA, "strict": True},
    } == request.response_format
    assert () == got.notes


def test_items_are_turns() -> None:
    """What the assistant said, thought and called in a row is one turn."""
    got = parsed(
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "Be kind."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What?"},
                    {"type": "input_image", "image_url": "https://a.example/b.png"},
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm."}],
                "encrypted_content": "sig",
            },
            {
                "type": "message",
                "id": "m",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "See.", "annotations": []}],
            },
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "weather",
                "arguments": '{"a":1}',
            },
            {"type": "function_call", "call_id": "call_2", "name": "time", "arguments": ""},
            {"type": "function_call_output", "call_id": "call_1", "output": "21"},
            {
                "type": "function_call_output",
                "call_id": "call_2",
                "output": [
                    {"type": "input_text", "text": "no"},
                    {"type": "input_text", "text": "on"},
                ],
            },
            {"role": "assistant", "content": "It is 21."},
            {"role": "system", "content": [{"type": "input_text", "text": "Hurry."}]},
            {"role": "user", "content": [{"type": "input_text", "text": "Thanks."}]},
        ],
    )
    assert "Be brief.\n\nBe kind." == got.request.system
    assert [
        Message("user", [TextPart("What?"), ImagePart("https://a.example/b.png")]),
        Message(
            "assistant",
            [
                ReasoningPart("Hm.", "sig", format=OPENAI, id="rs_1"),
                TextPart("See."),
                ToolCallPart("call_1", "weather", '{"a":1}'),
                ToolCallPart("call_2", "time", ""),
            ],
        ),
        Message("tool", [ToolResultPart("call_1", "21")]),
        Message("tool", [ToolResultPart("call_2", "noon")]),
        Message("assistant", "It is 21."),
        Message("system", "Hurry."),
        Message("user", "Thanks."),
    ] == got.request.messages
    assert () == got.notes


def test_reasoning_is_read_from_where_it_stands() -> None:
    """Raw where there is no summary; encrypted alone; and nothing at all is nothing."""
    raw = {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "raw"}],
    }
    assert [
        Message("assistant", [ReasoningPart("raw"), ReasoningPart("", "sig", format=OPENAI)])
    ] == turns(
        raw,
        {"type": "reasoning", "summary": [], "encrypted_content": "sig"},
        {"type": "reasoning", "summary": []},
    )


def test_refusals_and_custom_tools_are_carried_as_what_is_nearest() -> None:
    got = parsed(
        input=[
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"type": "custom_tool_call", "call_id": "c1", "name": "sql", "input": "SELECT 1"},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "1"},
        ]
    )
    first, second = got.request.messages
    call = ToolCallPart("c1", "sql", '{"input":"SELECT 1"}', custom=True)
    assert [TextPart("No."), call] == first.parts
    assert [ToolResultPart("c1", "1")] == second.parts
    assert () == got.notes


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ({"tool_choice": "required"}, ToolChoice("required")),
        ({"tool_choice": "none", "parallel_tool_calls": True}, ToolChoice("none", None, True)),
        ({"parallel_tool_calls": False}, ToolChoice("auto", None, False)),
        ({}, None),
        ({"tool_choice": {"type": "web_search_preview"}}, None),
    ],
)
def test_tool_choices(said: dict[str, Any], choice: ToolChoice | None) -> None:
    assert choice == parsed(**said).request.tool_choice


def test_allowed_tools_leave_the_others_out() -> None:
    tools = [{"type": "function", "name": name} for name in ("a", "b")]
    got = parsed(
        tools=tools,
        tool_choice={
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "b"}],
        },
    )
    assert (["b"], ToolChoice("required")) == (
        [tool.name for tool in got.request.tools],
        got.request.tool_choice,
    )
    assert {"tool_choice"} == params(got.notes)


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"include": ["code_interpreter_call.outputs"]}, "include"),
        ({"truncation": "auto"}, "truncation"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"reasoning": {"effort": "boundless"}}, "reasoning.effort"),
        ({"reasoning": {"effort": "low", "context": "all"}}, "reasoning"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format"),
        ({"tools": [{"type": "web_search"}, {"type": "mcp", "server_label": "x"}]}, "tools"),
        ({"tools": [{"type": "function", "name": "f", "defer_loading": True}]}, "tools.options"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_video"}]}]},
            "input.unknown_part",
        ),
        ({"input": [{"role": "user", "content": "a", "odd": 1}]}, "input.other_keys"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        (
            {"input": [{"type": "web_search_call", "id": "ws"}, {"role": "user", "content": "a"}]},
            "input.server_tools",
        ),
        ({"shiny": True}, "unknown_key"),
    ],
)
def test_what_cannot_be_carried_is_noted(said: dict[str, Any], param: str) -> None:
    """Once."""
    assert [param] == [note.param for note in parsed(**said).notes]


@pytest.mark.parametrize(
    "said",
    [
        {
            "service_tier": "auto",
            "truncation": "disabled",
            "top_logprobs": 0,
            "store": False,
            "background": False,
        },
        {
            "previous_response_id": None,
            "conversation": None,
            "text": {"verbosity": "medium", "format": {"type": "text"}},
        },
        {"stream_options": {"include_obfuscation": False}, "reasoning": {"effort": None}},
    ],
)
def test_what_asks_for_nothing_is_not_noted(said: dict[str, Any]) -> None:
    assert () == parsed(**said).notes


@pytest.mark.parametrize(
    ("said", "param", "words"),
    [
        ({"input": ""}, "input", "at least one item"),
        ({"input": []}, "input", "at least one item"),
        ({"input": 5}, "input", "must be"),
        ({"model": None}, "model", "must be"),
        ({"max_output_tokens": 0}, "max_output_tokens", "must be"),
        ({"input": [{"type": 5}]}, "input[0].type", "must be text"),
        ({"input": [{"role": "user"}]}, "input[0].content", "is required"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input[0].content[0].text",
            "is required",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "input[0].content[0].image_url",
            "is required",
        ),
        ({"input": [{"type": "function_call", "name": "x"}]}, "input[0].call_id", "is required"),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "is required"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name", "is required"),
        (
            {"text": {"format": {"type": "json_schema", "name": "a"}}},
            "text.format.schema",
            "is required",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_name(said: dict[str, Any], param: str, words: str) -> None:
    named, message = refused(**said)
    assert param == named
    assert words in message


@pytest.mark.parametrize(
    ("said", "param", "words"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "send the whole input"),
        ({"previous_response_id": "resp_1", "input": None}, "previous_response_id", "whole"),
        ({"conversation": "conv_1"}, "conversation", "send the whole input"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt", "send the prompt itself"),
        ({"background": True}, "background", "streams.resume"),
        ({"background": True, "stream": True}, "background", "streams.resume"),
        ({"input": [{"type": "item_reference", "id": "rs_1"}]}, "input[0]", "send the item itself"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0].file_id",
            "image_url",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0].file_id",
            "file_data",
        ),
    ],
)
def test_what_the_vendor_keeps_can_only_be_relayed(
    said: dict[str, Any], param: str, words: str
) -> None:
    """An upstream of this dialect is asked; to another one the request does not go."""
    only = parsed(**said).request.only_relayed
    assert only is not None
    assert param == only.param
    assert words in only.message


def test_media_of_turns_and_of_results() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,aa", "detail": "high"}
    user, result = turns(
        {
            "role": "user",
            "content": [
                {"type": "input_file", "file_data": "JVBE", "filename": "a.pdf"},
                {"type": "input_file", "file_url": "https://a.example/b.pdf"},
                {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            ],
        },
        {"type": "function_call_output", "call_id": "c", "output": [picture]},
    )
    assert [
        DocumentPart("data:application/pdf;base64,JVBE", "a.pdf"),
        DocumentPart("https://a.example/b.pdf"),
        AudioPart("data:audio/wav;base64,UklG"),
    ] == user.parts
    assert [ToolResultPart("c", [ImagePart("data:image/png;base64,aa", "high")])] == result.parts


def test_marks_for_the_cache() -> None:
    mark = {"mode": "explicit", "ttl": "12h"}
    got = parsed(
        instructions="A.",
        input=[
            {
                "role": "developer",
                "content": [{"type": "input_text", "text": "B.", "prompt_cache_breakpoint": mark}],
            },
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "hi", "prompt_cache_breakpoint": mark}],
            },
        ],
    ).request
    assert [TextPart("A."), TextPart("B.", Cache("12h"))] == got.system_parts
    assert [Message("user", [TextPart("hi", Cache("12h"))])] == got.messages


def test_settings_that_only_some_vendors_know() -> None:
    request = parsed(
        text={"verbosity": "low"},
        service_tier="flex",
        store=True,
        prompt_cache_key="k",
        safety_identifier="s",
        include=["message.output_text.logprobs"],
        top_logprobs=2,
        reasoning={"effort": "xhigh", "summary": "detailed"},
    ).request
    assert ("low", "flex", True, "k", "s", True, 2, Reasoning("xhigh", summary="detailed")) == (
        request.verbosity,
        request.service_tier,
        request.store,
        request.cache_key,
        request.safety_identifier,
        request.logprobs,
        request.top_logprobs,
        request.reasoning,
    )


def test_tools_may_come_as_an_item_and_under_a_namespace() -> None:
    """As Codex sends them. Names that two tools have are told apart."""

    def space(name: str, *tools: dict[str, Any]) -> dict[str, Any]:
        return {"type": "namespace", "name": name, "description": "", "tools": list(tools)}

    run = {"type": "custom", "name": "run", "format": {"type": "text"}}
    wait = {"type": "function", "name": "wait", "parameters": SCHEMA}
    got = parsed(
        input=[
            {
                "type": "additional_tools",
                "role": "developer",
                "tools": [space("a", run, wait), space("b", wait)],
            },
            {"role": "user", "content": "go"},
            {
                "type": "function_call",
                "call_id": "c",
                "name": "wait",
                "namespace": "b",
                "arguments": "{}",
            },
        ],
        tool_choice={"type": "function", "name": "wait", "namespace": "a"},
    )
    assert ["run", "a__wait", "b__wait"] == [tool.name for tool in got.request.tools]
    assert [{}, None, None] == [tool.custom for tool in got.request.tools]
    assert ToolChoice("tool", "a__wait") == got.request.tool_choice
    assert ToolCallPart("c", "b__wait", "{}") == got.request.messages[1].parts[0]
    assert {"tools.namespace"} == params(got.notes)


def test_a_proof_says_whose_it_is() -> None:
    (turn,) = turns({"type": "reasoning", "encrypted_content": carried("S", ANTHROPIC, OPENAI)})
    assert [ReasoningPart("", "S", format=ANTHROPIC)] == turn.parts


def test_the_request_itself_is_kept() -> None:
    """With the headers that belong to it, and no others."""
    body = b'{"odd":1,"model":"fast","input":"hi"}'
    headers = {"openai-beta": "x=1", "authorization": "Bearer k", "cookie": "c"}
    original = emit.CLIENT.parse_request(Incoming("POST", {}, {}, headers, body)).request.original
    assert original is not None
    assert (["odd", "model", "input"], {"openai-beta": "x=1"}) == (
        list(original.body),
        original.headers,
    )


def test_tools_that_a_search_has_found_may_be_called() -> None:
    """Clients that keep many tools send those that a search found with its result alone."""
    found = {"type": "namespace", "name": "mail", "tools": [{"type": "function", "name": "send"}]}
    search = {"type": "tool_search_call", "call_id": "s", "arguments": {"query": "mail"}}
    output = {"type": "tool_search_output", "call_id": "s", "tools": [found]}
    got = parsed(input=[{"role": "user", "content": "hi"}, search, output]).request
    assert ["send"] == [tool.name for tool in got.tools]
