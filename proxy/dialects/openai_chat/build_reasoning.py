"""How much to think, as a vendor of this dialect takes it (see `ask_reasoning` in `options`)."""

from collections.abc import Callable
from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.efforts import effort_of, nearest_effort, note_adaptive
from proxy.dialects.openai_chat.options import AskReasoning
from proxy.events import Note
from proxy.request import Effort, Reasoning

# OpenAI's words for an effort, for a target whose rules do not say them.
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_TEMPLATE_EFFORTS = ("low", "medium", "high")  # that servers of open models take beside the switch
_BUDGET = "reasoning.max_tokens"


def asked(
    reasoning: Reasoning | None, way: AskReasoning, efforts: tuple[str, ...], notes: list[Note]
) -> dict[str, Any]:
    """The keys of the body. What cannot be said is noted."""
    if reasoning is None:
        return {}
    if reasoning.summary is not None:
        drop(notes, "reasoning.summary", "A summary of the reasoning cannot be asked for here.")
    note_adaptive(reasoning, notes)
    return _WAYS[way](reasoning, efforts or _EFFORTS, notes)


def _effort(asked: Reasoning, efforts: tuple[str, ...], notes: list[Note]) -> dict[str, Any]:
    effort = _nearest(asked, efforts, notes)
    return {} if effort is None else {"reasoning_effort": effort}


def _object(asked: Reasoning, efforts: tuple[str, ...], notes: list[Note]) -> dict[str, Any]:
    """OpenRouter's: one of the two."""
    if asked.max_tokens is not None and asked.effort != "none":
        if asked.effort is not None:
            drop(notes, "reasoning.effort", "A budget is said, and so no effort.", "changed")
        return {"reasoning": {"max_tokens": asked.max_tokens}}
    if asked.effort is not None:
        return {"reasoning": {"effort": _nearest(asked, efforts, notes)}}
    return {"reasoning": {"enabled": True}} if asked.adaptive else {}


def _switch(asked: Reasoning, _efforts: tuple[str, ...], notes: list[Note]) -> dict[str, Any]:
    on = _switched(asked)
    if on is None:
        return {}
    _only_switched(asked, notes)
    return {"thinking": {"type": "enabled" if on else "disabled"}}


def _budget(asked: Reasoning, _efforts: tuple[str, ...], notes: list[Note]) -> dict[str, Any]:
    on = _switched(asked)
    if on is None:
        return {}
    if asked.max_tokens is None:
        _only_switched(asked, notes)
    budget = {"thinking_budget": asked.max_tokens} if on and asked.max_tokens is not None else {}
    return {"enable_thinking": on, **budget}


def _template(asked: Reasoning, _efforts: tuple[str, ...], notes: list[Note]) -> dict[str, Any]:
    on = _switched(asked)
    if on is None:
        return {}
    said: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": on}}
    if on and (asked.effort or asked.max_tokens):
        said["reasoning_effort"] = _nearest(asked, _TEMPLATE_EFFORTS, notes)
    return said


_WAYS: dict[AskReasoning, Callable[[Reasoning, tuple[str, ...], list[Note]], dict[str, Any]]] = {
    "effort": _effort,
    "object": _object,
    "switch": _switch,
    "budget": _budget,
    "template": _template,
}


def _nearest(asked: Reasoning, efforts: tuple[str, ...], notes: list[Note]) -> Effort | None:
    """The effort, or the one that stands for the budget, in a word that is taken."""
    effort = asked.effort
    if asked.max_tokens is not None:
        if effort is None:
            effort = effort_of(asked.max_tokens)
        said = f"A budget for reasoning cannot be said here; effort {effort} stands for it."
        drop(notes, _BUDGET, said, "changed")
    if effort is None:
        return None
    nearest = nearest_effort(effort, efforts)
    if nearest != effort:
        said = f"Effort {effort} is said as {nearest}, the nearest that is taken."
        drop(notes, "reasoning.effort", said, "changed")
    return nearest


def _switched(asked: Reasoning) -> bool | None:
    """Whether to think; None where nothing was said of it."""
    if asked.effort is None and asked.max_tokens is None:
        return True if asked.adaptive else None
    return asked.effort != "none" and asked.max_tokens != 0


def _only_switched(asked: Reasoning, notes: list[Note]) -> None:
    if asked.effort not in (None, "none"):
        said = "This vendor knows thinking only as on or off."
        drop(notes, "reasoning.effort", said, "changed")
    if asked.max_tokens:
        drop(notes, _BUDGET, "This vendor takes no budget for thinking.")
