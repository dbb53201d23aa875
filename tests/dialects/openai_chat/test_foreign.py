"""What a client says in the words of another API reaches a vendor of this one in its own."""

import json
from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.openai_chat import DIALECT
from proxy.dialects.openai_chat.foreign import in_own_words
from tests.dialects.openai_chat.test_relay_rules import incoming

SCHEMA = {"type": "object", "properties": {"c": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"name": "get", "description": "d", "parameters": SCHEMA}}  # fmt: skip
DATA = "data:image/png;base64,iVBOR"
CALL = {"id": "c1", "type": "function", "function": {"name": "get", "arguments": "{}"}}
MARK = {"type": "ephemeral"}


def user(*content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(content)}]


def assistant(**said: Any) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": None, **said}]


@pytest.mark.parametrize(
    ("key", "said", "meant"),
    [
        # tools: of Anthropic, and of the Responses API
        ("tools", [{"name": "get", "description": "d", "input_schema": SCHEMA}], [FUNCTION]),
        ("tools", [{"type": "custom", "name": "get", "description": "d", "input_schema": SCHEMA}], [FUNCTION]),
        ("tools", [{"type": "function", "name": "get", "description": "d", "parameters": SCHEMA}], [FUNCTION]),
        (
            "tools",
            [{"type": "function", "name": "get", "strict": True, "cache_control": MARK}],
            [{"type": "function", "function": {"name": "get", "strict": True}, "cache_control": MARK}],
        ),
        (
            "tools",
            [{"type": "custom", "name": "patch", "format": {"type": "text"}}],
            [{"type": "custom", "custom": {"name": "patch", "format": {"type": "text"}}}],
        ),
        # choices
        ("tool_choice", "any", "required"),
        ("tool_choice", {"type": "any"}, "required"),
        ("tool_choice", {"type": "auto"}, "auto"),
        ("tool_choice", {"type": "tool", "name": "get"}, {"type": "function", "function": {"name": "get"}}),
        ("tool_choice", {"type": "function", "name": "get"}, {"type": "function", "function": {"name": "get"}}),
        ("tool_choice", {"type": "custom", "name": "get"}, {"type": "custom", "custom": {"name": "get"}}),
        # parts
        ("messages", user("hi"), user({"type": "text", "text": "hi"})),
        ("messages", user({"type": "input_text", "text": "hi"}), user({"type": "text", "text": "hi"})),
        (
            "messages",
            user({"type": "input_image", "image_url": DATA, "detail": "low"}),
            user({"type": "image_url", "image_url": {"url": DATA, "detail": "low"}}),
        ),
        (
            "messages",
            user({"type": "image_url", "image_url": DATA, "cache_control": MARK}),
            user({"type": "image_url", "image_url": {"url": DATA}, "cache_control": MARK}),
        ),
        (
            "messages",
            user({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}, "cache_control": MARK}),
            user({"type": "image_url", "image_url": {"url": DATA}, "cache_control": MARK}),
        ),
        (
            "messages",
            user({"type": "image", "source": {"type": "url", "url": "https://a.example/x"}}),
            user({"type": "image_url", "image_url": {"url": "https://a.example/x"}}),
        ),
        (
            "messages",
            user({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}}),
            user({"type": "text", "text": "hi"}),
        ),
        (
            "messages",
            user({"type": "document", "title": "a.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}),
            user({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}),
        ),
        (
            "messages",
            user({"type": "input_file", "filename": "a.pdf", "file_url": "https://a.example/a.pdf"}),
            user({"type": "file", "file": {"filename": "a.pdf", "file_data": "https://a.example/a.pdf"}}),
        ),
        # calls and results
        (
            "messages",
            assistant(content=[{"type": "text", "text": "x"}, {"type": "tool_use", "id": "c1", "name": "get", "input": {}}]),
            assistant(content=[{"type": "text", "text": "x"}], tool_calls=[CALL]),
        ),
        (
            "messages",
            assistant(content=[{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "tool_use", "id": "c1", "name": "get"}]),
            assistant(thinking_blocks=[{"type": "thinking", "thinking": "hm", "signature": "s"}], tool_calls=[CALL]),
        ),
        (
            "messages",
            user({"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]}, {"type": "text", "text": "go"}),
            [{"role": "tool", "tool_call_id": "c1", "content": "4\n2"}, *user({"type": "text", "text": "go"})],
        ),
        (
            "messages",
            user({"type": "tool_result", "tool_use_id": "c1"}),
            [{"role": "tool", "tool_call_id": "c1", "content": ""}],
        ),
        (
            "messages",
            user({"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "image", "source": {"type": "url", "url": "https://a.example/x"}}]}),
            [{"role": "tool", "tool_call_id": "c1", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/x"}}]}],
        ),
        ("messages", assistant(tool_calls=[{"id": "c1", "function": {"name": "get", "arguments": None}}]), assistant(tool_calls=[CALL])),
        ("messages", assistant(tool_calls=[{"id": "c1", "type": "function", "function": {"name": "get", "arguments": ""}}]), assistant(tool_calls=[CALL])),
        (
            "messages",
            [{"role": "tool", "tool_call_id": "c1", "content": None}],
            [{"role": "tool", "tool_call_id": "c1", "content": ""}],
        ),
        (
            "messages",
            [{"role": "tool", "tool_call_id": "c1", "content": {"t": 1}}],
            [{"role": "tool", "tool_call_id": "c1", "content": '{"t":1}'}],
        ),
    ],
)  # fmt: skip
def test_another_apis_words_are_said_in_this_ones(key: str, said: Any, meant: Any) -> None:
    before = json.dumps(said)
    body = in_own_words({"model": "m", key: said})
    assert {"model": "m", key: meant} == body
    assert before == json.dumps(said), "what the client sent was changed in place"
    assert body is in_own_words(body), "this API's own words are changed no more"


def test_a_body_in_this_apis_words_is_the_very_same() -> None:
    body = {
        "messages": [
            *user({"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": DATA}}),
            *assistant(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]),
            *assistant(tool_calls=[CALL, {"id": "c2", "type": "custom", "custom": {"name": "p"}}]),
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
            "no message",
        ],
        "tools": [FUNCTION, {"type": "web_search"}, {"type": "mcp", "server_label": "x"}],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
    }  # fmt: skip
    assert body is in_own_words(body)


def test_it_reaches_a_vendor_of_this_dialect_so() -> None:
    tools = [{"name": "get", "description": "d", "input_schema": SCHEMA}]
    messages = [
        *user("hi"),
        *assistant(content=[{"type": "tool_use", "id": "c1", "name": "get", "input": {}}]),
        *user({"type": "tool_result", "tool_use_id": "c1", "content": "42"}),
    ]
    assert DIALECT.client is not None
    assert DIALECT.upstream is not None
    parsed = DIALECT.client.parse_request(incoming(messages=messages, tools=tools))
    call = built(DIALECT.upstream, parsed.request, TargetConfig("up", "m"))
    body = json.loads(call.body)
    assert [FUNCTION] == body["tools"]
    assert ["user", "assistant", "tool"] == [each["role"] for each in body["messages"]]
    assert () == parsed.notes
