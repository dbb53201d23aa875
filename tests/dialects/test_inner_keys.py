"""What a client says within its messages and tools, and its dialect does not know, is noted where
the request goes to an upstream of another dialect, and reaches one of the same.
"""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {}}}
_TOOL = {"type": "function", "function": _FUNCTION}
_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _odd(holder: dict[str, Any]) -> dict[str, Any]:
    return {**holder, "odd": 1}


def _chat(call: dict[str, Any] = _CALL, **more: Any) -> dict[str, Any]:
    calls = {"role": "assistant", "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c", "content": "7"}
    return {"model": "m", "messages": [HI, calls, result], "tools": [_TOOL], **more}


def _gemini(call: dict[str, Any], result: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"functionCall": call}], **more},
            {"role": "user", "parts": [{"functionResponse": result}]},
        ]
    }


_ASKED = {"name": "f", "args": {}}
_GIVEN = {"name": "f", "response": {"output": "7"}}


@pytest.mark.parametrize(
    ("client", "vendor", "body", "param"),
    [
        *(
            (client, client, body, "unknown_key")
            for client in ("cohere", "ollama")
            for body in (
                _chat(_odd(_CALL)),
                _chat(tools=[_odd(_TOOL)]),
                _chat(tools=[{**_TOOL, "function": _odd(_FUNCTION)}]),
                _chat(messages=[_odd(HI)]),
            )
        ),
        ("gemini", "gemini", _gemini(_ASKED, _GIVEN, odd=1), "unknown_key"),
        ("gemini", "gemini", _gemini(_odd(_ASKED), _GIVEN), "unknown_part"),
        ("gemini", "gemini", _gemini(_ASKED, _odd(_GIVEN)), "unknown_part"),
    ],
)
def test_it_is_noted_elsewhere(client: str, vendor: str, body: dict[str, Any], param: str) -> None:
    assert {("dropped", param)} == ask(client, body, "openai", "gpt-4.1").notes
    own = ask(client, body, vendor, "gemini-2.5-flash")
    assert (set(), 1) == (own.notes, str(own.body).count("'odd': 1"))


@pytest.mark.parametrize("client", ["cohere", "ollama"])
def test_what_is_known_is_not(client: str) -> None:
    indexed = {**_CALL, "function": {**_CALL["function"], "index": 0}}  # type: ignore[dict-item]
    call = indexed if client == "ollama" else _CALL
    assert set() == ask(client, _chat(call), "openai", "gpt-4.1").notes
