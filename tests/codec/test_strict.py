"""Strictness is asked for only of schemas to which the vendor holds its models."""

from typing import Any

import pytest

from proxy.codec.strict import openai_schema
from tests.dialects.asking import HI, ask

_WORD = {"type": "string"}


def _object(required: list[str], **named: Any) -> dict[str, Any]:
    return {"type": "object", "properties": named, "required": required}


_CLOSED = {**_object(["a"], a=_WORD), "additionalProperties": False}
_OPTIONAL = {**_object(["a"], a=_WORD, b=_WORD), "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "held"),
    [
        (_CLOSED, _CLOSED),
        (_object(["a"], a=_WORD), _CLOSED),
        (_OPTIONAL, None),
        ({"type": "object"}, None),
        ({**_object([]), "additionalProperties": True}, None),
        ({**_object(["a"], a={"oneOf": [_WORD]})}, None),
        ({"anyOf": [_CLOSED]}, None),
        (_object(["a"], a={"type": "array", "items": _object([], b=_WORD)}), None),
        (True, None),
    ],
)
def test_openai_holds_to_closed_objects_of_which_nothing_is_optional(
    schema: Any, held: Any
) -> None:
    assert held == openai_schema(schema)


@pytest.mark.parametrize("vendor", ["openai", "openai-responses"])
@pytest.mark.parametrize(
    ("schema", "strict", "notes"),
    [(_CLOSED, True, set()), (_OPTIONAL, False, {("changed", "tools.strict")})],
)
def test_a_tool_of_another_dialect_is_strict_where_it_can_be(
    vendor: str, schema: dict[str, Any], *, strict: bool, notes: set[Any]
) -> None:
    tool = {"name": "t", "strict": True, "input_schema": schema}
    sent = ask("anthropic", {"model": "m", "max_tokens": 99, "messages": [HI], "tools": [tool]}, vendor, "gpt-4.1")  # fmt: skip
    (found,) = sent.body["tools"]
    assert (strict, notes) == (found.get("function", found)["strict"], sent.notes)


@pytest.mark.parametrize(
    ("schema", "strict"), [(_object(["a"], a=_WORD), True), (_object([], a=_WORD), False)]
)
def test_an_answer_is_held_to_its_schema_where_it_can_be(
    schema: dict[str, Any], *, strict: bool
) -> None:
    """Gemini and Cohere hold to a schema of any kind."""
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    body = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": config}
    named = ask("gemini", body, "openai", "gpt-4.1").body["response_format"]["json_schema"]
    assert (strict, strict) == (named["strict"], "additionalProperties" in named["schema"])
    form = ask("gemini", body, "openai-responses", "gpt-4.1").body["text"]["format"]
    assert strict == form["strict"]


def _function(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "strict": True, "parameters": schema},
    }


def _to_claude(*tools: dict[str, Any], model: str = "claude-sonnet-4-5") -> Any:
    return ask("openai_chat", {"model": "m", "messages": [HI], "tools": [*tools]}, "anthropic", model)  # fmt: skip


def test_claudes_strict_tools_have_no_bounds() -> None:
    (tool,) = _to_claude(_function("t", _object(["a"], a={"type": "integer", "minimum": 1}))).body[
        "tools"
    ]
    number = {"type": "integer", "description": "(minimum: 1)"}
    assert (True, {**_object(["a"], a=number), "additionalProperties": False}) == (
        tool["strict"],
        tool["input_schema"],
    )


@pytest.mark.parametrize(
    ("schema", "most"),
    [
        (_CLOSED, 20),
        (_object([], **dict.fromkeys("abc", _WORD)), 8),
        (_object(["a", "b"], a={"type": ["string", "null"]}, b={"anyOf": [_WORD]}), 8),
    ],
)
def test_so_many_tools_of_claude_are_strict_and_no_more(schema: dict[str, Any], most: int) -> None:
    """Source: "Schema complexity limits" of Anthropic's guide."""
    sent = _to_claude(*(_function(f"t{number}", schema) for number in range(25)))
    assert [True] * most + [None] * (25 - most) == [t.get("strict") for t in sent.body["tools"]]
    assert ("changed", "tools.strict") in sent.notes


@pytest.mark.parametrize("strict", [True, False])
def test_a_claude_that_cannot_be_held_to_a_schema_is_not(*, strict: bool) -> None:
    tool = _function("t", _CLOSED)
    tool["function"]["strict"] = strict
    sent = _to_claude(tool, model="claude-3-5-haiku-20241022")
    assert "strict" not in sent.body["tools"][0]
    assert strict == (("dropped", "tools.strict") in sent.notes)


def test_a_response_format_has_a_name_that_openai_takes() -> None:
    """Pages name theirs as they like."""
    form = {"type": "json", "name": "My answer", "schema": _CLOSED}
    body = {"messages": [{"role": "user", "content": "hi"}], "responseFormat": form}
    chat = ask("ai_sdk", body, "openai", "gpt-4.1").body["response_format"]["json_schema"]
    assert (
        chat["name"]
        == ask("ai_sdk", body, "openai-responses", "gpt-4.1").body["text"]["format"]["name"]
    )
    assert ("Myanswer", _CLOSED) == (chat["name"][:8], chat["schema"])
