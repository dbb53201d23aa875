"""A client's chat completion for an upstream of the same dialect: its own body, in which only model
and stream are set, the counts are asked for, and what the target refuses is mended.

Nothing of the client's body is changed in place, as another target may be asked next: what is
mended is a copy, and stands where the client had it.
"""

from typing import Any

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop
from proxy.codec.custom_tools import custom_names
from proxy.codec.efforts import EFFORTS, nearest_effort
from proxy.codec.json_schema import adapted
from proxy.codec.refused import is_refused, let_through
from proxy.codec.relaying import own_body
from proxy.codec.response_format import adapted_format
from proxy.codec.rules import Rules
from proxy.codec.wire_rules import at_most, few_stops, short_names
from proxy.dialects.openai_chat.build_reasoning import asked
from proxy.dialects.openai_chat.call import called, renamed
from proxy.dialects.openai_chat.options import UpstreamOptions, upstream_options
from proxy.dialects.openai_chat.order import ordered, unmarked
from proxy.dialects.openai_chat.relay_media import media_behind
from proxy.dialects.openai_chat.relay_turns import RelayedTurns
from proxy.dialects.openai_chat.wire_request import GUIDED
from proxy.events import Note
from proxy.request import ChatRequest, Original

# Where tools stand, and what is said of them beside.
_TOOLS = {"tools": ("tool_choice", "parallel_tool_calls"), "functions": ("function_call",)}
_ABOUT_TOOLS = frozenset({*_TOOLS, "tool_choice", "function_call", "response_format"})
_FOR_GOOGLE = ("extra_body", "google")  # what is said to Gemini alone
_WAYS_TO_THINK = (
    *("thinking", "enable_thinking", "thinking_budget", "reasoning"),
    *_FOR_GOOGLE,
)
# Vendors' own ways, and those in which `reasoning_effort` says too little.
_OWN_WAYS = frozenset({*_WAYS_TO_THINK, "chat_template_kwargs"})
_UNLIKE = ("switch", "budget", "template")
_LIMITS = ("max_completion_tokens", "max_tokens")
_OLD = "functions"


