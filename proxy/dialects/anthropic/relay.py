"""A client's Messages request for an upstream of the same dialect: its own body, in which only
model and stream are set, and what the target's rules forbid is mended.

Nothing of the client's body is changed in place, as another target may be asked next: what is
mended is a copy.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.claude import adaptive_in_place_of, last_call_kinds
from proxy.codec.efforts import BUDGETS, EFFORTS, nearest_effort
from proxy.codec.json_schema import adapted
from proxy.codec.relaying import own_body
from proxy.codec.rules import Names, Rules
from proxy.codec.wire_rules import at_most
from proxy.dialects.anthropic.call import called
from proxy.dialects.anthropic.mend import unforced, unheld, without_prefill
from proxy.dialects.anthropic.relay_turns import RelayedTurns, without_blanks
from proxy.events import Note
from proxy.request import ChatRequest, Original

_LEAST_BUDGET = 1024


def relay_request(request: ChatRequest, original: Original, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.relay_request`."""
    notes: list[Note] = []
    rules = target.rules
    body = own_body(original, {"model": target.model or request.model, "stream": True})
    turns = RelayedTurns(rules, notes)
    messages = without_prefill(turns.mended(body["messages"]), rules, notes)
    body["messages"] = messages
    if "system" in body:
        body["system"] = without_blanks(body["system"])
        if body["system"] is None:
            del body["system"]
    if body.get("tools"):
        body["tools"] = _tools(body["tools"], rules, turns, notes)
    if body.get("tool_choice"):
        body["tool_choice"] = turns.named(unforced(body["tool_choice"], rules, notes))
    unheld(body, rules, notes)
    _think(body, rules, notes)
    if turns.lost_reasoning and isinstance(body.get("thinking"), dict):
        _think_on(body, rules, notes)
    at_most(body, "max_tokens", rules.largest_max_tokens, notes)
    _user(body, rules, notes)
    return called(body, target, notes, turns.names, original.headers)


def _tools(tools: list[Any], rules: Rules, turns: RelayedTurns, notes: list[Note]) -> list[Any]:
    """The tools, their names and schemas as the target takes them."""
    named = [turns.named(tool) for tool in tools]
    if not rules.schema_lacks:
        return named
    fitting = [_with_schema(tool, rules) for tool in named]
    if any(new is not old for new, old in zip(fitting, named, strict=True)):
        said = "A tool's JSON Schema was said in the part of the language that the upstream takes."
        notes.append(Note("changed", "tools.parameters", said))
    return fitting


def _with_schema(tool: Any, rules: Rules) -> Any:
    schema = tool.get("input_schema") if isinstance(tool, dict) else None
    if not isinstance(schema, dict):
        return tool
    fitting = adapted(schema, rules.schema_lacks)
    return tool if fitting is schema else {**tool, "input_schema": fitting}


def _think(body: dict[str, Any], rules: Rules, notes: list[Note]) -> None:
    """The kind of thinking, and the effort, in words that the model takes."""
    config = body.get("output_config")
    effort = config.get("effort") if isinstance(config, dict) else None
    said = body.get("thinking")
    kind = said.get("type") if isinstance(said, dict) else None
    if isinstance(said, dict) and rules.thinking is not None:
        if kind in ("enabled", "adaptive") and rules.thinking == "none":
            del body["thinking"]
            notes.append(Note("dropped", "thinking", "This model does not think."))
        elif kind == "enabled" and rules.thinking == "adaptive":
            effort = _adaptive(body, said, effort, rules, notes)
        elif kind == "adaptive" and rules.thinking == "budget":
            _budget(body, effort, notes)
    if kind == "disabled" and rules.thinks_by_default:
        _off(body, rules, notes)
    if isinstance(effort, str):
        _effort(body, effort, rules, notes)


def _adaptive(
    body: dict[str, Any],
    said: Mapping[str, Any],
    effort: str | None,
    rules: Rules,
    notes: list[Note],
) -> str | None:
    budget = said.get("budget_tokens")
    thinking, nearest = adaptive_in_place_of(budget if isinstance(budget, int) else 0, rules)
    rest = {key: value for key, value in said.items() if key not in ("type", "budget_tokens")}
    body["thinking"] = {**thinking, **rest}
    why = "This model takes no thinking budget; adaptive thinking was asked for, with an effort."
    notes.append(Note("changed", "thinking", why))
    return effort or nearest


def _budget(body: dict[str, Any], effort: str | None, notes: list[Note]) -> None:
    """Half of what the answer may have at most, so that there is an answer."""
    wanted = BUDGETS[effort if effort in EFFORTS else "medium"]
    budget = min(wanted, body["max_tokens"] // 2)
    if budget < _LEAST_BUDGET:
        del body["thinking"]
        why = "This model thinks within a budget, for which max_tokens leaves no room."
        notes.append(Note("dropped", "thinking", why))
        return
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    why = f"This model knows no adaptive thinking; a budget of {budget} tokens was sent."
    notes.append(Note("changed", "thinking", why))


def _off(body: dict[str, Any], rules: Rules, notes: list[Note]) -> None:
    if rules.thinking_off == "":
        del body["thinking"]
        said = "This model cannot be told not to think."
        notes.append(Note("dropped", "thinking", said))
    elif rules.thinking_off not in (None, "disabled"):
        body["thinking"] = {"type": rules.thinking_off}
        said = f"This model's least thinking is {rules.thinking_off}; that was sent."
        notes.append(Note("changed", "thinking", said))


def _effort(body: dict[str, Any], effort: str, rules: Rules, notes: list[Note]) -> None:
    """The effort among those that the model takes. One whose way of thinking is known, and that has
    no efforts, takes none.
    """
    config = body.get("output_config")
    given: Mapping[str, Any] = config if isinstance(config, dict) else {}
    if not rules.efforts and rules.thinking in ("budget", "none"):
        rest = {key: value for key, value in given.items() if key != "effort"}
        body["output_config"] = rest
        if not rest:
            del body["output_config"]
        notes.append(Note("dropped", "output_config.effort", "This model takes no effort."))
        return
    if rules.efforts and effort not in rules.efforts and effort in EFFORTS:
        nearest = nearest_effort(effort, rules.efforts)
        said = f"Effort {effort} is said as {nearest}, the nearest that is taken."
        notes.append(Note("changed", "output_config.effort", said))
        effort = nearest
    if given.get("effort") != effort:
        body["output_config"] = {**given, "effort": effort}


def _think_on(body: dict[str, Any], rules: Rules, notes: list[Note]) -> None:
    """Claude thinks within a budget only where the turn with the last call brings its signed
    reasoning back, and we left some out.
    """
    if body["thinking"].get("type") != "enabled" or rules.unsigned_reasoning is True:
        return
    kinds = last_call_kinds(body["messages"])
    if kinds and kinds[0] not in ("thinking", "redacted_thinking"):
        del body["thinking"]
        why = (
            "Claude can think on only if the turn with the tool call brings its signed reasoning "
            "back."
        )
        notes.append(Note("dropped", "thinking", why))


def _user(body: dict[str, Any], rules: Rules, notes: list[Note]) -> None:
    metadata = body.get("metadata") or {}
    user = metadata.get("user_id")
    if rules.user_chars is None or not isinstance(user, str) or len(user) <= rules.user_chars:
        return
    digest = Names(chars="a-zA-Z0-9_-", most=rules.user_chars).fitted(user)
    body["metadata"] = {**metadata, "user_id": digest}
    said = f"The upstream takes a user of {rules.user_chars} characters; a digest was sent."
    notes.append(Note("changed", "user", said))
