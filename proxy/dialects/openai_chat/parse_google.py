"""What a client says to Gemini alone, in the words of Gemini's own OpenAI form
(`extra_body.google`) and of gateways before it (`modalities`, `image_config`).

Sources: "OpenAI compatibility" of Gemini's guide; OpenRouter's guide to images.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from proxy.dialects.openai_chat.parse_parts import Noting
from proxy.request import Effort, Reasoning

_GEMINI = "gemini"  # the dialect
_MODALITIES = {"text": "TEXT", "image": "IMAGE"}
_LEVELS: dict[str, Effort] = {
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
}
_KEYS = frozenset({"extra_body", "google", "modalities", "image_config"})
_OWN = {"cached_content": "cachedContent", "safety_settings": "safetySettings"}
_ASPECTS = {"aspect_ratio": "aspectRatio", "image_size": "imageSize"}


class ForGoogle(NamedTuple):
    """`keys` are those of the body that are read here; `own` is what a native Gemini request says,
    by its dialect.
    """

    keys: frozenset[str]
    own: dict[str, dict[str, Any]]
    reasoning: Reasoning | None


def for_google(value: Mapping[str, Any], note: Noting) -> ForGoogle:
    """What there is of it in a body."""
    if _KEYS.isdisjoint(value):
        return ForGoogle(frozenset(), {}, None)
    keys: set[str] = set()
    own: dict[str, Any] = {}
    config: dict[str, Any] = {}
    thinking = None
    match value:
        case {"extra_body": {"google": dict(said), **rest}}:
            if not rest:
                keys.add("extra_body")
            thinking = _google(said, own, note)
        case {"google": dict(said)}:
            keys.add("google")
            thinking = _google(said, own, note)
    match value.get("modalities"):
        case list(wanted) if "image" in wanted and all(each in _MODALITIES for each in wanted):
            keys.add("modalities")
            config["responseModalities"] = [_MODALITIES[each] for each in wanted]
    match value.get("image_config"):
        case dict(said) if said.keys() <= _ASPECTS.keys():
            keys.add("image_config")
            config["imageConfig"] = {_ASPECTS[name]: each for name, each in said.items()}
    if config:
        own["generationConfig"] = config
    return ForGoogle(frozenset(keys), {_GEMINI: own} if own else {}, thinking)


def _google(said: Mapping[str, Any], own: dict[str, Any], note: Noting) -> Reasoning | None:
    thinking = None
    for name, each in said.items():
        if name in _OWN:
            own[_OWN[name]] = each
        elif name == "thinking_config" and isinstance(each, dict):
            thinking = _thinking(each)
        elif each is not None:
            note("extra_body", "Of what is said to Google, some has no place in its own requests.")
    return thinking


def _thinking(said: Mapping[str, Any]) -> Reasoning | None:
    """A budget stays a budget, a level an effort; by -1, or by asking only to see it, thinking is
    left to the model.
    """
    summary = "auto" if said.get("include_thoughts") else None
    level, budget = said.get("thinking_level"), said.get("thinking_budget")
    if isinstance(level, str) and level.lower() in _LEVELS:
        return Reasoning(_LEVELS[level.lower()], summary=summary)
    if budget == 0:
        return Reasoning("none")
    if isinstance(budget, int) and budget > 0:
        return Reasoning(None, budget, summary=summary)
    if budget == -1 or summary:
        return Reasoning(adaptive=True, summary=summary)
    return None
