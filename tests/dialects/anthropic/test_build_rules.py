"""Requests of other dialects' clients, under what the catalogue knows of the vendor's models."""

import base64
import json
from typing import Any

import pytest

from proxy.codec import proofs
from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.anthropic import DIALECT
from proxy.request import (
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
from proxy.settings.rules import RuleBook

BOOK = RuleBook("anthropic", "anthropic", {})
HI = Message("user", "hi")
TOOL = ToolSpec("f")
SUMMARIZED = {"type": "adaptive", "display": "summarized"}


def sent(model: str, *messages: Message, **more: Any) -> Outgoing:
    assert DIALECT.upstream is not None
    request = ChatRequest(model="m", messages=list(messages) or [HI], **more)
    return built(DIALECT.upstream, request, TargetConfig("up", model, rules=BOOK.of(model)))


def body(model: str, *messages: Message, **more: Any) -> Any:
    return json.loads(sent(model, *messages, **more).body)


def notes(call: Outgoing) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in call.notes if note.note != "defaulted"]


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "effort", "noted"),
    [
        ("claude-opus-4-8", Reasoning("high"), SUMMARIZED, "high", False),
        ("claude-opus-4-8", Reasoning("xhigh", adaptive=True), SUMMARIZED, "xhigh", False),
        ("claude-opus-4-8", Reasoning(adaptive=True), SUMMARIZED, None, False),
        ("claude-opus-4-8", Reasoning("minimal"), SUMMARIZED, "low", True),
        ("claude-opus-4-8", Reasoning(max_tokens=9000), SUMMARIZED, "high", True),
        ("claude-opus-4-8", Reasoning("none"), None, None, False),
        ("claude-opus-4-6", Reasoning("xhigh"), SUMMARIZED, "high", True),
        ("claude-opus-4-6", Reasoning(max_tokens=9000), 9000, None, False),
        ("claude-opus-4-5", Reasoning("medium"), 8192, "medium", False),
        ("claude-haiku-4-5", Reasoning("medium"), 8192, None, True),
        ("claude-haiku-4-5", Reasoning(adaptive=True), 8192, None, True),
        ("claude-3-5-sonnet", Reasoning("medium"), None, None, True),
        ("claude-opus-5", Reasoning("none"), {"type": "disabled"}, None, False),
        ("claude-sonnet-5-5", Reasoning("none"), {"type": "between_tools"}, None, False),
        ("claude-opus-5-5", Reasoning("none"), None, None, True),
        ("claude-opus-9", Reasoning("max"), SUMMARIZED, "max", False),
    ],
)
def test_thinking_is_asked_for_as_the_model_takes_it(
    model: str, reasoning: Reasoning, thinking: Any, effort: str | None, *, noted: bool
) -> None:
    """By an effort, by a budget, or not at all; what is said otherwise than asked is a note."""
    call = sent(model, reasoning=reasoning)
    found = json.loads(call.body)
    if isinstance(thinking, int):
        thinking = {"type": "enabled", "budget_tokens": thinking}
    assert thinking == found.get("thinking")
    assert effort == found.get("output_config", {}).get("effort")
    assert noted == bool(notes(call))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-4-8", 32_000),
        ("anthropic/claude-sonnet-4-5@20250929", 32_000),
        ("claude-3-5-haiku-latest", 8192),
        ("claude-3-haiku-20240307", 4096),
        ("someone-elses", 4096),
    ],
)
def test_the_answer_has_room_where_the_client_gave_no_limit(model: str, expected: int) -> None:
    """As much as the model can well use."""
    assert expected == body(model)["max_tokens"]


def test_no_limit_beyond_what_the_model_can() -> None:
    """Nor with the budget of its thinking on top."""
    assert 32_000 == body("claude-opus-4-1", max_tokens=50_000)["max_tokens"]
    found = body("claude-opus-4-1", reasoning=Reasoning(max_tokens=31_000))
    assert (32_000, True) == (
        found["max_tokens"],
        1024 <= found["thinking"]["budget_tokens"] < 32_000,
    )


def test_sampling_that_a_model_refuses() -> None:
    """All of it, or one of two; and what does not go with thinking."""
    more = {"temperature": 0.2, "top_p": 0.9, "top_k": 4}
    found = sent("claude-opus-4-7", **more)
    assert not set(more) & set(json.loads(found.body))
    assert [("dropped", name) for name in more] == notes(found)
    assert {"temperature": 0.2, "top_k": 4} == {
        key: value for key, value in body("claude-opus-4-5", **more).items() if key in more
    }
    thinks = sent("claude-sonnet-4-0", reasoning=Reasoning(max_tokens=2000), **more)
    assert not set(more) & set(json.loads(thinks.body))
    assert [("dropped", name) for name in more] == notes(thinks)


def test_a_forced_tool() -> None:
    """Thinking gives way to it; a model that cannot be forced may call."""
    forced: dict[str, Any] = {"tools": [TOOL], "tool_choice": ToolChoice("tool", "f", False)}
    assert "thinking" not in body("claude-opus-4-8", reasoning=Reasoning("high"), **forced)
    assert {"type": "disabled"} == body("claude-opus-5", **forced)["thinking"]
    call = sent("claude-opus-5-5", reasoning=Reasoning("high"), **forced)
    found = json.loads(call.body)
    assert {"type": "auto", "disable_parallel_tool_use": True} == found["tool_choice"]
    assert SUMMARIZED == found["thinking"]
    assert [("changed", "tool_choice")] == notes(call)
    free = {"tools": [TOOL], "tool_choice": ToolChoice("auto")}
    assert [] == notes(sent("claude-opus-5-5", **free))


