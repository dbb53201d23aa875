"""Functions in OpenAI's old form, over vendors of the same dialect."""

from typing import Any

from tests.dialects.asking import HI, ask

_BODY: dict[str, Any] = {
    "model": "m",
    "messages": [
        HI,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
    ],
    "functions": [{"name": "f", "parameters": {"type": "object", "properties": {}}}],
}


def test_a_vendor_that_knows_tools_only_gets_tools() -> None:
    """It refuses the old keys, and a turn of the assistant that says nothing."""
    sent = ask("openai_chat", _BODY, "mistral", "mistral-large-latest").body
    assert ["user", "assistant", "tool"] == [turn["role"] for turn in sent["messages"]]
    assert ["f"] == [tool["function"]["name"] for tool in sent["tools"]]
    assert sent["messages"][1]["tool_calls"][0]["id"] == sent["messages"][2]["tool_call_id"]
    assert "functions" not in sent


def test_openai_gets_them_as_they_are() -> None:
    """It still knows them."""
    sent = ask("openai_chat", _BODY, "openai", "gpt-4o").body
    assert _BODY["functions"] == sent["functions"]
    assert _BODY["messages"] == sent["messages"]
