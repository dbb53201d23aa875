"""How much to think, and how the answer is drawn. Converse has no words of its own for thinking:
each vendor's models take theirs, told apart by the model's id.
"""

from collections.abc import Sequence
from typing import Any, Literal

from proxy.codec.chat_turns import drop
from proxy.codec.claude import plan, sampling
from proxy.codec.efforts import BUDGETS, three_steps
from proxy.codec.rules import Rules
from proxy.events import Note
from proxy.request import ChatRequest

_NAMES = {"temperature": "temperature", "top_p": "topP"}
_Three = Literal["low", "medium", "high"]
_STEPS: tuple[_Three, ...] = ("low", "medium", "high")


def think(
    request: ChatRequest,
    model: str,
    rules: Rules,
    inference: dict[str, Any],
    notes: list[Note],
    *,
    last_kinds: Sequence[str],
) -> dict[str, Any]:
    """The model's own fields; `inference` is changed where it does not go with thinking, and gets
    how the answer is drawn. `last_kinds`: see `proxy.codec.claude.plan`.
    """
    if "anthropic." in model:
        return _claude(request, rules, inference, last_kinds, notes)
    _sampling(request, inference, notes)
    extra = _top_k(request, model, notes)
    asked = request.reasoning
    if asked is None or asked.effort == "none":
        return extra
    if asked.effort is None and not asked.max_tokens and not asked.adaptive:
        return extra
    if "amazon.nova-2" in model or "openai." in model:
        effort = _effort(request, notes)
        nova = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}
        return extra | (nova if "amazon.nova-2" in model else {"reasoning_effort": effort})
    drop(
        notes,
        "reasoning",
        (
            "How this model is told to think is not known here: put its own fields into "
            "additionalModelRequestFields."
        ),
    )
    return extra


def _claude(
    request: ChatRequest,
    rules: Rules,
    inference: dict[str, Any],
    last_kinds: Sequence[str],
    notes: list[Note],
) -> dict[str, Any]:
    """Its own words are those of Anthropic's API; thinking counts in maxTokens."""
    wanted = plan(request, rules, None, last_kinds, notes)
    if wanted.thinks and wanted.max_tokens is None and rules.max_tokens is not None:
        wanted = plan(request, rules, rules.max_tokens, last_kinds, [])
    if wanted.max_tokens is not None:
        inference["maxTokens"] = wanted.max_tokens
    drawn = sampling(request, wanted.thinks, notes)
    inference |= {_NAMES[name]: value for name, value in drawn.items() if name in _NAMES}
    extra: dict[str, Any] = {"top_k": drawn["top_k"]} if "top_k" in drawn else {}
    if wanted.thinking is not None:
        extra["thinking"] = wanted.thinking
    if wanted.effort is not None:
        extra["output_config"] = {"effort": wanted.effort}
    return extra


def _sampling(request: ChatRequest, inference: dict[str, Any], notes: list[Note]) -> None:
    if request.temperature is not None:
        if request.temperature > 1:
            drop(notes, "temperature", "Bedrock's temperature ends at 1; 1 is sent.", "changed")
        inference["temperature"] = min(request.temperature, 1)
    if request.top_p is not None:
        inference["topP"] = request.top_p


def _top_k(request: ChatRequest, model: str, notes: list[Note]) -> dict[str, Any]:
    """Converse has no word for it; Nova has its own."""
    if request.top_k is None:
        return {}
    if "amazon.nova" in model:
        return {"inferenceConfig": {"topK": request.top_k}}
    said = (
        "How this model is told top_k is not known here: put it into additionalModelRequestFields."
    )
    drop(notes, "top_k", said)
    return {}


def _effort(request: ChatRequest, notes: list[Note]) -> _Three:
    """In three steps; a budget in tokens becomes the step that it would be for Claude."""
    asked = request.reasoning
    assert asked is not None
    if asked.max_tokens:
        drop(
            notes,
            "reasoning.max_tokens",
            "This model takes no budget in tokens; an effort is sent instead.",
            "changed",
        )
    if asked.effort == "minimal":
        drop(notes, "reasoning.effort", "This model's least effort is low.", "changed")
        return "low"
    if asked.effort is not None and asked.effort != "none":
        return three_steps(asked.effort)
    if not asked.max_tokens:  # as much as the model thinks fit, for which there is no word
        drop(notes, "reasoning.adaptive", "An effort of medium is sent.", "changed")
        return "medium"
    return next((step for step in _STEPS if (asked.max_tokens or 0) <= BUDGETS[step]), "high")
