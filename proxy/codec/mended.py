"""A request as its target can take it: what the target's rules refuse is changed before it is built
into the vendor's form. For requests of another dialect than the target's; one of the same dialect
is mended in its own form, by that dialect.

Each change is the same for the same request, so that a conversation goes up as the same bytes turn
after turn, and nothing has to be remembered between two requests.
"""

import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from proxy.codec.efforts import nearest_effort
from proxy.codec.json_schema import adapted
from proxy.codec.note_once import note_once
from proxy.codec.pictures import with_pictures
from proxy.codec.response_format import IN_WORDS, SCHEMA_IN_WORDS, adapted_format
from proxy.codec.rules import NO_RULES, Names, Rules
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    Effort,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    only_texts,
)

# How the answer is drawn. These have the same name in a ChatRequest and in the rules, whatever an
# upstream's dialect calls them.
_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
    "logit_bias",
    "logprobs",
    "top_logprobs",
)

_NAMES_OF_USERS = ("user", "safety_identifier", "cache_key")

# What says at a schema's root of what shape it is.
_SHAPES = ("type", "anyOf", "oneOf", "allOf", "$ref")
_SAME_NAME = Note("dropped", "tools", "Of several tools of one name the first was sent.")
_TOLD_OTHERWISE = ("adaptive", "budget", "both")


class Mended(NamedTuple):
    """`tool_names`: names as sent, to the client's, of tools that were renamed."""

    request: ChatRequest
    notes: tuple[Note, ...] = ()
    tool_names: Mapping[str, str] = {}


def mended(request: ChatRequest, rules: Rules) -> Mended:
    """The request under the rules, and what was changed."""
    notes: list[Note] = []
    names: dict[str, str] = {}
    if request.tools:
        request = _with_tools(request, notes)
    parts = not only_texts(request.messages)
    if parts:
        request = with_pictures(request, rules.pictures, notes)
    if rules == NO_RULES:
        return Mended(request, tuple(notes))
    if rules.tool_name is not None and (parts or request.tools or request.tool_choice):
        request = _with_names(request, rules.tool_name, names, notes)
    if rules.call_id is not None and parts:
        request = _with_ids(request, rules.call_id)
    if rules.schema_lacks and request.tools:
        request = _with_schemas(request, rules, notes)
    if rules.schema_lacks and request.response_format is not None:
        form = adapted_format(request.response_format, rules.schema_lacks, notes)
        if form is not request.response_format:
            request = replace(request, response_format=form)
    if rules.answer_forms and request.response_format is not None:
        request = _with_form(request, rules, notes)
    if rules.refused or rules.at_most_one:
        request = _with_sampling(request, rules, notes)
    if rules.thinking == "none" and request.reasoning is not None:
        if request.reasoning.effort != "none":
            notes.append(Note("dropped", "reasoning", "This model does not think."))
        request = replace(request, reasoning=None)
    return Mended(_with_bounds(request, rules, notes), tuple(notes), names)


def _with_tools(request: ChatRequest, notes: list[Note]) -> ChatRequest:
    """One tool of a name, and a schema that says it is of an object, as vendors insist on it."""
    tools: dict[str, ToolSpec] = {}
    for tool in request.tools:
        schema = tool.parameters
        if schema is not None and not any(schema.get(key) for key in _SHAPES):
            whole = {**schema, "type": "object", "properties": schema.get("properties") or {}}
            tool = replace(tool, parameters=whole)  # noqa: PLW2901
        if tools.setdefault(tool.name, tool) != tool:
            note_once(notes, _SAME_NAME)
    if all(map(operator.is_, tools.values(), request.tools)) and len(tools) == len(request.tools):
        return request
    return replace(request, tools=list(tools.values()))


def _with_names(
    request: ChatRequest, rule: Names, names: dict[str, str], notes: list[Note]
) -> ChatRequest:
    def fitted(name: str) -> str:
        if rule.fit(name):
            return name
        short = rule.fitted(name)
        names[short] = name
        return short

    def renamed(part: Part) -> Part:
        return replace(part, name=fitted(part.name)) if isinstance(part, ToolCallPart) else part

    tools = [replace(tool, name=fitted(tool.name)) for tool in request.tools]
    choice = request.tool_choice
    if choice is not None and choice.name is not None:
        choice = replace(choice, name=fitted(choice.name))
    messages = _changed(request.messages, renamed)
    if not names:
        return request
    said = "Names of tools that the upstream refuses were changed; the answer has the client's."
    notes.append(Note("changed", "tools.name", said))
    return replace(request, tools=tools, tool_choice=choice, messages=messages)


def _with_ids(request: ChatRequest, rule: Names) -> ChatRequest:
    """The vendor only wants a call and its result to have the same id: no loss, and so no note."""

    def renamed(part: Part) -> Part:
        if isinstance(part, ToolCallPart | ToolResultPart) and not rule.fit(part.id):
            return replace(part, id=rule.fitted(part.id))
        return part

    return replace(request, messages=_changed(request.messages, renamed))


