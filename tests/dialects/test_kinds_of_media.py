"""Media of kinds that a vendor does not take are said as it takes them, or noted."""

from typing import Any

import pytest

from tests.dialects.asking import ask

_HELLO = "aGVsbG8="
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _ask(kind: str, vendor: str) -> Any:
    part = {"inlineData": {"mimeType": kind, "data": _HELLO}}
    body = {"contents": [{"role": "user", "parts": [{"text": "So?"}, part]}]}
    return ask("gemini", body, vendor, "m")


@pytest.mark.parametrize(
    "kind",
    [
        "text/x-python",
        "application/json",
        "application/x-yaml",
        "application/javascript",
        "application/vnd.api+json",
        "image/svg+xml",
    ],
)
@pytest.mark.parametrize("vendor", ["openai", "anthropic", "ollama", "cohere", "bedrock"])
def test_what_is_text_by_another_name_is_said_as_text(kind: str, vendor: str) -> None:
    said = str(_ask(kind, vendor).body)
    assert (_HELLO if vendor == "bedrock" else "hello") in said
    assert "image_url" not in said


@pytest.mark.parametrize(("vendor", "taken"), [("bedrock", True), ("openai", False), ("anthropic", False)])  # fmt: skip
def test_documents_of_a_word_processor(vendor: str, *, taken: bool) -> None:
    sent = _ask(_DOCX, vendor)
    assert (taken, not taken) == (
        _HELLO in str(sent.body),
        ("dropped", "messages.document") in sent.notes,
    )


@pytest.mark.parametrize(
    ("kind", "word"), [("audio/wav", "wav"), ("audio/mpeg", "mp3"), ("audio/flac", None)]
)
@pytest.mark.parametrize("vendor", ["openai", "openai-responses"])
def test_openai_hears_two_kinds_of_sound(kind: str, word: str | None, vendor: str) -> None:
    sent = _ask(kind, vendor)
    assert (word is not None) == (f"'format': '{word}'" in str(sent.body))
    assert (word is None) == (("dropped", "messages.audio") in sent.notes)


def test_others_may_hear_more() -> None:
    assert "'format': 'flac'" in str(_ask("audio/flac", "vllm").body)
