"""What a client of chat completions says to Gemini alone reaches Gemini's own API."""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_SAFETY = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]


def _chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [HI], **more}


@pytest.mark.parametrize("wrapped", [True, False])
def test_extra_body_google_as_geminis_openai_form_takes_it(*, wrapped: bool) -> None:
    said = {
        "thinking_config": {"thinking_budget": 800, "include_thoughts": True},
        "cached_content": "cachedContents/abc",
        "safety_settings": _SAFETY,
    }
    body = _chat(**({"extra_body": {"google": said}} if wrapped else {"google": said}))
    sent = ask("openai_chat", body, "gemini", "gemini-2.5-flash")
    assert ("cachedContents/abc", _SAFETY) == (
        sent.body["cachedContent"],
        sent.body["safetySettings"],
    )
    thinking = {"thinkingBudget": 800, "includeThoughts": True}
    assert {"thinkingConfig": thinking} == sent.body["generationConfig"]
    assert set() == sent.notes
    assert body.items() <= ask("openai_chat", body, "gemini-openai", "m").body.items()


@pytest.mark.parametrize(
    ("said", "model", "thinking"),
    [
        ({"thinking_budget": 0}, "gemini-2.5-flash", {"thinkingBudget": 0}),
        ({"thinking_budget": -1}, "gemini-2.5-flash", {"thinkingBudget": -1}),
        ({"thinking_level": "LOW"}, "gemini-3-pro", {"thinkingLevel": "low"}),
    ],
)
def test_thinking_in_geminis_words(said: Any, model: str, thinking: dict[str, Any]) -> None:
    body = _chat(extra_body={"google": {"thinking_config": said}})
    config = ask("openai_chat", body, "gemini", model).body["generationConfig"]["thinkingConfig"]
    assert thinking.items() <= config.items()


def test_no_thinking_is_asked_for_by_an_empty_config() -> None:
    body = _chat(google={"thinking_config": {"include_thoughts": False}})
    assert "generationConfig" not in ask("openai_chat", body, "gemini", "gemini-2.5-flash").body


def test_an_effort_goes_before_what_is_said_to_google() -> None:
    body = _chat(reasoning_effort="none", google={"thinking_config": {"thinking_budget": 800}})
    config = ask("openai_chat", body, "gemini", "gemini-2.5-flash").body["generationConfig"]
    assert {"thinkingConfig": {"thinkingBudget": 0}} == config


def test_pictures_are_asked_for_as_gateways_do() -> None:
    body = _chat(modalities=["image", "text"], image_config={"aspect_ratio": "16:9"})
    sent = ask("openai_chat", body, "gemini", "gemini-2.5-flash-image")
    assert {
        "responseModalities": ["IMAGE", "TEXT"],
        "imageConfig": {"aspectRatio": "16:9"},
    } == sent.body["generationConfig"]
    assert set() == sent.notes


@pytest.mark.parametrize(
    ("more", "notes"),
    [
        ({"modalities": ["text"]}, set()),
        ({"modalities": ["text", "audio"]}, {("dropped", "modalities")}),
        ({"image_config": {"strength": 1}}, {("dropped", "unknown_key")}),
        ({"google": {"labels": {}}}, {("dropped", "extra_body")}),
        ({"google": {"labels": None}}, set()),
        ({"extra_body": {"top_k": 1, "google": {}}}, {("dropped", "unknown_key")}),
    ],
)
def test_what_has_no_place_there_is_noted(more: dict[str, Any], notes: set[Any]) -> None:
    sent = ask("openai_chat", _chat(**more), "gemini", "gemini-2.5-flash")
    assert (notes, {"contents"}) == (sent.notes, set(sent.body))


def test_others_are_not_told_and_it_is_noted() -> None:
    body = _chat(google={"safety_settings": _SAFETY}, max_tokens=9)
    sent = ask("openai_chat", body, "anthropic", "claude-sonnet-4-5")
    assert {("dropped", "own")} == sent.notes
    assert "HARM" not in str(sent.body)
