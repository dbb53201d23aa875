"""Native requests: strict, and every refusal names the field."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from proxy.codec.base import Incoming
from proxy.dialects.native import DIALECT
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
    Cache,
    ChatRequest,
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

HI = {"role": "user", "content": "hi"}


def post(body: bytes) -> ChatRequest:
    assert DIALECT.client is not None
    request = DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, body)).request
    assert request.original is not None
    assert json.loads(body) == request.original.body
    return replace(request, original=None)


def asked(**body: Any) -> ChatRequest:
    return post(json.dumps({"model": "m", **body}).encode())


def get(**query: str) -> ChatRequest:
    assert DIALECT.client is not None
    return DIALECT.client.parse_request(Incoming("GET", {}, query, {}, b"")).request


def refused(call: Any, *args: Any, **more: Any) -> tuple[str, Any]:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    assert 400 == caught.value.failure.status
    return caught.value.failure.message, caught.value.failure.param or None


def test_a_prompt_is_one_user_turn() -> None:
    """Streaming is the default, and nothing else is assumed."""
    assert ChatRequest(model="m", messages=[Message("user", "hi")]) == asked(prompt="hi")
    assert asked(prompt="hi") == asked(messages=[HI])
    assert not asked(prompt="hi", stream=False).stream


def test_everything_that_can_be_asked() -> None:
    """Each key of the contract, once."""
    request = asked(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image_url", "url": "https://a.test/x"},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "reasoning", "text": "Hm", "signature": "s"},
                    {"type": "tool_call", "id": "t", "name": "f", "arguments": "{}"},
                ],
            },
            {
                "role": "tool",
                "content": [{"type": "tool_result", "id": "t", "content": "1", "is_error": True}],
            },
            {"role": "system", "content": "late"},
        ],
        system="s",
        max_tokens=5,
        temperature=1.5,
        top_p=1,
        stop="END",
        seed=7,
        tools=[{"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}],
        tool_choice={"mode": "tool", "name": "f", "parallel": False},
        response_format={"type": "json_object"},
        reasoning={"effort": "low", "max_tokens": 9},
        user="u",
        metadata={"k": 1},
        vendor={"top_k": 5},
        on_loss="refuse",
    )
    assert (
        ChatRequest(
            model="m",
            messages=[
                Message("user", [TextPart("a"), ImagePart("https://a.test/x")]),
                Message("assistant", [ReasoningPart("Hm", "s"), ToolCallPart("t", "f", "{}")]),
                Message("tool", [ToolResultPart("t", "1", is_error=True)]),
                Message("system", "late"),
            ],
            system="s",
            max_tokens=5,
            temperature=1.5,
            top_p=1,
            stop=["END"],
            seed=7,
            tools=[ToolSpec("f", "d", {"type": "object"}, strict=True)],
            tool_choice=ToolChoice("tool", "f", parallel=False),
            response_format={"type": "json_object"},
            reasoning=Reasoning("low", 9),
            user="u",
            metadata={"k": 1},
            vendor={"top_k": 5},
            on_loss="refuse",
        )
        == request
    )


def test_short_forms() -> None:
    """A choice of tools as one word, several stops, null for anything optional."""
    request = asked(
        prompt="hi",
        tool_choice="required",
        stop=["a", "b"],
        system=None,
        tools=None,
        stream=None,
        on_loss=None,
    )
    assert (ToolChoice("required"), ["a", "b"], True, "note") == (
        request.tool_choice,
        request.stop,
        request.stream,
        request.on_loss,
    )


def test_leading_system_messages_join_the_system_prompt() -> None:
    """They stand before the first turn, however they were written."""
    system = [
        {"role": "system", "content": "b"},
        {"role": "system", "content": [{"type": "text", "text": "c"}]},
    ]
    request = asked(system="a", messages=[*system, HI])
    assert ("a\n\nb\n\nc", [Message("user", "hi")]) == (request.system, request.messages)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"prompt": "a", "messages": [HI]}, "prompt"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "bot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [HI, {"role": "user", "content": 5}]}, "messages[1].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "txt"}]}]},
            "messages[0].content[0].type",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].content"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "id": "a", "content": "x"}],
                    }
                ]
            },
            "messages[0].content[0]",
        ),
        ({"messages": [{"role": "user", "content": "x", "name": "n"}]}, "messages[0].name"),
        ({"prompt": "a", "model": ""}, "model"),
        ({"prompt": "a", "model": None}, "model"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
        ({"prompt": "a", "max_tokens": 1.5}, "max_tokens"),
        ({"prompt": "a", "temperature": 3}, "temperature"),
        ({"prompt": "a", "top_p": "1"}, "top_p"),
        ({"prompt": "a", "reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"prompt": "a", "reasoning": {"budget": 1}}, "reasoning.budget"),
        ({"prompt": "a", "tools": [{"description": "d"}]}, "tools[0].name"),
        ({"prompt": "a", "tool_choice": "f"}, "tool_choice"),
        ({"prompt": "a", "tool_choice": {"mode": "tool"}}, "tool_choice.name"),
        ({"prompt": "a", "tool_choice": {"mode": "tool", "name": "f"}}, "tool_choice.name"),
        ({"prompt": "a", "on_loss": "ignore"}, "on_loss"),
        ({"prompt": "a", "vendor": []}, "vendor"),
        ({"prompt": "a", "maxtokens": 5}, "maxtokens"),
    ],
)
def test_refusals_name_the_field(body: dict[str, Any], param: str) -> None:
    """In the sentence and in `param`."""
    message, said = refused(asked, **body)
    assert param == said
    assert param in message


def test_an_unknown_key_is_told_its_nearest() -> None:
    """A typing error is answered with the right word."""
    assert "did you mean max_tokens?" in refused(asked, prompt="a", maxtokens=5)[0]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"model": "\xff"}', b"[" * 10_000])
def test_bodies_that_are_no_json_object(body: bytes) -> None:
    """One sentence, no field."""
    message, param = refused(post, body)
    assert message.startswith("The body")
    assert param is None


def test_get() -> None:
    """The native EventSource's form: model, prompt, and perhaps system."""
    assert ChatRequest(model="m", messages=[Message("user", "hi")], system="s") == get(
        model="m", prompt="hi", system="s"
    )
    assert get(model="m", prompt="hi").system is None
    assert "prompt" == refused(get, model="m")[1]
    assert "model" == refused(get, prompt="hi", model="")[1]
    assert "Unknown key promt: did you mean prompt?" == refused(get, model="m", promt="hi")[0]


