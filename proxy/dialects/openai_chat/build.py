"""A `ChatRequest` to the body of `POST /chat/completions`, behind a base URL that ends in the
version (`https://api.openai.com/v1`). `options` has what an upstream may do otherwise.
"""

from operator import attrgetter
from typing import Any

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop
from proxy.codec.rules import Rules
from proxy.codec.strict import openai_format, openai_tool
from proxy.dialects.openai_chat.build_reasoning import asked
from proxy.dialects.openai_chat.build_turns import BuiltTurns
from proxy.dialects.openai_chat.call import called
from proxy.dialects.openai_chat.options import UpstreamOptions, upstream_options
from proxy.dialects.openai_chat.order import ordered
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

# What servers of open models know beyond OpenAI's API.
_BEYOND = ("top_k", "min_p", "repetition_penalty")
# The vendor's names of settings that are left out where they are None, and ours of those whose name
# is another one.
_NAMED = (
    "temperature",
    "top_p",
    "seed",
    "n",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "store",
    "verbosity",
    "response_format",
)
_OURS = {"prompt_cache_key": "cache_key"}
_values_of = attrgetter(*(_OURS.get(name, name) for name in _NAMED))
_NONE_SAID = (None,) * len(_NAMED)
_beyond_of = attrgetter(*_BEYOND)
_NONE_BEYOND = (None,) * len(_BEYOND)
_TIERS = ("auto", "default", "flex", "priority", "scale", "fast")


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Options that are none raise Refused (`internal`): the
    operator's fault.
    """
    options = upstream_options(target)
    notes: list[Note] = []
    turns = BuiltTurns(options, target.rules, notes)
    body: dict[str, Any] = {
        "model": target.model or request.model,
        "messages": ordered(turns.messages(request), target.rules, options, notes),
        "stream": True,
    }
    if options.include_usage:
        body["stream_options"] = {"include_usage": True}
    if request.max_tokens is not None:
        body[target.rules.max_tokens_field or "max_tokens"] = request.max_tokens
    body.update(_settings(request, options, target.rules, notes))
    body.update(asked(request.reasoning, options.ask_reasoning, target.rules.efforts, notes))
    body.update(_tools(request, turns, notes))
    return called(body, target, options, notes, vendor=request.vendor)


def _settings(
    request: ChatRequest, options: UpstreamOptions, rules: Rules, notes: list[Note]
) -> dict[str, Any]:
    """Everything but the messages and the tools, left out where the client said nothing."""
    values = _values_of(request)
    said: dict[str, Any] = {}
    if values != _NONE_SAID:  # compared in C
        named = zip(_NAMED, values, strict=True)
        said = {name: value for name, value in named if value is not None}
    if request.response_format is not None:
        said["response_format"] = openai_format(request.response_format, notes)
    if request.stop:
        said["stop"] = request.stop
    if request.metadata and rules.stored_metadata and not request.store:
        drop(notes, "metadata", "The upstream takes metadata only of answers that it stores.")
    elif request.metadata:
        said["metadata"] = request.metadata
    if request.service_tier in _TIERS:
        said["service_tier"] = request.service_tier
    elif request.service_tier is not None:
        drop(notes, "service_tier", "This service tier is not known to this upstream.")
    beyond = _beyond_of(request)
    for name, value in zip(_BEYOND, beyond, strict=True) if beyond != _NONE_BEYOND else ():
        if value is None:
            continue
        if name in options.takes_also:
            said[name] = value
        else:
            drop(notes, name, f"The upstream has no setting for {name}.")
    return said


def _tools(request: ChatRequest, turns: BuiltTurns, notes: list[Note]) -> dict[str, Any]:
    choice = request.tool_choice
    if request.tools:
        tools = [_tool(openai_tool(tool, notes), turns) for tool in request.tools]
        return {"tools": tools, **_tool_choice(choice, request.tools)}
    if choice is not None and choice.mode in ("required", "tool"):
        drop(notes, "tool_choice", "A tool choice without tools is left out.")
    return {}


def _tool(spec: ToolSpec, turns: BuiltTurns) -> dict[str, Any]:
    named = {"name": spec.name, "description": spec.description}
    if spec.custom is None:
        kind, said = "function", {**named, "parameters": spec.parameters, "strict": spec.strict}
    else:
        kind, said = "custom", {**named, "format": _format(spec.custom)}
    told = {name: value for name, value in said.items() if value is not None}
    return {"type": kind, kind: told, **turns.cache_mark(spec.cache)}


def _format(custom: dict[str, Any]) -> dict[str, Any] | None:
    """The form of free text. The Responses API says a grammar's syntax and definition beside its
    type, this one in an object of their own.
    """
    if custom.get("type") != "grammar" or "grammar" in custom:
        return custom or None
    return {
        "type": "grammar",
        "grammar": {name: value for name, value in custom.items() if name != "type"},
    }


def _tool_choice(choice: ToolChoice | None, tools: list[ToolSpec]) -> dict[str, Any]:
    if choice is None:
        return {}
    said: dict[str, Any] = {}
    if choice.mode == "tool":
        free = any(tool.name == choice.name and tool.custom is not None for tool in tools)
        kind = "custom" if free else "function"
        said["tool_choice"] = {"type": kind, kind: {"name": choice.name}}
    else:
        said["tool_choice"] = choice.mode
    return said if choice.parallel is None else {**said, "parallel_tool_calls": choice.parallel}
