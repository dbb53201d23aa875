"""Calls that a server gave no ids come back without them, and so do their results."""

import json
from typing import Any

import pytest

from proxy.codec.base import Incoming
from proxy.dialects.openai_chat import DIALECT
from proxy.errors import Refused
from proxy.request import Message, ToolCallPart, ToolResultPart

_HI = {"role": "user", "content": "hi"}


def _calls(*names: str, call_id: str = "") -> dict[str, Any]:
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}
        for name in names
    ]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _result(text: str, **said: str) -> dict[str, str]:
    return {"role": "tool", "content": text, **said}


def _turns(*messages: Any) -> list[Message]:
    assert DIALECT.client is not None
    data = json.dumps({"model": "m", "messages": [_HI, *messages]}).encode()
    return DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, data)).request.messages


def test_they_are_paired_in_their_order() -> None:
    """Each call has an id of its own, the same for the same conversation."""
    said = (
        _calls("f", "g"),
        _result("1", tool_call_id=""),
        _result("2"),
        _calls("f"),
        _result("3"),
    )
    turns = _turns(*said)
    assert turns == _turns(*said)
    parts = [part for turn in turns for part in turn.parts]
    called = {part.id: part.name for part in parts if isinstance(part, ToolCallPart)}
    answered = [(part.id, part.text) for part in parts if isinstance(part, ToolResultPart)]
    assert ["f", "g", "f"] == [*called.values()]
    assert [*zip(called, "123", strict=True)] == answered


@pytest.mark.parametrize(
    "before",
    [
        [],
        [_calls("f", call_id="c1")],
        [_calls("f"), _result("1")],
        [_calls("f"), {"role": "assistant", "content": "so"}],
    ],
)
def test_a_result_of_no_call_is_refused(before: list[Any]) -> None:
    """It has to say whose it is, where the last turn has no call without an id left."""
    with pytest.raises(Refused) as caught:
        _turns(*before, _result("2"))
    assert f"messages[{len(before) + 1}].tool_call_id" == caught.value.failure.param
