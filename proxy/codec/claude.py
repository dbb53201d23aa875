"""How long a Claude model may think and answer, in the words of Anthropic's Messages API, which
Bedrock takes too.

The API counts thinking in `max_tokens`, and wants 1024 <= thinking budget < max_tokens. What a
model can be told is in the target's rules. Sources: "Extended thinking", "Adaptive thinking" and
"Effort" of Anthropic's guides.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from proxy.codec.chat_turns import drop
from proxy.codec.efforts import BUDGETS, effort_of, nearest_effort
from proxy.codec.rules import Rules
from proxy.events import Note
from proxy.request import ChatRequest, Effort, Reasoning

LEAST_BUDGET = 1024
_LEAST_TOP_P = 0.95  # while the model thinks


class Plan(NamedTuple):
    """What to ask for; None: not said. `max_tokens` None: the client gave none, and the upstream
    does not insist on one.
    """

    max_tokens: int | None
    thinking: dict[str, Any] | None = None
    effort: str | None = None

    @property
    def thinks(self) -> bool:
        return self.thinking is not None and self.thinking["type"] in ("enabled", "adaptive")


def plan(
    request: ChatRequest,
    rules: Rules,
    default_max_tokens: int | None,
    last_kinds: Sequence[str],
    notes: list[Note],
) -> Plan:
    """What to ask for. `last_kinds` are the kinds of block of the assistant's last turn, where it
    called a tool whose result the request brings; else it is empty.

    A budget that the client named is kept and the answer's allowance put on top; one that we derive
    from an effort gives way to the client's max_tokens where it can.
    """
    asked = request.reasoning
    answer = default_max_tokens if request.max_tokens is None else request.max_tokens
    effort = _effort(asked, rules)
    wants = asked is not None and _wants(asked)
    if wants and (why := _why_not(request, rules, last_kinds)):
        drop(notes, "reasoning", why)
        wants, effort = False, None
    if not wants:
        return Plan(answer, _told_not_to(request, rules, notes), effort)
    assert asked is not None
    if asked.summary not in (None, "auto"):
        said = "Claude summarises what it thought in its own way."
        drop(notes, "reasoning.summary", said, "changed")
    if rules.thinking == "adaptive" or (rules.thinking == "both" and not asked.max_tokens):
        return Plan(
            answer, {"type": "adaptive", "display": "summarized"}, _said(asked, rules, notes)
        )
    return _budgeted(request, rules, answer, effort, notes)


def sampling(request: ChatRequest, thinks: bool, notes: list[Note]) -> dict[str, Any]:
    """temperature, top_p and top_k. Temperature is 0 to 1; while the model thinks it is 1, top_p is
    hardly less, and there is no top_k.
    """
    found: dict[str, Any] = {}
    temperature, top_p, top_k = request.temperature, request.top_p, request.top_k
    if temperature is not None and thinks:
        if temperature != 1:
            said = "Claude takes no temperature together with thinking."
            notes.append(Note("dropped", "temperature", said))
    elif temperature is not None:
        if temperature > 1:
            said = "Claude's temperature ends at 1; 1 was sent."
            notes.append(Note("changed", "temperature", said))
        found["temperature"] = min(temperature, 1)
    if top_p is not None and thinks and top_p < _LEAST_TOP_P:
        said = f"Claude takes no top_p below {_LEAST_TOP_P} together with thinking."
        notes.append(Note("dropped", "top_p", said))
    elif top_p is not None:
        found["top_p"] = top_p
    if top_k is not None and thinks:
        notes.append(Note("dropped", "top_k", "Claude takes no top_k together with thinking."))
    elif top_k is not None:
        found["top_k"] = top_k
    return found


def last_call_kinds(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """`last_kinds` of `plan`, from the turns of a Messages request."""
    if not messages or messages[-1]["role"] != "user":
        return []
    last = next((turn["content"] for turn in reversed(messages) if turn["role"] == "assistant"), "")
    kinds = [] if isinstance(last, str) else [block["type"] for block in last]
    return kinds if "tool_use" in kinds else []


def adaptive_in_place_of(budget: int, rules: Rules) -> tuple[dict[str, Any], str | None]:
    """For a model that takes no budget: what is nearest to it. The effort is None where the model
    is not known to take one.
    """
    effort = nearest_effort(effort_of(budget), rules.efforts) if rules.efforts else None
    return {"type": "adaptive"}, effort


def _wants(asked: Reasoning) -> bool:
    if asked.max_tokens is not None:
        return asked.max_tokens > 0 and asked.effort != "none"
    return bool(asked.adaptive) or asked.effort not in (None, "none")


def _forced(request: ChatRequest) -> bool:
    choice = request.tool_choice
    return bool(request.tools) and choice is not None and choice.mode in ("required", "tool")


def _why_not(request: ChatRequest, rules: Rules, last_kinds: Sequence[str]) -> str | None:
    """The cases in which the API refuses to think. Adaptive thinking does not insist on reasoning
    of earlier turns.
    """
    if _forced(request) and rules.forces_tools is not False:
        return "Claude cannot think where a tool call is forced."
    budgeted = rules.thinking not in ("adaptive", "both")
    thought = not last_kinds or last_kinds[0] in ("thinking", "redacted_thinking")
    if budgeted and not thought and rules.unsigned_reasoning is not True:
        return (
            "Claude can think on only if the turn with the tool call brings its signed reasoning "
            "back."
        )
    return None


def _told_not_to(request: ChatRequest, rules: Rules, notes: list[Note]) -> dict[str, Any] | None:
    """The word for a model that thinks unless it is told otherwise."""
    asked = request.reasoning
    unwanted = asked is not None and (asked.effort == "none" or asked.max_tokens == 0)
    if not rules.thinks_by_default or not (unwanted or _forced(request)):
        return None
    if rules.thinking_off == "":
        if unwanted:
            drop(notes, "reasoning.effort", "This model cannot be told not to think.")
        return None
    return {"type": rules.thinking_off or "disabled"}


def _effort(asked: Reasoning | None, rules: Rules) -> Effort | None:
    """The client's own word, where the model takes one."""
    if asked is None or asked.effort in (None, "none") or not rules.efforts:
        return None
    assert asked.effort is not None
    return nearest_effort(asked.effort, rules.efforts)


