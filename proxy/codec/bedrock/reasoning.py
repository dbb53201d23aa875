"""How much to think. Converse has no word of its own for it: each vendor's models take theirs, told
apart by the model's id.
"""

from typing import Any, Literal

from proxy.codec.chat_turns import drop
from proxy.codec.efforts import BUDGETS, three_steps
from proxy.events import Note
from proxy.request import ChatRequest

_LEAST_BUDGET = 1024
_Three = Literal["low", "medium", "high"]
_STEPS: tuple[_Three, ...] = ("low", "medium", "high")


def think(
    request: ChatRequest, model: str, inference: dict[str, Any], notes: list[Note]
) -> dict[str, Any]:
    """The model's own fields; `inference` is changed where it does not go with thinking."""
    asked = request.reasoning
    if asked is None or asked.effort == "none" or (asked.effort is None and not asked.max_tokens):
        return {}
    if "anthropic." in model:
        return _claude(request, inference, notes)
    if "amazon.nova-2" in model or "openai." in model:
        effort = _effort(request, notes)
        nova = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}
        return nova if "amazon.nova-2" in model else {"reasoning_effort": effort}
    drop(
        notes,
        "reasoning",
        (
            "How this model is told to think is not known here: put its own fields into "
            "additionalModelRequestFields."
        ),
    )
    return {}


def _claude(request: ChatRequest, inference: dict[str, Any], notes: list[Note]) -> dict[str, Any]:
    """A budget, which counts in maxTokens; neither temperature nor a forced tool call goes with
    it.
    """
    asked, choice = request.reasoning, request.tool_choice
    assert asked is not None
    if request.tools and choice is not None and choice.mode in ("required", "tool"):
        drop(notes, "reasoning", "Claude cannot think where a tool call is forced.")
        return {}
    if asked.max_tokens:
        budget = max(asked.max_tokens, _LEAST_BUDGET)
        if budget > asked.max_tokens:
            drop(
                notes,
                "reasoning.max_tokens",
                f"Claude thinks with {_LEAST_BUDGET} tokens or more; that is sent.",
                "changed",
            )
    else:
        budget = BUDGETS[asked.effort or "none"]
        drop(
            notes,
            "reasoning.effort",
            f"The effort is said as a thinking budget of {budget} tokens.",
            "changed",
        )
    if inference.pop("temperature", 1) != 1:
        drop(notes, "temperature", "Claude takes no temperature together with thinking.")
    answer = inference.get("maxTokens")
    if answer is not None and answer <= budget:
        drop(
            notes,
            "max_tokens",
            "Claude counts thinking in maxTokens, so the thinking budget is added to it.",
            "changed",
        )
        inference["maxTokens"] = answer + budget
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


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
    return next((step for step in _STEPS if (asked.max_tokens or 0) <= BUDGETS[step]), "high")
