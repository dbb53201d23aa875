"""How much to think: Gemini 3 is told a level, 2.5 a budget in tokens, older models nothing.

Source: "Gemini thinking" of the vendor's guide; the budgets are those by which its
OpenAI-compatible endpoint reads an effort.
"""

import re
from typing import Any, Literal

from proxy.codec.chat_turns import drop
from proxy.codec.rules import Thinking
from proxy.events import Note
from proxy.request import ChatRequest, Effort

How = Literal["level", "budget", "none"]
_RULED: dict[Thinking, How] = {
    "adaptive": "level",
    "both": "level",
    "level": "level",
    "budget": "budget",
    "none": "none",
}
_VERSION = re.compile(r"(?:^|/)gemini-(\d+)(?:\.(\d+))?")
_BUDGET: dict[Effort, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 32768,
}
_LEVEL: dict[Effort, str] = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}


def how(model: str, ruled: Thinking | None = None) -> How:
    """How a model is told: as its rules say, else by its name. One whose name has no version gets a
    budget, which newer ones take too.
    """
    if ruled is not None:
        return _RULED[ruled]
    version = _version(model)
    if version >= (3, 0):
        return "level"
    return "budget" if version >= (2, 5) else "none"


def wants_signatures(model: str) -> bool:
    """Whether the model refuses tool calls that come back without the signature that they had."""
    return (3, 0) <= _version(model) < _UNKNOWN


def thinking_config(
    request: ChatRequest, way: How, notes: list[Note], *, include_thoughts: bool
) -> dict[str, Any] | None:
    """The `thinkingConfig`, None where nothing is asked for."""
    asked = request.reasoning
    if asked is None or (asked.effort is None and asked.max_tokens is None):
        return None
    if way == "none":
        if asked.effort != "none":
            drop(notes, "reasoning", "This model does not think.")
        return None
    if asked.max_tokens is not None:
        if asked.effort is not None:
            drop(
                notes,
                "reasoning.effort",
                "Gemini takes an effort or a budget; the budget was sent.",
            )
        return {
            "thinkingBudget": asked.max_tokens,
            **_shown(include_thoughts and asked.max_tokens != 0),
        }
    effort = asked.effort or "medium"
    if way == "level":
        if effort == "none":
            drop(
                notes,
                "reasoning.effort",
                "Gemini 3 always thinks; it was asked to think least.",
                "changed",
            )
        return {"thinkingLevel": _LEVEL[effort], **_shown(include_thoughts and effort != "none")}
    budget = _BUDGET[effort]
    if budget:
        drop(
            notes,
            "reasoning.effort",
            f"The effort is said as a thinking budget of at most {budget} tokens.",
            "changed",
        )
    return {"thinkingBudget": budget, **_shown(include_thoughts and budget > 0)}


def _shown(include: bool) -> dict[str, bool]:
    return {"includeThoughts": True} if include else {}


_UNKNOWN = (99, 0)


def _version(model: str) -> tuple[int, int]:
    match = _VERSION.search(model)
    return (int(match[1]), int(match[2] or 0)) if match else _UNKNOWN
