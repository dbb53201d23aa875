"""Who speaks in a turn, where a client says it in the words of another API."""

from typing import Any

import pytest

from proxy.errors import Refused
from tests.dialects.asking import HI, ask

# A vendor of each dialect whose turns have roles, one of its models, and where its turns stand.
_VENDORS = {
    "openai_chat": ("openai", "gpt-4o", "messages"),
    "openai_responses": ("openai-responses", "gpt-5", "input"),
    "anthropic": ("anthropic", "claude-sonnet-4-5", "messages"),
    "cohere": ("cohere", "command-a", "messages"),
    "ollama": ("ollama", "llama3", "messages"),
    "gemini": ("gemini", "gemini-2.5-flash", "contents"),
}


def _body(client: str, role: str) -> dict[str, Any]:
    if client == "gemini":
        return {
            "contents": [
                {"role": "user", "parts": [{"text": "hi"}]},
                {"role": role, "parts": [{"text": "one"}]},
            ]
        }
    return {
        "model": "m",
        "max_tokens": 9,
        _VENDORS[client][2]: [HI, {"role": role, "content": "one"}],
    }


@pytest.mark.parametrize(
    ("role", "meant"),
    [
        ("User", "user"),
        ("human", "user"),
        ("AI", "assistant"),
        ("Assistant", "assistant"),
        ("model", "assistant"),
        ("bot", "assistant"),
    ],
)
@pytest.mark.parametrize("client", _VENDORS)
def test_a_speaker_in_other_words_is_said_in_the_dialects_own(
    client: str, role: str, meant: str
) -> None:
    """To the vendor of the dialect, who would refuse the other word, and to one of another."""
    vendor, model, key = _VENDORS[client]
    own = "model" if (client, meant) == ("gemini", "assistant") else meant
    assert own == ask(client, _body(client, role), vendor, model).body[key][1]["role"]
    if meant == "assistant":
        there = ask(client, _body(client, role), "groq", "llama").body["messages"]
        assert {"role": "assistant", "content": "one"} == there[1]


@pytest.mark.parametrize("client", ["cohere", "ollama", "anthropic"])
def test_a_developer_is_the_system_where_there_is_none(client: str) -> None:
    vendor, model, key = _VENDORS[client]
    sent = ask(client, _body(client, "developer"), vendor, model)
    assert "system" == sent.body[key][1]["role"]


@pytest.mark.parametrize("client", sorted(_VENDORS.keys() - {"gemini"}))
def test_a_turn_of_an_unknown_role_goes_to_the_dialects_own_vendor_alone(client: str) -> None:
    """Nobody else could tell who speaks, and without the turn it would be another conversation."""
    vendor, model, key = _VENDORS[client]
    assert "critic" == ask(client, _body(client, "critic"), vendor, model).body[key][1]["role"]
    other = "gemini" if client == "openai_chat" else "groq"
    with pytest.raises(Refused) as refused:
        ask(client, _body(client, "critic"), other, "m")
    failure = refused.value.failure
    assert f"{key}[1].role" == failure.param
    assert failure.message.startswith(f"up cannot take {key}[1].role: 'critic' is no role; known ")
    assert "user" in failure.message


def test_an_unknown_role_of_gemini_is_refused_as_the_vendor_does() -> None:
    with pytest.raises(Refused) as refused:
        ask("gemini", _body("gemini", "critic"), "gemini", "gemini-2.5-flash")
    assert "contents[1].role" == refused.value.failure.param
