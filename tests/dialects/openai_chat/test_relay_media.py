"""Pictures in tools' results, for a vendor whose results hold text only."""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
_PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}}  # fmt: skip
_WORDS = {"type": "text", "text": "see"}


def _call(name: str) -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _result(name: str, content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": content}


def _talk(*more: Any) -> list[Any]:
    calls = {"role": "assistant", "content": None, "tool_calls": [_call("a"), _call("b")]}
    return [HI, calls, *more]


def _of(name: str) -> dict[str, Any]:
    return {"type": "text", "text": f"From the result of the tool call {name}:"}


@pytest.mark.parametrize("then", [[], [HI]])
def test_they_stand_behind_all_results_of_a_turn(then: list[Any]) -> None:
    talk = _talk(_result("a", [_WORDS, _PNG]), _result("b", [_PNG, _PDF]), *then)
    sent = ask("openai_chat", {"model": "m", "messages": talk}, "openai", "gpt-4.1")
    assert [
        *_talk(_result("a", [_WORDS]), _result("b", "(see below)")),
        {"role": "user", "content": [_of("a"), _PNG, _of("b"), _PNG, _PDF]},
        *then,
    ] == sent.body["messages"]
    assert {("changed", "tool_result.content")} == sent.notes


def test_groq_is_told_of_pictures_so_and_others_as_the_client_says_it() -> None:
    body = {"model": "m", "messages": _talk(_result("a", [_PNG]), _result("b", "7"))}
    assert "(see below)" == ask("openai_chat", body, "groq", "m").body["messages"][2]["content"]
    for vendor in ("openrouter", "vllm"):
        sent = ask("openai_chat", body, vendor, "m")
        assert (body["messages"], set()) == (sent.body["messages"], sent.notes)


def test_results_of_text_are_the_clients_own() -> None:
    talk = _talk(_result("a", [_WORDS]), _result("b", "7"))
    assert (
        talk == ask("openai_chat", {"model": "m", "messages": talk}, "openai", "m").body["messages"]
    )