def test_marks_of_the_prompt_cache() -> None:
    """On system, tools, texts, media, calls and results; at most four, of which the newest count."""
    mark = {"type": "ephemeral"}
    found = body(
        "claude",
        Message("user", [TextPart("a"), TextPart("b", Cache())]),
        Message("assistant", [ToolCallPart("t", "f", cache=Cache("5m"))]),
        system_parts=[TextPart("x"), TextPart("y", Cache("1h"))],
        system="x\n\ny",
        tools=[ToolSpec("f", cache=Cache())],
    )
    assert [{"type": "text", "text": "x"}, {**mark, "ttl": "1h"}] == [
        found["system"][0],
        found["system"][1]["cache_control"],
    ]
    assert mark == found["tools"][0]["cache_control"]
    assert mark == found["messages"][0]["content"][1]["cache_control"]
    assert {**mark, "ttl": "5m"} == found["messages"][1]["content"][0]["cache_control"]
    turns = [Message("user", [TextPart(str(number), Cache())]) for number in range(6)]
    call = sent("claude", *turns, tools=[ToolSpec("f", cache=Cache())])
    blocks = json.loads(call.body)["messages"][0]["content"]
    assert ["3", "4", "5"] == [block["text"] for block in blocks if "cache_control" in block]
    assert [("dropped", "cache")] == notes(call)


def test_documents_and_pictures_also_in_results() -> None:
    """PDFs by address or inline, texts, and a PDF that is called a picture."""
    text = base64.b64encode("né".encode()).decode()
    parts = [
        DocumentPart("data:application/pdf;base64,JVBE", "T", True),
        DocumentPart("https://a.test/x.pdf"),
        DocumentPart(f"data:text/markdown;base64,{text}"),
        ImagePart("data:application/pdf;base64,JVBE"),
        ImagePart("data:image/jpg;base64,aGk="),
    ]
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    expected = [
        {"type": "document", "source": pdf, "title": "T", "citations": {"enabled": True}},
        {"type": "document", "source": {"type": "url", "url": "https://a.test/x.pdf"}},
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "né"},
        },
        {"type": "document", "source": pdf},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/jpeg", "data": "aGk="},
        },
    ]
    assert expected == body("claude", Message("user", [*parts]))["messages"][0]["content"]
    results = Message("tool", [ToolResultPart("t", [TextPart("see"), *parts])])
    asked = Message("assistant", [ToolCallPart("t", "f")])
    found = body("claude", HI, asked, results)["messages"][2]["content"]
    assert [{"type": "text", "text": "see"}, *expected] == found[0]["content"]
    odd = sent("claude", Message("user", [TextPart("x"), DocumentPart("data:a/b;base64,aGk=")]))
    assert [("dropped", "messages.document")] == notes(odd)


def test_proofs_go_to_who_made_them() -> None:
    """Those of others are left out, with a note; so is reasoning without one, unless the model
    wants it.
    """
    parts = [
        ReasoningPart("", "enc", redacted=True, format=proofs.ANTHROPIC),
        ReasoningPart("a", "sig"),
        ReasoningPart("b", "gAAA", format=proofs.OPENAI),
        ReasoningPart("c"),
        ToolCallPart("t", "f", signature="g", format=proofs.GEMINI),
    ]
    turns = (HI, Message("assistant", [*parts]), Message("tool", [ToolResultPart("t", "r")]))
    call = sent("claude-opus-4-8", *turns)
    content = json.loads(call.body)["messages"][1]["content"]
    assert [
        {"type": "redacted_thinking", "data": "enc"},
        {"type": "thinking", "thinking": "a", "signature": "sig"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    ] == content
    lost = [("dropped", "messages.reasoning")] * 2 + [("dropped", "messages.tool_call.signature")]
    assert lost == notes(call)
    kimi = body("kimi-k2.6", *turns)["messages"][1]["content"]
    assert {"type": "thinking", "thinking": "c", "signature": ""} == kimi[2]


def test_what_the_vendor_has_no_word_for_is_noted() -> None:
    """Each by its own name; tiers have two words."""
    lost: dict[str, Any] = {
        "seed": 1,
        "min_p": 0.1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
        "repetition_penalty": 1.1,
        "logit_bias": {"1": 1.0},
        "logprobs": True,
        "top_logprobs": 2,
        "verbosity": "low",
        "store": False,
        "cache_key": "k",
    }
    assert [("dropped", name) for name in lost] == notes(sent("claude", **lost))
    call = sent("claude", service_tier="priority", safety_identifier="s")
    found = json.loads(call.body)
    assert ("auto", {"user_id": "s"}) == (found["service_tier"], found["metadata"])
    assert [("changed", "service_tier")] == notes(call)
    assert "standard_only" == body("claude", service_tier="default")["service_tier"]
