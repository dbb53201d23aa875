"""Clients' requests: what is understood, what is noted, what is refused and by which words."""

import json
from typing import Any

import pytest

from proxy.codec import proofs
from proxy.codec.base import Incoming, Parsed
from proxy.codec.proofs import ANTHROPIC
from proxy.dialects.anthropic import DIALECT
from proxy.errors import Refused
from proxy.request import (
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
from tests.dialects.anthropic.emit import ASK

PIXEL = {"type": "base64", "media_type": "image/png", "data": "aGk="}


def parsed(_headers: dict[str, str] | None = None, **more: Any) -> Parsed:
    return raw(json.dumps({**ASK, **more}).encode(), _headers or {})


def raw(body: bytes, headers: dict[str, str] | None = None) -> Parsed:
    assert DIALECT.client is not None
    return DIALECT.client.parse_request(Incoming("POST", {}, {}, headers or {}, body))


def notes(found: Parsed) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in found.notes]


def turn(role: str, *content: Any) -> list[dict[str, Any]]:
    return [{"role": role, "content": list(content)}]


def test_a_small_request() -> None:
    """Text stays text, and nothing is streamed unless asked for."""
    request = parsed().request
    assert ("some-model", [Message("user", "hi")], 64, False) == (
        request.model,
        request.messages,
        request.max_tokens,
        request.stream,
    )
    assert () == parsed().notes


def test_all_that_can_be_carried() -> None:
    """Every parameter that ours has a word for."""
    found = parsed(
        system=[{"type": "text", "text": "Be"}, {"type": "text", "text": "brief"}],
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        service_tier="standard_only",
        stop_sequences=["END"],
        stream=True,
        tools=[
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True},
            {"type": "custom", "name": "g", "input_schema": {}},
        ],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2048},
        metadata={"user_id": "u"},
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
    )
    request = found.request
    assert ("Be\n\nbrief", [], 40, "default") == (
        request.system,
        request.system_parts,
        request.top_k,
        request.service_tier,
    )
    assert (0.5, 0.9, ["END"], True, "u") == (
        request.temperature,
        request.top_p,
        request.stop,
        request.stream,
        request.user,
    )
    assert [ToolSpec("f", "d", {"type": "object"}, True), ToolSpec("g", None, {})] == request.tools
    assert ToolChoice("tool", "f", False) == request.tool_choice
    assert Reasoning(None, 2048) == request.reasoning
    assert {"type": "object"} == request.response_format["json_schema"]["schema"]
    assert [] == notes(found)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"thinking": {"type": "adaptive"}}, Reasoning(adaptive=True)),
        (
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "xhigh"},
            },
            Reasoning("xhigh", adaptive=True, summary="auto"),
        ),
        ({"output_config": {"effort": "max"}}, Reasoning("max")),
        ({"thinking": {"type": "disabled"}}, Reasoning("none")),
        ({"thinking": {"type": "between_tools"}}, None),
        ({}, None),
    ],
)
def test_thinking(more: dict[str, Any], expected: Reasoning | None) -> None:
    """Adaptive stays adaptive, every effort is carried, and so is that it shall not think."""
    assert expected == parsed(**more).request.reasoning


def test_marks_of_the_prompt_cache() -> None:
    """They are carried wherever they stand, with their time."""
    mark = {"cache_control": {"type": "ephemeral"}}
    long = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    found = parsed(
        system=[{"type": "text", "text": "a"}, {"type": "text", "text": "b", **long}],
        tools=[{"name": "f", "input_schema": {}, **mark}],
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "x", **mark},
                    {"type": "image", "source": PIXEL, **mark},
                    {"type": "tool_result", "tool_use_id": "t", "content": "r", **mark},
                ],
            }
        ],
    )
    assert [] == notes(found)
    assert [TextPart("a"), TextPart("b", Cache("1h"))] == found.request.system_parts
    assert "a\n\nb" == found.request.system
    assert [Cache()] == [tool.cache for tool in found.request.tools]
    parts = [part for turn in found.request.messages for part in turn.parts]
    assert [Cache()] * 3 == [part.cache for part in parts]  # type: ignore[union-attr]