def relay_request(
    request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. None: the request has tools with free text and the vendor
    knows functions only, or functions in the old form and it knows tools only; so it is built anew.
    """
    if target.rules.custom_tools is False and custom_names(request.tools):
        return None
    if target.rules.only and _OLD not in target.rules.only and original.body.get(_OLD):
        return None
    notes: list[Note] = []
    options, rules = upstream_options(target), target.rules
    changes = {"model": target.model or request.model, "stream": True}
    body = _let_through(_with_usage(own_body(original, changes), options), rules, notes)
    body = _in_its_words(body, request, options, rules, notes)
    turns = RelayedTurns(rules, options, notes)
    said = [turns.message(message) for message in media_behind(body["messages"], rules, notes)]
    body["messages"] = ordered(said, rules, options, notes)
    body = _limited(body, rules, notes)
    _tools(body, turns, rules, notes)
    _bounded(body, rules, notes)
    return called(body, target, options, notes, tool_names=turns.names, headers=original.headers)


def _let_through(body: dict[str, Any], rules: Rules, notes: list[Note]) -> dict[str, Any]:
    """What is said to one vendor alone without what the operator refuses, at any depth: that
    vendor, and relays, read it as if it stood in the body itself.
    """
    for name in _FOR_GOOGLE if rules.refuse else ():
        said = body.get(name)
        if isinstance(said, dict) and (left := let_through(said, rules.refuse)) != said:
            body = {**body, name: left}
            drop(notes, "refuse", f"Of {name}, what the configuration refuses is left out.")
    return body


def _in_its_words(
    body: dict[str, Any],
    request: ChatRequest,
    options: UpstreamOptions,
    rules: Rules,
    notes: list[Note],
) -> dict[str, Any]:
    """How to think, and the schema of the answer, where the client says them in keys of other
    servers, which the target refuses.
    """
    own = not _OWN_WAYS.isdisjoint(body)
    ways = (
        [name for name in _WAYS_TO_THINK if name in body and rules.is_beyond(name)] if own else []
    )
    if ways:
        body = {name: said for name, said in body.items() if name not in ways}
        if body.get("reasoning_effort") is None:
            body.update(asked(request.reasoning, options.ask_reasoning, rules.efforts, notes))
    elif options.ask_reasoning in _UNLIKE and not own:
        # an effort is OpenAI's word: theirs stands beside it
        theirs = asked(request.reasoning, options.ask_reasoning, rules.efforts, [])
        body = {**body, **{name: said for name, said in theirs.items() if name not in body}}
    guided = [name for name in GUIDED if name in body and rules.is_beyond(name)]
    if guided and body.get("response_format") is None and request.response_format is not None:
        body = {name: said for name, said in body.items() if name not in guided}
        body["response_format"] = request.response_format
    return body


def _with_usage(body: dict[str, Any], options: UpstreamOptions) -> dict[str, Any]:
    """We want the counts, whether the client does or not."""
    if not options.include_usage:
        body.pop("stream_options", None)
        return body
    said = body.get("stream_options")
    return {**body, "stream_options": {**(said or {}), "include_usage": True}}


def _limited(body: dict[str, Any], rules: Rules, notes: list[Note]) -> dict[str, Any]:
    """The limit of the answer in the one field that the target takes, and within its bounds."""
    field = rules.max_tokens_field
    given = [name for name in _LIMITS if body.get(name) is not None]
    if field is not None and given and given != [field]:
        for name in given[1:]:
            del body[name]
        body = renamed(body, {given[0]: field})
        given = [field]
    for name in given:
        at_most(body, name, rules.largest_max_tokens, notes)
    return body


def _tools(body: dict[str, Any], turns: RelayedTurns, rules: Rules, notes: list[Note]) -> None:
    """Names and schemas of tools as the target takes them. Kinds that the operator does not let
    through are left out.
    """
    if _ABOUT_TOOLS.isdisjoint(body) and rules.choice_alone is not False:
        return
    for key, beside in _TOOLS.items():
        given = body.get(key)
        if given is None and rules.choice_alone is False:
            given = []
        if not isinstance(given, list):
            continue
        kept = [tool for tool in given if not _is_refused(tool, rules, notes)]
        if rules.cache_marks is False:
            kept = [unmarked(tool, notes) for tool in kept]
        body[key] = [turns.named(_with_schema(tool, rules, notes)) for tool in kept]
        if not kept:  # an empty list is refused, and what chooses among no tools
            for name in (key, *beside):
                body.pop(name, None)
    form = body.get("response_format")
    if isinstance(form, dict) and rules.schema_lacks:
        body["response_format"] = adapted_format(form, rules.schema_lacks, notes)
    for key in ("tool_choice", "function_call"):
        if isinstance(body.get(key), dict):
            body[key] = turns.named(body[key])


def _is_refused(tool: Any, rules: Rules, notes: list[Note]) -> bool:
    refused = is_refused(tool, rules.refuse)
    if refused:
        drop(notes, "refuse", "A kind of tool that the configuration does not let through.")
    return refused


def _with_schema(tool: Any, rules: Rules, notes: list[Note]) -> Any:
    match tool:
        case {"function": {"parameters": dict(schema)} as function} if rules.schema_lacks:
            fitting = adapted(schema, rules.schema_lacks)
            if fitting is not schema:
                said = "A tool's JSON Schema was said in the words that the upstream takes."
                drop(notes, "tools.parameters", said, "changed")
                return {**tool, "function": {**function, "parameters": fitting}}
    return tool


def _bounded(body: dict[str, Any], rules: Rules, notes: list[Note]) -> None:
    """Numbers, lengths and words within what the target takes."""
    at_most(body, "temperature", rules.largest_temperature, notes)
    few_stops(body, "stop", rules, notes)
    short_names(body, rules, notes)
    effort = body.get("reasoning_effort")
    if rules.efforts and effort in EFFORTS:
        nearest = nearest_effort(effort, rules.efforts)
        if nearest != effort:
            why = f"Effort {effort} is said as {nearest}, the nearest that is taken."
            drop(notes, "reasoning.effort", why, "changed")
            body["reasoning_effort"] = nearest