def test_what_only_some_vendors_know_can_be_asked() -> None:
    settings: dict[str, Any] = {
        "top_k": 5,
        "min_p": 0.1,
        "frequency_penalty": 0.2,
        "presence_penalty": 0.3,
        "repetition_penalty": 1.1,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 2,
        "verbosity": "low",
        "service_tier": "flex",
        "store": True,
        "cache_key": "k",
        "safety_identifier": "s",
    }
    request = asked(prompt="hi", **settings)
    assert settings == {name: getattr(request, name) for name in settings}


def test_media_marks_and_free_text() -> None:
    mark = {"ttl": "1h"}
    request = asked(
        system=[{"type": "text", "text": "Be brief.", "cache": mark}],
        messages=[
            {"role": "system", "content": "Be kind."},
            {
                "role": "user",
                "content": [
                    {"type": "document", "url": "https://a.example/b.pdf", "title": "B"},
                    {"type": "audio", "url": "data:audio/wav;base64,UklG"},
                    {"type": "text", "text": "hi", "cache": {}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "reasoning",
                        "text": "",
                        "signature": "S",
                        "redacted": True,
                        "format": "anthropic-claude-v1",
                        "id": "r1",
                    },
                    {
                        "type": "tool_call",
                        "id": "t",
                        "name": "sh",
                        "arguments": '{"input":"ls"}',
                        "custom": True,
                        "signature": "T",
                        "format": "google-gemini-v1",
                    },
                ],
            },
            {
                "role": "tool",
                "content": [
                    {
                        "type": "tool_result",
                        "id": "t",
                        "content": [{"type": "image_url", "url": "data:image/png;base64,aa"}],
                    }
                ],
            },
        ],
        tools=[{"name": "sh", "custom": {}}],
    )
    assert [TextPart("Be brief.", Cache("1h")), TextPart("Be kind.")] == request.system_parts
    assert "Be brief.\n\nBe kind." == request.system
    user, assistant, tool = request.messages
    assert [
        DocumentPart("https://a.example/b.pdf", "B"),
        AudioPart("data:audio/wav;base64,UklG"),
        TextPart("hi", Cache()),
    ] == user.parts
    assert [
        ReasoningPart("", "S", True, "anthropic-claude-v1", "r1"),
        ToolCallPart("t", "sh", '{"input":"ls"}', True, "T", "google-gemini-v1"),
    ] == assistant.parts
    assert [ToolResultPart("t", [ImagePart("data:image/png;base64,aa")])] == tool.parts
    assert [ToolSpec("sh", custom={})] == request.tools