def test_documents() -> None:
    """By address or inline; plain text, and blocks, as text; also in the result of a tool."""
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    content = [
        {"type": "document", "source": pdf, "title": "T", "citations": {"enabled": True}},
        {"type": "document", "source": {"type": "url", "url": "https://a.test/x.pdf"}},
        {"type": "document", "source": {"type": "text", "data": "plain"}, "title": "P"},
        {
            "type": "document",
            "source": {
                "type": "content",
                "content": [
                    {"type": "text", "text": "one"},
                    {"type": "image", "source": PIXEL},
                ],
            },
        },
        {
            "type": "search_result",
            "title": "S",
            "source": "https://s.test",
            "content": [{"type": "text", "text": "found"}],
        },
    ]
    expected = [
        DocumentPart("data:application/pdf;base64,JVBE", "T", True),
        DocumentPart("https://a.test/x.pdf"),
        TextPart("P\n\nplain"),
        TextPart("one"),
        ImagePart("data:image/png;base64,aGk="),
        TextPart("S - https://s.test\n\nfound"),
    ]
    assert [Message("user", expected)] == parsed(messages=turn("user", *content)).request.messages
    result = {"type": "tool_result", "tool_use_id": "t", "content": content}
    assert [Message("tool", [ToolResultPart("t", expected)])] == parsed(
        messages=turn("user", result)
    ).request.messages


def test_proofs_of_other_vendors_are_read_back() -> None:
    """What an answer brought in a signature, in encrypted thinking, and for a call."""
    content = [
        {"type": "thinking", "thinking": "a", "signature": "own"},
        {"type": "redacted_thinking", "data": "hidden"},
        {
            "type": "thinking",
            "thinking": "b",
            "signature": proofs.carried("gAAA", proofs.OPENAI, ANTHROPIC, name="rs:1"),
        },
        {"type": "redacted_thinking", "data": proofs.carried("xx", proofs.XAI, ANTHROPIC)},
        {"type": "tool_use", "id": "t:1", "name": "f", "input": {}},
        {
            "type": "redacted_thinking",
            "data": proofs.carried("c2ln", proofs.GEMINI, ANTHROPIC, call="t:1"),
        },
    ]
    expected = [
        ReasoningPart("a", "own", format=ANTHROPIC),
        ReasoningPart("", "hidden", redacted=True, format=ANTHROPIC),
        ReasoningPart("b", "gAAA", format=proofs.OPENAI, id="rs:1"),
        ReasoningPart("", "xx", redacted=True, format=proofs.XAI),
        ToolCallPart("t:1", "f", "{}", signature="c2ln", format=proofs.GEMINI),
    ]
    found = parsed(messages=turn("assistant", *content))
    assert [Message("assistant", expected)] == found.request.messages
    assert [] == notes(found)


def test_the_clients_own_request_is_kept_for_an_upstream_of_this_dialect() -> None:
    """Its body with the keys in their order, and the two headers that belong to it."""
    headers = {"anthropic-beta": "b", "anthropic-version": "v", "x-api-key": "no", "cookie": "no"}
    original = parsed(headers, odd={"b": 1, "a": 2}).request.original
    assert original is not None
    assert "anthropic" == original.dialect
    assert [*ASK, "odd"] == list(original.body)
    assert ["b", "a"] == list(original.body["odd"])
    assert {"anthropic-beta": "b", "anthropic-version": "v"} == original.headers


@pytest.mark.parametrize(
    ("kind", "mode"), [("auto", "auto"), ("any", "required"), ("none", "none")]
)
def test_tool_choice(kind: str, mode: str) -> None:
    """The vendor's `any` is our `required`."""
    assert ToolChoice(mode) == parsed(tool_choice={"type": kind}).request.tool_choice


