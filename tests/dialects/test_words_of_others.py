"""A client's body in which something stands in another API's words: it reaches the vendor in those
of its own, whether the vendor speaks the client's dialect or not.
"""

from typing import Any

import pytest

from proxy.errors import Refused
from tests.dialects.asking import HI, ask

_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
_PIXEL = "iVBORw0KGgo="
_PICTURE = f"data:image/png;base64,{_PIXEL}"
_PDF = "data:application/pdf;base64,AAAA"
_FUNCTION = {"name": "f", "description": "d", "parameters": _SCHEMA}
_LARK = {"syntax": "lark", "definition": "start: /x/"}

# A conversation with a tool in the words of each API, in the body of a client of each.
_RESPONSES: dict[str, Any] = {
    "instructions": "be brief",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": _PICTURE},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "x"},
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "43"},
    ],
    "tools": [
        {"type": "function", **_FUNCTION},
        {"type": "custom", "name": "g", "format": {"type": "grammar", **_LARK}},
    ],
    "tool_choice": {"type": "function", "name": "f"},
    "max_output_tokens": 50,
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {
        "format": {"type": "json_schema", "name": "n", "schema": _SCHEMA},
        "verbosity": "low",
    },
}
_CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": _PICTURE}},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "ok"}],
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "x"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
        {"role": "tool", "tool_call_id": "call_2", "content": "43"},
    ],
    "tools": [
        {"type": "function", "function": _FUNCTION},
        {
            "type": "custom",
            "custom": {"name": "g", "format": {"type": "grammar", "grammar": _LARK}},
        },
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "max_completion_tokens": 50,
    "reasoning_effort": "low",
}


def test_a_body_of_the_responses_api_at_chat_completions() -> None:
    """As Cursor sends it for models of OpenAI's."""
    sent = ask("openai_chat", {"model": "m", **_RESPONSES}, "openai", "gpt-5")
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "x"}},
    ]
    assert [
        *_CHAT["messages"][:2],
        {**_CHAT["messages"][2], "tool_calls": calls},
        *_CHAT["messages"][3:],
    ] == sent.body["messages"]
    assert _CHAT["tools"] == sent.body["tools"]
    assert _CHAT["tool_choice"] == sent.body["tool_choice"]
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": _SCHEMA}}
    assert (form, "low", "low", 50) == tuple(
        sent.body[key]
        for key in (
            "response_format",
            "verbosity",
            "reasoning_effort",
            "max_completion_tokens",
        )
    )
    assert sent.body.keys().isdisjoint({"input", "instructions", "text", "max_output_tokens"})


def test_a_plain_input_is_what_the_user_says() -> None:
    """Over another dialect too; a call without a turn before it is a turn."""
    body = {"model": "m", "input": "hi", "text": {"format": {"type": "json_object"}}}
    assert [HI] == ask("openai_chat", body, "openai", "gpt-4o").body["messages"]
    assert [HI] == ask("openai_chat", body, "anthropic", "claude-sonnet-4-5").body["messages"]
    called = {**body, "input": [HI, _RESPONSES["input"][3], _RESPONSES["input"][5]]}
    roles = [m["role"] for m in ask("openai_chat", called, "openai", "gpt-4o").body["messages"]]
    assert ["user", "assistant", "tool"] == roles


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": ["hi"]}, "messages[0]"),
        ({"input": 1}, "messages"),
    ],
)
def test_an_input_that_says_less_than_a_conversation_is_refused(
    more: dict[str, Any], param: str
) -> None:
    with pytest.raises(Refused) as refused:
        ask("openai_chat", {"model": "m", "input": "hi", **more}, "openai", "gpt-4o")
    assert ("bad_request", param) == (refused.value.failure.kind, refused.value.failure.param)


def test_anthropics_system_and_stops_at_chat_completions() -> None:
    said = {"system": [{"type": "text", "text": "be brief"}], "stop_sequences": ["x"]}
    sent = ask("openai_chat", {"model": "m", "messages": [HI], **said}, "openai", "gpt-4o")
    assert [{"role": "system", "content": said["system"]}, HI] == sent.body["messages"]
    assert (["x"], False) == (sent.body["stop"], "stop_sequences" in sent.body)


def test_a_body_of_chat_completions_at_responses() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": _SCHEMA}}
    body = {"model": "m", **_CHAT, "response_format": form}
    sent = ask("openai_responses", body, "openai-responses", "gpt-5")
    wanted = _RESPONSES["input"]
    assert [
        {"role": "system", "content": "be brief"},
        wanted[0],
        wanted[2],
        {**wanted[3], "arguments": "{}"},
        *wanted[4:],
    ] == sent.body["input"]
    first, second = _RESPONSES["tools"]
    assert [{**first, "strict": False}, second] == sent.body["tools"]
    assert (_RESPONSES["tool_choice"], 50) == (
        sent.body["tool_choice"],
        sent.body["max_output_tokens"],
    )
    assert {"effort": "low"} == sent.body["reasoning"]
    assert {"format": _RESPONSES["text"]["format"]} == sent.body["text"]


