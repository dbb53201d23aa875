"""How long the model may think and answer.

The API insists on `max_tokens`, counts thinking in it, and wants 1024 <= thinking budget <
max_tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from proxy.codec.efforts import BUDGETS
from proxy.events import Note
from proxy.request import ChatRequest

LEAST_BUDGET = 1024


class Budget(NamedTuple):
    """`thinking` None: none is asked for."""

    max_tokens: int
    thinking: int | None


def plan(
    request: ChatRequest,
    default_max_tokens: int,
    messages: Sequence[Mapping[str, Any]],
    notes: list[Note],
) -> Budget:
    """What to ask for. A budget that the client named is kept and the answer's allowance put on
    top; one that we derive from an effort gives way to the client's max_tokens where it can.
    """
    answer = request.max_tokens
    thinking = _wanted(request, notes)
    if thinking is not None and (why := _why_not(request, messages)):
        notes.append(Note("dropped", "reasoning", why))
        thinking = None
    if answer is None:
        notes.append(
            Note(
                "defaulted",
                "max_tokens",
                f"Anthropic insists on max_tokens; {default_max_tokens} was taken for the answer.",
            )
        )
        return Budget(default_max_tokens + (thinking or 0), thinking)
    if thinking is None or thinking < answer:
        return Budget(answer, thinking)
    named = request.reasoning is not None and request.reasoning.max_tokens is not None
    if not named and answer // 2 >= LEAST_BUDGET:
        return Budget(answer, answer // 2)
    thinking = thinking if named else LEAST_BUDGET
    notes.append(
        Note(
            "changed",
            "max_tokens",
            "Anthropic counts thinking in max_tokens, so the thinking budget was added to it.",
        )
    )
    return Budget(answer + thinking, thinking)


def _wanted(request: ChatRequest, notes: list[Note]) -> int | None:
    reasoning = request.reasoning
    if reasoning is None:
        return None
    if reasoning.max_tokens is not None:
        if 0 < reasoning.max_tokens < LEAST_BUDGET:
            notes.append(
                Note(
                    "changed",
                    "reasoning.max_tokens",
                    f"Anthropic thinks with {LEAST_BUDGET} tokens or more; that was sent.",
                )
            )
        return max(reasoning.max_tokens, LEAST_BUDGET) if reasoning.max_tokens > 0 else None
    budget = BUDGETS[reasoning.effort] if reasoning.effort is not None else 0
    if budget:
        notes.append(
            Note(
                "changed",
                "reasoning.effort",
                f"The effort is said as a thinking budget of at most {budget} tokens.",
            )
        )
    return budget or None


def _why_not(request: ChatRequest, messages: Sequence[Mapping[str, Any]]) -> str | None:
    """The cases in which the API refuses to think."""
    choice = request.tool_choice
    if request.tools and choice is not None and choice.mode in ("required", "tool"):
        return "Anthropic's models cannot think where a tool call is forced."
    last = next((m["content"] for m in reversed(messages) if m["role"] == "assistant"), "")
    kinds = [] if isinstance(last, str) else [block["type"] for block in last]
    if "tool_use" in kinds and kinds[0] != "thinking" and messages[-1]["role"] == "user":
        return (
            "Anthropic's models can think on only if the turn with the tool call brings its "
            "signed reasoning back."
        )
    return None