def test_blocks_of_the_assistant() -> None:
    """Thinking with its signature, text and calls, in their order."""
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "text", "text": "I look"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
    ]
    expected = [
        ReasoningPart("Hm", "s", format=ANTHROPIC),
        TextPart("I look"),
        ToolCallPart("a", "f", '{"x":1}'),
    ]
    assert [Message("assistant", expected)] == parsed(
        messages=turn("assistant", *content)
    ).request.messages


def test_tool_results_become_turns_of_their_own() -> None:
    """A user turn that answers calls and says more is two turns of ours."""
    content = [
        {"type": "tool_result", "tool_use_id": "a", "content": "18 C"},
        {
            "type": "tool_result",
            "tool_use_id": "b",
            "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}],
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": "c"},
        {"type": "text", "text": "And now?"},
    ]
    results = [
        ToolResultPart("a", "18 C"),
        ToolResultPart("b", [TextPart("1"), TextPart("2")], True),
        ToolResultPart("c", ""),
    ]
    assert [Message("tool", results), Message("user", [TextPart("And now?")])] == parsed(
        messages=turn("user", *content)
    ).request.messages


def test_images() -> None:
    """By address, or inline as a data: URL."""
    content = [
        {"type": "image", "source": {"type": "url", "url": "https://a.test/x.png"}},
        {"type": "image", "source": PIXEL},
    ]
    expected = [ImagePart("https://a.test/x.png"), ImagePart("data:image/png;base64,aGk=")]
    assert [Message("user", expected)] == parsed(messages=turn("user", *content)).request.messages


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {"top_k": 5, "service_tier": "auto", "container": {"id": "c"}, "speed": None},
            [("dropped", "container")],
        ),
        ({"some_new_key": 1, "another": 2}, [("dropped", "unknown_key")]),
        (
            {
                "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
                "cache_control": {"type": "ephemeral"},
            },
            [("dropped", "cache_control")],
        ),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            [("dropped", "server_tools")],
        ),
        (
            {"tools": [{"name": "f", "input_schema": {}, "defer_loading": True}]},
            [("dropped", "tools")],
        ),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, []),
        ({"output_config": {"effort": "utmost"}}, [("dropped", "output_config.effort")]),
        ({"output_config": {"format": {"type": "xml"}}}, [("dropped", "output_config.format")]),
        (
            {"output_config": {"effort": "low", "task_budget": {}}, "metadata": {"team": "x"}},
            [("dropped", "unknown_key")],
        ),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}},
            [("dropped", "thinking.display")],
        ),
        ({"thinking": {"type": "disabled"}}, []),
        ({"service_tier": "fast"}, [("dropped", "service_tier")]),
        ({"tool_choice": {"type": "always"}}, [("dropped", "tool_choice")]),
        ({"thinking": {"type": "between_tools"}}, [("dropped", "thinking")]),
        (
            {
                "messages": turn(
                    "user",
                    {"type": "text", "text": "x", "citations": [{}]},
                    {"type": "search_result"},
                )
            },
            [("dropped", "citations"), ("changed", "search_result")],
        ),
        (
            {
                "messages": turn(
                    "user", {"type": "document", "source": {"type": "text", "data": "doc"}}
                )
            },
            [("changed", "document")],
        ),
        (
            {
                "messages": turn(
                    "user",
                    {"type": "document", "source": {"type": "url", "url": "u"}},
                    {"type": "text", "text": "x"},
                )
            },
            [("dropped", "source")],
        ),
        (
            {
                "messages": turn(
                    "user",
                    {
                        "type": "tool_result",
                        "tool_use_id": "a",
                        "content": [{"type": "tool_reference", "tool_name": "f"}],
                    },
                )
            },
            [("dropped", "tool_result.content")],
        ),
        ({"messages": turn("user", {"type": "aura", "hue": 1})}, [("dropped", "unknown_block")]),
        (
            {"messages": turn("user", {"type": "text", "text": "x", "hue": 1})},
            [("dropped", "unknown_key")],
        ),
        (
            {"messages": turn("user", {"type": "image", "source": {"type": "file"}})},
            [("dropped", "source")],
        ),
        (
            {
                "messages": turn(
                    "assistant", {"type": "server_tool_use"}, {"type": "web_search_tool_result"}
                )
            },
            [("dropped", "server_tools")],
        ),
    ],
)
def test_losses_are_noted_once(more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """What cannot be carried is data, with a name from a fixed set."""
    assert expected == notes(parsed(**more))


def test_beta_features_are_noted() -> None:
    """They are asked for in a header."""
    assert [("dropped", "anthropic_beta")] == notes(parsed({"anthropic-beta": "x"}))


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "64"}, "max_tokens"),
        ({"model": None}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "user", "content": 5}]},
            "messages[1].content",
        ),
        ({"messages": turn("user", 5)}, "messages[0].content[0]"),
        ({"messages": turn("user", {"text": "x"})}, "messages[0].content[0].type"),
        ({"messages": turn("user", {"type": "text"})}, "messages[0].content[0].text"),
        ({"messages": turn("user", {"type": "text", "text": 1})}, "messages[0].content[0].text"),
        (
            {"messages": turn("user", {"type": "image", "source": {"type": "base64"}})},
            "messages[0].content[0].source",
        ),
        (
            {
                "messages": turn(
                    "user",
                    {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]},
                )
            },
            "messages[0].content[0].content[0].text",
        ),
        ({"system": 5}, "system"),
        ({"system": [{"type": "text"}]}, "system[0].text"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_refusals_name_the_field(more: dict[str, Any], param: str) -> None:
    """The field stands in the sentence and in `param`."""
    with pytest.raises(Refused) as caught:
        parsed(**more)
    assert ("bad_request", param) == (caught.value.failure.kind, caught.value.failure.param)
    assert param in caught.value.failure.message


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"model": "\xff"}', b"[" * 10_000, b"model=x"]
)
def test_bodies_that_are_no_json_object(body: bytes) -> None:
    """Refused with a sentence, never an exception of the parser."""
    with pytest.raises(Refused) as caught:
        raw(body)
    assert caught.value.failure.message.startswith("The body")


