"""`reasoning_details` and `thinking_blocks`, written and read back."""

from typing import Any

import pytest

from proxy.codec.proofs import ANTHROPIC, GEMINI, OPENAI
from proxy.codec.reasoning_details import CallProof, details_of, read, read_with
from proxy.request import ReasoningPart, TextPart


@pytest.mark.parametrize(
    "part",
    [
        ReasoningPart("I think.", "SIG", format=ANTHROPIC),
        ReasoningPart("", "ENC", redacted=True, format=ANTHROPIC),
        ReasoningPart("I think.", "ENC", format=OPENAI, id="rs_1"),
        ReasoningPart("", "ENC", format=OPENAI, id="rs_1"),
        ReasoningPart("I think.", None, format=OPENAI, id="rs_1"),
        ReasoningPart("I think."),
    ],
)
def test_what_was_written_is_read_back(part: ReasoningPart) -> None:
    assert [part] == read(details_of(part, 0), None, None, ()).parts


def test_reasoning_that_says_nothing_has_no_details() -> None:
    assert [] == details_of(ReasoningPart("", None, format=OPENAI), 0)


def test_a_proof_that_names_a_call_is_the_calls() -> None:
    detail = {"type": "reasoning.encrypted", "data": "ENC", "format": GEMINI, "id": "call_1"}
    found = read([detail, "odd"], None, None, ("call_1",))
    assert ([], {"call_1": CallProof("ENC", GEMINI)}) == (found.parts, found.calls)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "redacted_thinking", "data": "ENC"}, ReasoningPart("", "ENC", True, ANTHROPIC)),
        (
            {"thinking": "I think.", "signature": "SIG"},
            ReasoningPart("I think.", "SIG", False, ANTHROPIC),
        ),
        ({"thinking": "I think."}, ReasoningPart("I think.")),
        ({"odd": 1}, None),
        ("odd", None),
    ],
)
def test_thinking_blocks_are_read_where_there_are_no_details(
    block: Any, expected: ReasoningPart | None
) -> None:
    assert [expected] * (expected is not None) == read(None, [block], None, ()).parts


@pytest.mark.parametrize("text", ["I think.", {"text": "I think."}])
def test_plain_text_is_read_where_nothing_else_says_it(text: Any) -> None:
    assert [ReasoningPart("I think.")] == read(None, None, text, ()).parts


def test_a_turns_own_reasoning_gets_its_proof() -> None:
    """The text stands in the dialect's own field, the proof in details."""
    parts = [ReasoningPart("I think."), TextPart("Hi.")]
    proof = {"type": "reasoning.text", "text": "", "signature": "SIG", "format": ANTHROPIC}
    assert [
        ReasoningPart("I think.", "SIG", format=ANTHROPIC),
        TextPart("Hi."),
    ] == read_with(parts, [proof], ()).parts
    assert parts == read_with(parts, None, ()).parts