def test_parts_of_chat_completions_within_responses_items() -> None:
    """Texts alone, a picture by its address, a file; calls whose arguments are no text."""
    said = [
        "a",
        {"type": "image_url", "image_url": _PICTURE},
        {"type": "image_url", "image_url": {"url": _PICTURE, "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": _PDF}},
    ]
    call = {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}
    turns = [
        {"role": "user", "content": said},
        {"role": "assistant", "content": ["b"]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": None},
    ]
    body = {"model": "m", "input": turns, "tool_choice": {"type": "auto"}}
    sent = ask("openai_responses", body, "openai-responses", "gpt-5")
    picture = {"type": "input_image", "image_url": _PICTURE}
    heard = [
        {"type": "input_text", "text": "a"},
        picture,
        {**picture, "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": _PDF},
    ]
    assert [
        {"role": "user", "content": heard},
        {"role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "c", "output": ""},
    ] == sent.body["input"]
    assert "auto" == sent.body["tool_choice"]


def test_a_body_of_chat_completions_at_messages() -> None:
    """The results of one turn are one turn."""
    more = {"parallel_tool_calls": False, "stop": "x"}
    messages = [*_CHAT["messages"], HI]
    tools = _CHAT["tools"][:1]
    body = {"model": "m", **_CHAT, "messages": messages, "tools": tools, **more}
    del body["reasoning_effort"]
    sent = ask("anthropic", body, "anthropic", "claude-sonnet-4-5").body
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "42"}
    picture = {"type": "base64", "media_type": "image/png", "data": _PIXEL}
    assert [
        _CHAT["messages"][0],
        {
            "role": "user",
            "content": [{"type": "text", "text": "look"}, {"type": "image", "source": picture}],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "ok"},
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {}},
            ],
        },
        {"role": "user", "content": [result, {**result, "tool_use_id": "call_2", "content": "43"}]},
        HI,
    ] == sent["messages"]
    spec = {"name": "f", "description": "d", "input_schema": _SCHEMA}
    assert [spec] == sent["tools"]
    choice = {"type": "tool", "name": "f", "disable_parallel_tool_use": True}
    assert (choice, ["x"], 50) == (sent["tool_choice"], sent["stop_sequences"], sent["max_tokens"])
    assert sent.keys().isdisjoint({"stop", "parallel_tool_calls", "max_completion_tokens"})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ({"type": "required"}, {"type": "any"}),
        ({"type": "function", "name": "f"}, {"type": "tool", "name": "f"}),
        ({"type": "any"}, {"type": "any"}),
    ],
)
def test_a_choice_in_openais_words_at_messages(said: Any, meant: dict[str, Any]) -> None:
    tool = {"type": "function", "name": "f"}
    body = {"model": "m", "max_tokens": 9, "messages": [HI], "tools": [tool], "tool_choice": said}
    sent = ask("anthropic", body, "anthropic", "claude-sonnet-4-5").body
    assert meant == sent["tool_choice"]
    assert [{"name": "f", "input_schema": {"type": "object", "properties": {}}}] == sent["tools"]


def test_parts_and_arguments_of_chat_completions_within_messages() -> None:
    """Texts alone, addresses, files; arguments that are no object are wrapped in one."""
    mark = {"type": "ephemeral"}
    said = [
        "a",
        {"type": "input_text", "text": "b", "cache_control": mark},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": _PDF}},
    ]
    names = ("arguments", "oops", "[1]", {"a": 1})
    calls = [
        {"id": f"c{at}", "type": "function", "function": {"name": "f", "arguments": text}}
        for at, text in enumerate(names)
    ]
    turns = [
        {"role": "user", "content": said},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c0", "content": [{"type": "text", "text": "r"}]},
    ]
    body = {"model": "m", "max_tokens": 9, "messages": turns, "parallel_tool_calls": True}
    sent = ask("anthropic", body, "anthropic", "claude-sonnet-4-5").body
    document = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    assert [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", "cache_control": mark},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "document", "source": document, "title": "a.pdf"},
    ] == sent["messages"][0]["content"]
    inputs = [block["input"] for block in sent["messages"][1]["content"]]
    assert [
        {"arguments": "arguments"},
        {"arguments": "oops"},
        {"arguments": [1]},
        {"a": 1},
    ] == inputs
    assert [{"type": "text", "text": "r"}] == sent["messages"][2]["content"][0]["content"]
    assert "parallel_tool_calls" not in sent


@pytest.mark.parametrize("client", ["anthropic", "openai_responses"])
def test_what_is_no_conversation_is_refused_as_ever(client: str) -> None:
    key = {"anthropic": "messages", "openai_responses": "input"}[client]
    for said in (["hi"], [{"content": "x"}], 1):
        with pytest.raises(Refused):
            ask(client, {"model": "m", "max_tokens": 9, key: said}, "groq", "m")


def test_anthropics_form_of_the_answer_in_its_earlier_place() -> None:
    form = {"type": "json_schema", "schema": _SCHEMA}
    body = {"model": "m", "max_tokens": 9, "messages": [HI], "output_format": form}
    sent = ask("anthropic", body, "groq", "m").body["response_format"]
    assert _SCHEMA == sent["json_schema"]["schema"]
    assert form == ask("anthropic", body, "anthropic", "claude-opus-4-5").body["output_format"]