def test_what_is_said_beside_blocks_is_noted() -> None:
    """Who called a tool, what a document is about, marks that nobody knows, keys that no block
    has; and what is no text of the system."""
    mark = {"cache_control": {"type": "eternal"}}
    paper = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "a"},
    }
    found = parsed(
        system=[{"type": "text", "text": "s", **mark}, {"type": "image", "source": PIXEL}],
        messages=[
            *turn("user", {**paper, "context": "what it is about"}),
            {"role": "system", "content": [{"type": "text", "text": "later"}]},
            *turn(
                "assistant",
                {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "x"}},
            ),
            *turn(
                "user",
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [
                        {
                            "type": "text",
                            "text": "1",
                            "odd": 1,
                            "cache_control": {"type": "ephemeral", "odd": 1},
                        }
                    ],
                },
            ),
        ],
    )
    request = found.request
    assert ("s", Message("system", [TextPart("later")])) == (request.system, request.messages[1])
    params = {param for _, param in notes(found)}
    assert {"document.context", "tool_use.caller", "cache_control"} <= params
    assert {"messages.content", "unknown_key"} & params


def test_documents_of_parts() -> None:
    """Texts and pictures are carried; a part of another kind is noted."""
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image", "source": PIXEL},
        {"type": "image", "source": 5},
        {"type": "hologram"},
    ]
    for source, expected in (
        ({"type": "content", "content": parts}, 3),
        ({"type": "content", "content": "a"}, 1),
    ):
        found = parsed(messages=turn("user", {"type": "document", "title": "t", "source": source}))
        assert expected == len(found.request.messages[0].parts)
        assert (expected == 3) is (("dropped", "document") in notes(found))
