"""A `ChatRequest` to the body of `POST /v2/chat`, behind a base URL like `https://api.cohere.com`.
Source: "Chat" of the API v2 reference.

The upstream's options:

    tool_plan   false for models that refuse a plan beside earlier tool calls; it is then left out
    client_name the header X-Client-Name

A model whose rules say that it thinks unless told not to (`thinks_by_default`) is sent earlier
reasoning as thinking, another as a plan, and only beside tool calls.
"""

from typing import Any

import msgspec

from proxy.codec.base import JSON, Outgoing, TargetConfig
from proxy.codec.chat_turns import options_of, plain_function
from proxy.codec.efforts import BUDGETS, note_adaptive
from proxy.codec.response_format import wanted_format
from proxy.codec.rules import Rules
from proxy.codec.shared_notes import CHOICE_ALONE, PARALLEL
from proxy.codec.single_prompt import cannot_say
from proxy.codec.wire_rules import keep_to
from proxy.dialects.cohere.build_turns import TurnBuilder
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Reasoning

PATH = "/v2/chat"
_SAID = (
    *("max_tokens", "temperature", "top_p", "top_k", "stop", "seed"),
    *("frequency_penalty", "presence_penalty", "logprobs"),
    *("tools", "tool_choice", "response_format", "reasoning"),
)
_P_LEAST, _P_MOST = 0.01, 0.99


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """See above."""

    tool_plan: bool = True
    client_name: str | None = None


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Options that are none raise Refused (`internal`): the
    operator's fault.
    """
    options = options_of(target, Options)
    notes = cannot_say(request, _SAID)
    model = target.model or request.model
    thinking = _thinking(request.reasoning, target.rules, notes)
    thinks = thinking["type"] == "enabled" if thinking else target.rules.thinks_by_default is True
    turns = TurnBuilder(notes, thinking=thinks, plans=options.tool_plan)
    messages = turns.built(request)
    if not messages:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    said: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "stream": True,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "p": _p(request.top_p, notes),
        "stop_sequences": request.stop or None,
        "seed": request.seed,
        "k": request.top_k,
        "frequency_penalty": _penalty("frequency_penalty", request.frequency_penalty, notes),
        "presence_penalty": _penalty("presence_penalty", request.presence_penalty, notes),
        "logprobs": request.logprobs,
        "documents": turns.documents or None,
        "thinking": thinking,
        **_tools(request, notes),
        "response_format": _response_format(request, notes),
    }
    body = {name: value for name, value in said.items() if value is not None} | request.vendor
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(PATH, msgspec.json.encode(body), headers(target, options), tuple(notes))


def _penalty(name: str, wanted: float | None, notes: list[Note]) -> float | None:
    """A penalty, which is 0 to 1 here and -2 to 2 elsewhere."""
    if wanted is None or 0 <= wanted <= 1:
        return wanted
    notes.append(Note("changed", name, f"Cohere's {name} is 0 to 1; the nearest was sent."))
    return min(max(wanted, 0), 1)


def headers(target: TargetConfig, options: Options) -> dict[str, str]:
    """What goes with every request."""
    headers = {"content-type": JSON, "accept": "text/event-stream"}
    if target.api_key is not None:
        headers["authorization"] = f"Bearer {target.api_key}"
    if options.client_name is not None:
        headers["x-client-name"] = options.client_name
    return headers


def _p(top_p: float | None, notes: list[Note]) -> float | None:
    """The vendor's `p` ends on both sides short of what others take."""
    if top_p is None or _P_LEAST <= top_p <= _P_MOST:
        return top_p
    nearest = min(max(top_p, _P_LEAST), _P_MOST)
    notes.append(
        Note(
            "changed", "top_p", f"Cohere's p goes from {_P_LEAST} to {_P_MOST}; {nearest} was sent."
        )
    )
    return nearest


def _thinking(
    reasoning: Reasoning | None, rules: Rules, notes: list[Note]
) -> dict[str, Any] | None:
    if reasoning is None or reasoning == Reasoning(summary=reasoning.summary):
        return None
    if reasoning.effort == "none":
        return {"type": "disabled"}
    budget = reasoning.max_tokens
    if budget is None and reasoning.effort is None:
        return {"type": "enabled"}
    note_adaptive(reasoning, notes)
    budget = BUDGETS[reasoning.effort or "none"] if budget is None else budget
    taken = min(budget, rules.largest_thinking or budget)
    if reasoning.effort is not None:
        said = f"The effort is said as a budget of {taken} tokens for thinking."
        notes.append(Note("changed", "reasoning.effort", said))
    elif taken != budget:
        said = f"The upstream takes budgets for thinking up to {taken} tokens."
        notes.append(Note("changed", "reasoning.max_tokens", said))
    return {"type": "enabled", "token_budget": taken}


def _tools(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """The tools and which to use. One tool by name is said as that tool alone, and required."""
    choice = request.tool_choice
    tools = request.tools
    if not tools:
        if choice is not None and choice.mode in ("required", "tool"):
            notes.append(CHOICE_ALONE)
        return {}
    said: dict[str, Any] = {}
    if choice is not None:
        if choice.mode == "tool":
            tools = [tool for tool in tools if tool.name == choice.name] or tools
            notes.append(
                Note(
                    "changed",
                    "tool_choice",
                    "A tool cannot be chosen by name here: only that one is named, and required.",
                )
            )
        if choice.mode != "auto":
            said["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
        if choice.parallel is False:
            notes.append(PARALLEL)
    strict = {bool(tool.strict) for tool in tools}
    if strict == {True, False}:
        notes.append(
            Note(
                "changed",
                "tools.strict",
                "Strictness holds for all tools here: all were sent as strict.",
            )
        )
    if True in strict:
        said["strict_tools"] = True
    return {"tools": [plain_function(tool) for tool in tools], **said}


def _response_format(request: ChatRequest, notes: list[Note]) -> dict[str, Any] | None:
    """A bare schema under `json_schema`, with neither name nor strictness."""
    if request.response_format and request.tools:
        what = "schema" if request.response_format.get("json_schema") else "response format"
        said = f"Cohere takes no {what} for the answer together with tools."
        notes.append(Note("dropped", "response_format", said))
        return None
    wanted = wanted_format(request.response_format, notes)
    if wanted is None:
        return None
    schema = {} if wanted.schema is None else {"json_schema": wanted.schema}
    return {"type": "json_object", **schema}
