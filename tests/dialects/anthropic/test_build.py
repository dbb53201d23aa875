"""Requests to the vendor: the shape that it takes, and a note for what it cannot be told."""

import json
from typing import Any

import pytest

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.rules import Rules
from proxy.dialects.anthropic import DIALECT
from proxy.errors import Refused
from proxy.request import (
    ChatRequest,
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
from tests.bench.opcodes import Opcodes

TOOL = ToolSpec("f", "d", {"type": "object"})
HI = Message("user", "hi")
CLAUDE = TargetConfig("up", "claude", "key")


def built(*messages: Message, target: TargetConfig = CLAUDE, **more: Any) -> Outgoing:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.build_request(
        ChatRequest(model="asked", messages=list(messages) or [HI], **{"max_tokens": 100, **more}),
        target,
    )


def body(*messages: Message, **more: Any) -> Any:
    return json.loads(built(*messages, **more).body)


def notes(outgoing: Outgoing) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in outgoing.notes]


def test_the_call_itself() -> None:
    """Path, key, version and beta; the target's model, or the client's own where it names none."""
    found = built(
        target=TargetConfig("up", "claude", "key", {"beta": ["a", "b"], "version": "2024-01-01"})
    )
    assert ("POST", "/v1/messages") == (found.method, found.path)
    assert ("key", "2024-01-01", "a,b") == tuple(
        found.headers[name] for name in ("x-api-key", "anthropic-version", "anthropic-beta")
    )
    assert {
        "model": "claude",
        "max_tokens": 100,
        "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
    } == json.loads(found.body)
    plain = built(target=TargetConfig("up", ""))
    assert "asked" == json.loads(plain.body)["model"]
    assert "x-api-key" not in plain.headers
    assert "2023-06-01" == plain.headers["anthropic-version"]


def test_max_tokens_is_made_up_only_where_the_client_gave_none() -> None:
    """The API insists on it: 4096, or what is known of the model."""
    found = built(max_tokens=None)
    assert 4096 == json.loads(found.body)["max_tokens"]
    assert [("defaulted", "max_tokens")] == notes(found)
    assert (
        7
        == body(max_tokens=None, target=TargetConfig("up", "m", rules=Rules(max_tokens=7)))[
            "max_tokens"
        ]
    )


def test_the_user_begins_and_blanks_are_no_system_text() -> None:
    """The API refuses an assistant's turn at the beginning, and text of white space alone."""
    call = built(Message("assistant", "hello"), HI, system=" ")
    found = json.loads(call.body)
    assert ["user", "assistant", "user"] == [turn["role"] for turn in found["messages"]]
    assert "system" not in found
    assert [("changed", "messages")] == notes(call)


def test_turns_alternate() -> None:
    """Neighbours of one role are merged, tool results come first in the user's turn, empty text is
    left out."""
    messages = [
        Message("system", "Be brief"),
        Message("user", "a"),
        Message("user", [TextPart("b"), TextPart("")]),
        Message(
            "assistant",
            [
                ReasoningPart("Hm", "sig"),
                TextPart(""),
                ToolCallPart("t1", "f", '{"x":1}'),
                ToolCallPart("t2", "f"),
            ],
        ),
        Message("user", "wait"),
        Message("tool", [ToolResultPart("t1", "one"), ToolResultPart("t2", "two", is_error=True)]),
        Message("assistant", ""),
    ]
    found = body(*messages, system="First")
    assert "First\n\nBe brief" == found["system"]
    user, assistant, results = found["messages"]
    assert {
        "role": "user",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    } == user
    assert [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
    ] == assistant["content"]
    assert [
        {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
        {"type": "tool_result", "tool_use_id": "t2", "content": "two", "is_error": True},
        {"type": "text", "text": "wait"},
    ] == results["content"]


def test_images() -> None:
    """By address, or as base64 from a data: URL; anything else cannot be formed."""
    found = body(
        Message("user", [ImagePart("https://a.test/x"), ImagePart("data:image/png;base64,aGk=")])
    )
    sources = [block["source"] for block in found["messages"][0]["content"]]
    assert [
        {"type": "url", "url": "https://a.test/x"},
        {"type": "base64", "media_type": "image/png", "data": "aGk="},
    ] == sources
    for url in ("file:///etc/passwd", "data:text/plain,hi", "aGk="):
        with pytest.raises(Refused, match=r"messages\[0\].content\[0\].url"):
            built(Message("user", [ImagePart(url)]))


def test_tools() -> None:
    """The schema's name differs, one is always sent, and so do the words of the choice."""
    found = body(
        tools=[TOOL, ToolSpec("g", strict=True)], tool_choice=ToolChoice("required", parallel=False)
    )
    assert [
        {"name": "f", "input_schema": {"type": "object"}, "description": "d"},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}, "strict": True},
    ] == found["tools"]
    assert {"type": "any", "disable_parallel_tool_use": True} == found["tool_choice"]
    assert {"type": "tool", "name": "f"} == body(tools=[TOOL], tool_choice=ToolChoice("tool", "f"))[
        "tool_choice"
    ]
    assert {"type": "none"} == body(tools=[TOOL], tool_choice=ToolChoice("none", parallel=False))[
        "tool_choice"
    ]
    assert "tool_choice" not in body(tool_choice=ToolChoice("auto"))


