"""How much to think, said in another way: an effort as a budget in tokens, and back."""

from typing import Literal

from proxy.codec.note_once import note_once
from proxy.events import Note
from proxy.request import Effort, Reasoning

EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Budgets in tokens that gateways agree on for an effort: shares of what larger models may think.
BUDGETS: dict[Effort, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32768,
    "max": 63999,
}


def note_adaptive(asked: Reasoning, notes: list[Note]) -> None:
    """For vendors that are told how much to think, and not that it is for the model to decide."""
    if asked.adaptive:
        said = "That the model decides how much to think is left to the model's own habit."
        note = Note("changed", "reasoning.adaptive", said)
        note_once(notes, note)


def nearest_effort(said: Effort, taken: tuple[str, ...]) -> Effort:
    """Of the words that a target takes, in any order, the one nearest to what the client said; of
    two that are equally near the lesser. `said` itself where no words are known.
    """
    known = [effort for effort in EFFORTS if effort in taken]
    at = EFFORTS.index(said)
    return min(known, key=lambda effort: abs(EFFORTS.index(effort) - at), default=said)


def three_steps(said: Effort) -> Literal["low", "medium", "high"]:
    """For vendors that know no other words; `none` is for the caller to tell apart."""
    if said in ("high", "xhigh", "max"):
        return "high"
    return "medium" if said == "medium" else "low"


def effort_of(budget: int) -> Effort:
    """The least effort whose budget is not less than this one."""
    return next((effort for effort in EFFORTS if BUDGETS[effort] >= budget), "max")