def _said(asked: Reasoning, rules: Rules, notes: list[Note]) -> Effort | None:
    """The effort for adaptive thinking; a budget becomes one."""
    if asked.effort not in (None, "none") or not asked.max_tokens or not rules.efforts:
        return _effort(asked, rules)
    effort = nearest_effort(effort_of(asked.max_tokens), rules.efforts)
    said = f"This model takes no budget of tokens; it is said as the effort {effort}."
    drop(notes, "reasoning.max_tokens", said, "changed")
    return effort


def _budgeted(
    request: ChatRequest, rules: Rules, answer: int | None, effort: Effort | None, notes: list[Note]
) -> Plan:
    asked = request.reasoning
    assert asked is not None
    named = asked.max_tokens is not None
    budget = _budget(asked, notes, said=effort is not None)
    if answer is None:
        return Plan(None, _enabled(budget), effort)
    total = answer
    if request.max_tokens is None:
        total = answer + budget
    elif budget >= answer and not named and answer // 2 >= LEAST_BUDGET:
        budget = answer // 2
    elif budget >= answer:
        budget = budget if named else LEAST_BUDGET
        total = answer + budget
        said = "Claude counts thinking in max_tokens, so the thinking budget was added to it."
        drop(notes, "max_tokens", said, "changed")
    most = rules.largest_max_tokens
    if most is not None and total > most:
        total, budget = most, max(min(budget, most - answer, most - 1), LEAST_BUDGET)
    return Plan(total, _enabled(budget), effort)


def _enabled(budget: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": budget}


def _budget(asked: Reasoning, notes: list[Note], *, said: bool) -> int:
    """In tokens. `said`: the effort is told as such too, so it is no loss."""
    if asked.max_tokens is not None:
        if asked.max_tokens < LEAST_BUDGET:
            why = f"Claude thinks with {LEAST_BUDGET} tokens or more; that was sent."
            drop(notes, "reasoning.max_tokens", why, "changed")
        return max(asked.max_tokens, LEAST_BUDGET)
    budget = BUDGETS[asked.effort or "medium"]
    if not said:
        why = f"The effort is said as a thinking budget of at most {budget} tokens."
        drop(notes, "reasoning.effort", why, "changed")
    return budget