@pytest.mark.parametrize(
    ("max_tokens", "reasoning", "expected", "noted"),
    [
        (8000, Reasoning(max_tokens=2000), (8000, 2000), []),
        (8000, Reasoning(max_tokens=10), (8000, 1024), [("changed", "reasoning.max_tokens")]),
        (1000, Reasoning(max_tokens=2000), (3000, 2000), [("changed", "max_tokens")]),
        (None, Reasoning(max_tokens=2000), (6096, 2000), [("defaulted", "max_tokens")]),
        (8000, Reasoning(max_tokens=0), (8000, None), []),
        (20000, Reasoning("high"), (20000, 16384), [("changed", "reasoning.effort")]),
        (4000, Reasoning("medium"), (4000, 2000), [("changed", "reasoning.effort")]),
        (
            100,
            Reasoning("low"),
            (1124, 1024),
            [("changed", "reasoning.effort"), ("changed", "max_tokens")],
        ),
        (100, Reasoning("none"), (100, None), []),
    ],
)
def test_thinking(
    max_tokens: int | None,
    reasoning: Reasoning,
    expected: tuple[int, int | None],
    noted: list[tuple[str, str]],
) -> None:
    """A budget of 1024 or more, below max_tokens; what had to be altered is said."""
    found = built(max_tokens=max_tokens, reasoning=reasoning)
    sent = json.loads(found.body)
    assert expected == (sent["max_tokens"], sent.get("thinking", {}).get("budget_tokens"))
    assert noted == notes(found)


def test_thinking_where_the_vendor_refuses_to() -> None:
    """With a forced call, and after a call whose signed reasoning is gone."""
    call = [
        HI,
        Message("assistant", [ReasoningPart("Hm"), ToolCallPart("t", "f", "{}")]),
        Message("tool", [ToolResultPart("t", "1")]),
    ]
    forced = built(
        reasoning=Reasoning(max_tokens=2000), tools=[TOOL], tool_choice=ToolChoice("required")
    )
    unsigned = built(*call, reasoning=Reasoning(max_tokens=2000))
    assert [("dropped", "reasoning")] == notes(forced)
    assert [("dropped", "messages.reasoning"), ("dropped", "reasoning")] == notes(unsigned)
    assert all("thinking" not in json.loads(found.body) for found in (forced, unsigned))


@pytest.mark.parametrize(
    ("more", "noted"),
    [
        (
            {"seed": 1, "n": 2, "metadata": {"a": 1}},
            [("dropped", "seed"), ("dropped", "n"), ("dropped", "metadata")],
        ),
        ({"n": 1, "response_format": {"type": "text"}}, []),
        ({"response_format": {"type": "json_object"}}, [("dropped", "response_format")]),
        ({"temperature": 1.5}, [("changed", "temperature")]),
        (
            {"temperature": 0.5, "max_tokens": 5000, "reasoning": Reasoning(max_tokens=2000)},
            [("dropped", "temperature")],
        ),
        ({"stop": ["\n", "END"]}, [("dropped", "stop")]),
        ({"tool_choice": ToolChoice("required")}, [("dropped", "tool_choice")]),
    ],
)
def test_losses_are_noted(more: dict[str, Any], noted: list[tuple[str, str]]) -> None:
    """A parameter that the vendor cannot be told is data."""
    assert noted == notes(built(**more))


def test_late_system_and_odd_arguments() -> None:
    """Both are said differently, and noted once each."""
    calls = [ToolCallPart("a", "f", "[1]"), ToolCallPart("b", "f", '{"cut')]
    found = built(
        HI, Message("system", "Now rhyme"), Message("system", "Really"), Message("assistant", calls)
    )
    user, assistant = json.loads(found.body)["messages"]
    assert ["hi", "Now rhyme", "Really"] == [block["text"] for block in user["content"]]
    assert [{"arguments": "[1]"}, {"arguments": '{"cut'}] == [
        block["input"] for block in assistant["content"]
    ]
    assert [("changed", "messages.system"), ("changed", "messages.tool_call")] == notes(found)


def test_values_that_pass_through() -> None:
    """User, sampling and, last of all, what the client put under `vendor`."""
    found = body(
        user="u", temperature=2, top_p=0.5, stop=["END"], vendor={"top_k": 5, "max_tokens": 9}
    )
    assert ({"user_id": "u"}, 1, 0.5, ["END"], 5, 9) == tuple(
        found[key]
        for key in ("metadata", "temperature", "top_p", "stop_sequences", "top_k", "max_tokens")
    )


def test_nothing_to_say_is_refused() -> None:
    """The vendor takes no request without a turn."""
    with pytest.raises(Refused, match="messages"):
        built(Message("user", ""))


def test_a_json_schema_goes_up_as_the_output_format() -> None:
    """Its objects closed and its bounds in words: the API takes no others."""
    count = {"type": "integer", "minimum": 1}
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": count}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    call = built(HI, response_format=wanted)
    said = {"type": "integer", "description": "(minimum: 1)"}
    closed = {**schema, "properties": {"a": {"type": "array", "items": said}}}
    closed["additionalProperties"] = False
    assert {"format": {"type": "json_schema", "schema": closed}} == json.loads(call.body)[
        "output_config"
    ]
    assert all(note.param != "response_format" for note in call.notes)


def test_a_prompt_is_not_looked_at_letter_by_letter():
    """A text a thousand times as long is as much work, but for what is done in C."""
    counted = []
    for letters in (10, 10, 10_000):
        counter = Opcodes()
        with counter.counting():
            built(Message("user", "x" * letters))
        counted.append(counter.total)
    assert counted[1] == counted[2]  # the first made what is made once
