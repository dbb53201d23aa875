"""What vendors of the catalogue take no more of is said within their bounds, of a client of their
own dialect and of another.
"""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_CHAT = {"model": "m", "messages": [HI]}
_GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize(
    ("client", "body"),
    [
        ("openai_chat", {**_CHAT, "n": 3}),
        ("gemini", {**_GEMINI, "generationConfig": {"candidateCount": 3}}),
    ],
)
def test_groq_gives_one_answer(client: str, body: dict[str, Any]) -> None:
    sent = ask(client, body, "groq", "llama")
    assert (1, {("changed", "n")}) == (sent.body["n"], sent.notes)


def test_one_answer_is_asked_for_as_it_is() -> None:
    sent = ask("openai_chat", {**_CHAT, "n": 1}, "groq", "llama")
    assert (1, set()) == (sent.body["n"], sent.notes)


def test_groq_takes_no_names_of_authors() -> None:
    named = {"model": "m", "messages": [{**HI, "name": "Ada"}]}
    sent = ask("openai_chat", named, "groq", "llama")
    assert ([HI], {("dropped", "messages.refused")}) == (sent.body["messages"], sent.notes)


@pytest.mark.parametrize(
    ("client", "stop"), [("openai_chat", "stop"), ("cohere", "stop_sequences")]
)
def test_coheres_temperature_ends_at_1_and_it_takes_5_stops(client: str, stop: str) -> None:
    """Source: the vendor's page of errors, "temperature must be between 0 and 1.0 inclusive"."""
    texts = ["a", "b", "c", "d", "e", "f"]
    asked = {**_CHAT, "temperature": 1.5, stop: texts}
    sent = ask(client, asked, "cohere", "command-a")
    assert (1, texts[:5]) == (sent.body["temperature"], sent.body["stop_sequences"])
    assert {("changed", "temperature"), ("dropped", stop)} == sent.notes


@pytest.mark.parametrize(
    ("model", "taken"), [("gpt-5-mini", False), ("o3", False), ("o3-mini", True), ("gpt-5.1", True)]
)
def test_reasoning_models_of_openai_that_take_no_stops(model: str, *, taken: bool) -> None:
    """Agents that read the model's text send one with every request."""
    body = {**_CHAT, "stop": ["Observation:"]}
    relayed = ask("openai_chat", body, "openai", model)
    assert (taken, set() if taken else {("dropped", "refused")}) == (
        "stop" in relayed.body,
        relayed.notes,
    )
    said = {"model": "m", "max_tokens": 9, "messages": [HI], "stop_sequences": ["Observation:"]}
    assert taken == ("stop" in ask("anthropic", said, "azure", model).body)
