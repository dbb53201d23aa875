"""Reasoning that no answer and no call follows is left out for OpenAI, which refuses it."""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"}
_CALL = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
_RESULT = {"type": "function_call_output", "call_id": "a", "output": "7"}
_SAID = {"type": "message", "role": "assistant", "content": "yes"}
_LEFT = ("dropped", "input.reasoning")


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ([HI, _THOUGHT, HI], [HI, HI]),
        ([HI, _THOUGHT, _THOUGHT], [HI]),
        ([HI, _THOUGHT, _CALL, _RESULT, _THOUGHT], [HI, _THOUGHT, _CALL, _RESULT]),
        ([HI, _CALL, _THOUGHT, _RESULT], [HI, _CALL, _RESULT]),
        ([HI, _THOUGHT, _THOUGHT, _SAID, HI], None),
        ([HI, _THOUGHT, {"type": "item_reference", "id": "msg_1"}], None),
    ],
)
def test_it_is_left_out_for_a_vendor_that_looks(items: list[Any], left: list[Any] | None) -> None:
    body = {"model": "m", "input": items}
    sent = ask("openai_responses", body, "openai-responses", "gpt-5.1")
    assert (left or items, {_LEFT} if left else set()) == (sent.body["input"], sent.notes)
    assert items == ask("openai_responses", body, "xai-responses", "grok-4").body["input"]


def test_so_it_is_of_a_turn_of_another_dialect() -> None:
    """A turn that was broken off while the model thought."""
    thought = {"type": "reasoning.encrypted", "data": "E", "format": "openai-responses-v1"}
    turn = {"role": "assistant", "content": None, "reasoning_details": [thought]}
    said = {"role": "assistant", "content": "yes", "reasoning_details": [thought]}
    body = {"model": "m", "messages": [HI, said, HI, turn, HI]}
    sent = ask("openai_chat", body, "openai-responses", "gpt-5.1")
    kinds = ["message", "reasoning", "message", "message", "message"]
    assert kinds == [item["type"] for item in sent.body["input"]]
    assert {_LEFT} == sent.notes
