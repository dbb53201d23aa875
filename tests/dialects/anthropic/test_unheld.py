"""A client's own request for a model that cannot be held to a schema."""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_OLD = "claude-sonnet-4-20250514"
_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
_FORM = {"type": "json_schema", "schema": _SCHEMA}
_WORDS = (
    "Answer with one JSON object, and nothing else, that this JSON Schema admits: "
    '{"type":"object","properties":{},"additionalProperties":false}'
)
_TEXT = {"type": "text", "text": "Be brief."}


def _ask(model: str, **more: Any) -> Any:
    body = {"model": "m", "max_tokens": 99, "messages": [HI], **more}
    return ask("anthropic", body, "anthropic", model)


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ({}, _WORDS),
        ({"system": "Be brief."}, f"Be brief.\n\n{_WORDS}"),
        ({"system": [_TEXT]}, [_TEXT, {"type": "text", "text": _WORDS}]),
    ],
)
def test_it_is_told_the_form_of_the_answer_in_words(system: dict[str, Any], told: Any) -> None:
    sent = _ask(_OLD, output_config={"format": _FORM}, **system)
    assert (told, False) == (sent.body["system"], "output_config" in sent.body)
    assert {("changed", "output_config.format")} == sent.notes


def test_so_it_is_of_the_older_word_for_it() -> None:
    sent = _ask(_OLD, output_format=_FORM, output_config={"task_budget": {"total": 9}})
    assert (_WORDS, {"task_budget": {"total": 9}}) == (
        sent.body["system"],
        sent.body["output_config"],
    )
    assert "output_format" not in sent.body


def test_its_tools_are_not_strict() -> None:
    tools = [{"name": "a", "strict": True, "input_schema": _SCHEMA}, {"name": "b", "input_schema": _SCHEMA}]  # fmt: skip
    sent = _ask(_OLD, tools=tools)
    assert [{"name": name, "input_schema": _SCHEMA} for name in "ab"] == sent.body["tools"]
    assert {("dropped", "tools.strict")} == sent.notes


def test_a_model_that_can_be_held_is() -> None:
    more = {
        "output_config": {"format": _FORM},
        "tools": [{"name": "a", "strict": True, "input_schema": _SCHEMA}],
    }
    sent = _ask("claude-sonnet-4-5", **more)
    assert more.items() <= sent.body.items()
    assert set() == sent.notes