def _changed(messages: list[Message], change: Callable[[Part], Part]) -> list[Message]:
    return [
        message
        if isinstance(message.content, str)
        else Message(message.role, [change(part) for part in message.content])
        for message in messages
    ]


def _with_schemas(request: ChatRequest, rules: Rules, notes: list[Note]) -> ChatRequest:
    tools: list[ToolSpec] = []
    for tool in request.tools:
        schema = tool.parameters and adapted(tool.parameters, rules.schema_lacks)
        tools.append(tool if schema is tool.parameters else replace(tool, parameters=schema))
    if any(new is not old for new, old in zip(tools, request.tools, strict=True)):
        said = "A tool's JSON Schema was said in the part of the language that the upstream takes."
        notes.append(Note("changed", "tools.parameters", said))
        return replace(request, tools=tools)
    return request


def _with_form(request: ChatRequest, rules: Rules, notes: list[Note]) -> ChatRequest:
    """A form of the answer that the target does not know is told to the model in words."""
    form = request.response_format or {}
    kind, named = form.get("type"), form.get("json_schema") or {}
    if kind not in ("json_object", "json_schema") or kind in rules.answer_forms:
        return request
    words, left = IN_WORDS, None
    if kind == "json_schema":
        words = SCHEMA_IN_WORDS + msgspec.json.encode(named.get("schema", {})).decode()
        left = {"type": "json_object"} if "json_object" in rules.answer_forms else None
    said = "The form of the answer is told to the model in words, as this upstream knows it not."
    notes.append(Note("changed", "response_format", said))
    parts = [*request.system_parts, TextPart(words)] if request.system_parts else []
    system = f"{request.system}\n\n{words}" if request.system else words
    return replace(request, response_format=left, system=system, system_parts=parts)


def _with_sampling(request: ChatRequest, rules: Rules, notes: list[Note]) -> ChatRequest:
    """Without what the model refuses of it. What else it refuses is for the dialect, whose words
    the rules have.
    """
    given = [name for name in _SAMPLING if getattr(request, name) is not None]
    lost = [name for name in given if name in rules.refused]
    notes += [Note("dropped", name, f"{name} is left out: this model refuses it.") for name in lost]
    for group in rules.at_most_one:
        first, *others = [name for name in group if name in given and name not in lost] or [""]
        said = f"is left out: this model takes {first} or it, not both."
        notes += [Note("dropped", name, f"{name} {said}") for name in others]
        lost += others
    return replace(request, **dict.fromkeys(lost)) if lost else request


def _with_bounds(request: ChatRequest, rules: Rules, notes: list[Note]) -> ChatRequest:
    def lessened(param: str, most: float) -> None:
        notes.append(
            Note("changed", param, f"The upstream takes {param} up to {most}; that was sent.")
        )

    most_tokens, hottest = rules.largest_max_tokens, rules.largest_temperature
    if most_tokens is not None and (request.max_tokens or 0) > most_tokens:
        lessened("max_tokens", most_tokens)
        request = replace(request, max_tokens=most_tokens)
    least = rules.least_max_tokens
    if least is not None and request.max_tokens is not None and request.max_tokens < least:
        said = f"The upstream takes max_tokens from {least} on; that was sent."
        notes.append(Note("changed", "max_tokens", said))
        request = replace(request, max_tokens=least)
    if hottest is not None and (request.temperature or 0) > hottest:
        lessened("temperature", hottest)
        request = replace(request, temperature=hottest)
    if rules.stop_most is not None and len(request.stop) > rules.stop_most:
        said = f"The upstream takes {rules.stop_most} stop sequences; the rest is left out."
        notes.append(Note("dropped", "stop", said))
        request = replace(request, stop=request.stop[: rules.stop_most])
    if rules.user_chars is not None:
        request = _with_short_names(request, rules.user_chars, notes)
    reasoning = request.reasoning
    if rules.efforts and reasoning is not None and not _is_for_dialect(reasoning.effort, rules):
        effort = nearest_effort(reasoning.effort or "none", rules.efforts)
        if effort != reasoning.effort:
            said = f"Effort {reasoning.effort} is said as {effort}, the nearest that is taken."
            notes.append(Note("changed", "reasoning.effort", said))
            request = replace(request, reasoning=replace(reasoning, effort=effort))
    return request


def _with_short_names(request: ChatRequest, most: int, notes: list[Note]) -> ChatRequest:
    """Names of the user, and of what shares a cache, in no more characters than that."""
    given = {name: getattr(request, name) for name in _NAMES_OF_USERS}
    long = {name: said for name, said in given.items() if said is not None and len(said) > most}
    if not long:
        return request
    digest = Names(chars="a-zA-Z0-9_-", most=most)
    notes += [
        Note("changed", name, f"The upstream takes {most} characters of {name}; a digest was sent.")
        for name in long
    ]
    return replace(request, **{name: digest.fitted(said) for name, said in long.items()})


def _is_for_dialect(effort: Effort | None, rules: Rules) -> bool:
    """Whether there is no effort, or it says not to think and the model is told that otherwise."""
    return effort is None or (effort == "none" and rules.thinking in _TOLD_OTHERWISE)
