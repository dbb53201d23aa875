"""How much to think: Gemini 3 is told a level, 2.5 a budget in tokens, older models nothing. Which
it is stands in the target's rules.

Source: "Gemini thinking" of the vendor's guide; the budgets are those by which its
OpenAI-compatible endpoint reads an effort.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.efforts import nearest_effort, note_adaptive
from proxy.codec.rules import Rules
from proxy.dialects.gemini.schema import spelled
from proxy.events import Note
from proxy.request import Effort, Reasoning

_LEVELS: tuple[Effort, ...] = ("minimal", "low", "medium", "high")
_BUDGET: dict[Effort, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 32768,
}
_BY_LEVEL = ("level", "adaptive", "both")
_DYNAMIC = -1  # the budget of a model that decides by itself


def thinking_config(
    asked: Reasoning | None, rules: Rules, notes: list[Note], *, include_thoughts: bool
) -> dict[str, Any] | None:
    """The `thinkingConfig`, None where nothing is asked for."""
    if asked is None or (asked.effort is None and asked.max_tokens is None and not asked.adaptive):
        return None
    if asked.summary not in (None, "auto"):
        said = "How thoughts are summarised is for the model to decide."
        drop(notes, "reasoning.summary", said, "changed")
    if asked.effort is not None or asked.max_tokens is not None:
        note_adaptive(asked, notes)
    if asked.max_tokens is not None and asked.effort is not None:
        said = "Gemini takes an effort or a budget; the budget was sent."
        drop(notes, "reasoning.effort", said)
    if rules.thinking in _BY_LEVEL:
        return _level(asked, rules, notes, shown=include_thoughts)
    return _budget(asked, rules, notes, shown=include_thoughts)


def _level(asked: Reasoning, rules: Rules, notes: list[Note], *, shown: bool) -> dict[str, Any]:
    """A budget in tokens is taken by these models too."""
    if asked.max_tokens is not None:
        budget = _bounded(asked.max_tokens, rules, notes)
        return {"thinkingBudget": budget, **_shown(shown and budget != 0)}
    if asked.effort is None:
        return _shown(shown)
    effort = asked.effort
    levels = tuple(word for word in rules.efforts if word != "none")
    level = nearest_effort(effort, levels or _LEVELS)
    if effort == "none":
        said = "This model always thinks; it was asked to think least."
        drop(notes, "reasoning.effort", said, "changed")
    elif level != effort:
        said = f"Effort {effort} is said as {level}, the nearest that is taken."
        drop(notes, "reasoning.effort", said, "changed")
    return {"thinkingLevel": level, **_shown(shown and effort != "none")}


def _budget(asked: Reasoning, rules: Rules, notes: list[Note], *, shown: bool) -> dict[str, Any]:
    budget = asked.max_tokens
    if budget is None and asked.effort is None:
        return {"thinkingBudget": _DYNAMIC, **_shown(shown)}
    if budget is None:
        budget = _bounded(_BUDGET[asked.effort or "none"], rules)
        if budget:
            said = f"The effort is said as a thinking budget of at most {budget} tokens."
            drop(notes, "reasoning.effort", said, "changed")
    else:
        budget = _bounded(budget, rules, notes)
    return {"thinkingBudget": budget, **_shown(shown and asked.effort != "none" and budget != 0)}


def _bounded(budget: int, rules: Rules, notes: list[Note] | None = None) -> int:
    """The nearest budget that the model takes; a note where the client named one that is not."""
    if budget == _DYNAMIC or (budget == 0 and rules.thinking_off != ""):
        return budget
    least, most = rules.least_thinking or 0, rules.largest_thinking
    taken = max(budget, least) if most is None else min(max(budget, least), most)
    if notes is not None and taken != budget:
        said = f"A thinking budget of {taken} tokens was sent, the nearest that this model takes."
        drop(notes, "reasoning.max_tokens", said, "changed")
    return taken


def _shown(include: bool) -> dict[str, bool]:
    return {"includeThoughts": True} if include else {}


def mended(
    config: Mapping[str, Any], rules: Rules, notes: list[Note], *, include_thoughts: bool
) -> dict[str, Any] | None:
    """A client's own `thinkingConfig` as this model takes it. None: the model knows no such
    thing.
    """
    out = dict(config)
    if rules.thinking == "none":
        drop(notes, "thinkingConfig", "This model does not think: its thinkingConfig is left out.")
        return None
    if not include_thoughts:
        out.pop(spelled(out, "includeThoughts") or "", None)
    level, budget = spelled(out, "thinkingLevel"), spelled(out, "thinkingBudget")
    if level is None:
        return out
    if rules.thinking == "budget":
        said = str(out.pop(level)).lower()
        effort: Effort = next((known for known in _LEVELS if known == said), "medium")
        tokens = _bounded(_BUDGET[effort], rules)
        out.setdefault(budget or "thinkingBudget", tokens)
        why = f"This model takes no level of thinking: a budget of {tokens} tokens was sent."
        drop(notes, "thinkingConfig", why, "changed")
    elif rules.thinking in _BY_LEVEL and budget is not None:
        del out[budget]
        why = "This model takes a level of thinking or a budget, not both: the level was sent."
        drop(notes, "thinkingConfig", why)
    return out
