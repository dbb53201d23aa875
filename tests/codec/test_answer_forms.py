"""A form of the answer that a target does not know is told to the model in words."""

from typing import Any

import pytest

from proxy.codec.mended import mended
from proxy.codec.rules import AnswerForm, Rules
from proxy.request import Cache, ChatRequest, Message, TextPart
from tests.dialects.asking import HI, ask

_SCHEMA = {"type": "object", "properties": {}}
_NAMED = {"type": "json_schema", "json_schema": {"name": "n", "schema": _SCHEMA}}
_ANY = {"type": "json_object"}
_WORDS = "Answer with one JSON object, and nothing else"


def _under(form: dict[str, Any], *known: AnswerForm, **more: Any) -> ChatRequest:
    request = ChatRequest(model="m", messages=[Message("user", "hi")], response_format=form, **more)
    return mended(request, Rules(answer_forms=known)).request


@pytest.mark.parametrize(
    ("form", "known", "left"),
    [
        (_NAMED, ("json_schema",), _NAMED),
        (_NAMED, ("json_object",), _ANY),
        (_NAMED, ("text",), None),
        (_ANY, ("json_schema",), None),
        ({"type": "text"}, ("text",), {"type": "text"}),
    ],
)
def test_what_is_not_known_is_said_by_what_is(
    form: dict[str, Any], known: tuple[AnswerForm, ...], left: dict[str, Any] | None
) -> None:
    found = _under(form, *known)
    assert left == found.response_format
    assert (left != form) == (found.system or "").startswith(_WORDS)


def test_the_words_stand_behind_what_the_system_says() -> None:
    """As a piece of their own, where one has a mark for the prompt cache."""
    first = TextPart("s", Cache())
    found = _under(_NAMED, "text", system="s", system_parts=[first])
    assert found.system is not None
    assert found.system.startswith(f"s\n\n{_WORDS}, that this JSON Schema admits: ")
    assert [first, TextPart(found.system.removeprefix("s\n\n"))] == found.system_parts


@pytest.mark.parametrize(
    ("vendor", "model", "form", "told"),
    [
        ("anthropic", "claude-sonnet-4-5", _NAMED, False),
        ("anthropic", "claude-sonnet-4-5", _ANY, True),
        ("anthropic", "claude-3-5-haiku-20241022", _NAMED, True),
        ("bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0", _NAMED, True),
        ("bedrock", "us.amazon.nova-pro-v1:0", _NAMED, True),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", _NAMED, False),
    ],
)
def test_models_that_refuse_a_form(
    vendor: str, model: str, form: dict[str, Any], *, told: bool
) -> None:
    body = {"model": "m", "messages": [HI], "response_format": form}
    sent = ask("openai_chat", body, vendor, model)
    assert told == (_WORDS in str(sent.body.get("system")))
    assert told == sent.body.keys().isdisjoint({"output_config", "outputConfig"})
    assert told == (("changed", "response_format") in sent.notes)
