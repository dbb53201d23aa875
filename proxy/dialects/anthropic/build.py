"""A `ChatRequest` to a Messages request. Source: "Create a Message" of the API reference. For the
upstream's options see `call`.
"""

from operator import attrgetter
from typing import Any

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.claude import last_call_kinds, plan, sampling
from proxy.codec.json_schema import CLOSED, adapted
from proxy.codec.response_format import NO_NAME
from proxy.codec.shared_notes import NO_TOOLS
from proxy.codec.strict import claude_tools
from proxy.dialects.anthropic.build_turns import TurnBuilder, marked
from proxy.dialects.anthropic.call import called
from proxy.dialects.anthropic.mend import unforced, without_prefill
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

MAX_TOKENS = 4096
# The API takes so many marks of the prompt cache.
_MOST_MARKS = 4
_CHOICE = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}
_TIER = {"auto": "auto", "default": "standard_only", "standard": "standard_only"}
_FORM = Note(
    "defaulted",
    "response_format.strict",
    "Anthropic holds to a schema in any case, and gives it no name.",
)
_NO_PARAMETERS = {"type": "object", "properties": {}}
# Fields of a ChatRequest that this API has no word for.
_LOST = (
    "seed",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "verbosity",
    "store",
    "cache_key",
)
_lost_of = attrgetter(*_LOST)
_NONE_SAID = (None,) * len(_LOST)


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. The answer is always asked for as a stream."""
    notes: list[Note] = []
    turns = TurnBuilder(notes, target.rules)
    messages = turns.built(request)
    if not messages:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    body: dict[str, Any] = {
        "model": target.model or request.model,
        "messages": without_prefill(messages, target.rules, notes),
        "stream": True,
    }
    if turns.system:
        body["system"] = turns.system
    _thinking(request, target, messages, body, notes)
    stop = [text for text in request.stop if text.strip()]
    if len(stop) < len(request.stop):
        said = "Anthropic takes no stop sequence of white space alone."
        notes.append(Note("dropped", "stop", said))
    if stop:
        body["stop_sequences"] = stop
    if request.tools:
        tools = claude_tools(request.tools, target.rules, notes)
        body["tools"] = [_tool(tool) for tool in tools]
    if request.tool_choice is not None:
        _choose(request.tool_choice, request, target, body, notes)
    user = request.user if request.user is not None else request.safety_identifier
    if user is not None:
        body["metadata"] = {"user_id": user}
    wanted = (request.response_format or {}).get("json_schema") or {}
    schema = wanted.get("schema")
    if schema is not None:
        if wanted.get("name", NO_NAME) != NO_NAME or "strict" in wanted:
            notes.append(_FORM)
        form = {"type": "json_schema", "schema": adapted(schema, CLOSED)}
        body["output_config"] = body.get("output_config", {}) | {"format": form}
    if request.service_tier is not None:
        _tier(request.service_tier, body, notes)
    _note_losses(request, notes)
    _few_marks(body, notes)
    body.update(request.vendor)
    return called(body, target, notes, {}, {})


def _thinking(
    request: ChatRequest,
    target: TargetConfig,
    messages: list[dict[str, Any]],
    body: dict[str, Any],
    notes: list[Note],
) -> None:
    """How long it may think and answer, and what does not go with thinking."""
    default = target.rules.max_tokens or MAX_TOKENS
    wanted = plan(request, target.rules, default, last_call_kinds(messages), notes)
    if request.max_tokens is None:
        said = f"Anthropic insists on max_tokens; {default} was taken for the answer."
        notes.append(Note("defaulted", "max_tokens", said))
    body["max_tokens"] = wanted.max_tokens
    if wanted.thinking is not None:
        body["thinking"] = wanted.thinking
    if wanted.effort is not None:
        body["output_config"] = {"effort": wanted.effort}
    body.update(sampling(request, wanted.thinks, notes))


def _tool(tool: ToolSpec) -> dict[str, Any]:
    built: dict[str, Any] = {"name": tool.name, "input_schema": tool.parameters or _NO_PARAMETERS}
    if tool.description is not None:
        built["description"] = tool.description
    if tool.strict is not None:
        built["strict"] = tool.strict
    return marked(built, tool.cache)


def _choose(
    choice: ToolChoice,
    request: ChatRequest,
    target: TargetConfig,
    body: dict[str, Any],
    notes: list[Note],
) -> None:
    if not request.tools:
        if choice.mode in ("required", "tool"):
            notes.append(NO_TOOLS)
        return
    built: dict[str, Any] = {"type": _CHOICE[choice.mode]}
    if choice.mode == "tool":
        built["name"] = choice.name
    if choice.parallel is not None and choice.mode != "none":
        built["disable_parallel_tool_use"] = not choice.parallel
    body["tool_choice"] = unforced(built, target.rules, notes)


def _tier(tier: str, body: dict[str, Any], notes: list[Note]) -> None:
    said = _TIER.get(tier)
    if said is None:
        why = "Anthropic's service tiers are auto and default; auto was sent."
        notes.append(Note("changed", "service_tier", why))
    body["service_tier"] = said or "auto"


def _note_losses(request: ChatRequest, notes: list[Note]) -> None:
    values = _lost_of(request)
    if values != _NONE_SAID:  # compared in C
        lost = [name for name, value in zip(_LOST, values, strict=True) if value is not None]
        notes += [Note("dropped", name, f"Anthropic has no {name}.") for name in lost]
    if request.n is not None and request.n > 1:
        notes.append(Note("dropped", "n", "Anthropic gives one answer a request."))
    if request.metadata:
        notes.append(Note("dropped", "metadata", "Anthropic keeps no metadata but the user's id."))
    if request.user is not None and request.safety_identifier not in (None, request.user):
        said = "Anthropic takes one id of the end user; user was sent."
        notes.append(Note("dropped", "safety_identifier", said))
    if request.response_format is not None and request.response_format.get("type") == "json_object":
        said = "Anthropic takes a schema, not JSON of any kind: give it one."
        notes.append(Note("dropped", "response_format", said))


def _few_marks(body: dict[str, Any], notes: list[Note]) -> None:
    """The last marks keep the most, and those of tools and system are the same in every turn: the
    oldest of the conversation give way.
    """
    system = body.get("system", ())
    fixed = [*body.get("tools", ()), *(system if isinstance(system, list) else ())]
    said_in_blocks = (turn["content"] for turn in body["messages"] if type(turn["content"]) is list)
    turns = [block for blocks in said_in_blocks for block in blocks]
    marks = [block for block in (*fixed, *turns) if "cache_control" in block]
    if len(marks) <= _MOST_MARKS:
        return
    said = f"Anthropic takes {_MOST_MARKS} marks of the prompt cache; older ones were left out."
    notes.append(Note("dropped", "cache", said))
    held = [block for block in marks if any(block is one for one in fixed)][: _MOST_MARKS - 1]
    kept = held + marks[len(held) - _MOST_MARKS :]
    for block in marks:
        if not any(block is one for one in kept):
            del block["cache_control"]
