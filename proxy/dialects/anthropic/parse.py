"""A client's Messages request to a `ChatRequest`. Source: "Create a Message" of the API reference.

Refused as the vendor does: a missing `max_tokens`, wrong types, wrong roles. What the API knows and
ours cannot carry is a note, and so is a key that we do not know: the vendor's SDKs gain fields
faster than we do.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.dialects.anthropic.parse_turns import CACHE_NOTE, Turns
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Effort, Reasoning, ToolChoice, ToolSpec


class _Turn(msgspec.Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[dict[str, Any]]


class _Tool(msgspec.Struct):
    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    type: str | None = None
    strict: bool | None = None
    cache_control: dict[str, Any] | None = None


class _Choice(msgspec.Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: Annotated[int, Meta(ge=1)] | None = None


class _OutputConfig(msgspec.Struct):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: dict[str, Any] | None = None


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Body(msgspec.Struct):
    model: str
    messages: list[_Turn]
    max_tokens: Annotated[int, Meta(ge=1)]
    system: str | list[dict[str, Any]] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop_sequences: list[str] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    metadata: _Metadata | None = None
    stream: bool | None = None


_KNOWN = frozenset(_Body.__struct_fields__)
# Keys of the API that have no place in a ChatRequest. `cache_control` is noted wherever it stands.
_DROPPED = frozenset(
    {
        "top_k",
        "service_tier",
        "container",
        "mcp_servers",
        "context_management",
        "inference_geo",
        "diagnostics",
        "speed",
        "fallbacks",
    }
)
_EFFORT: dict[str, Effort] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
_MODE: dict[str, Literal["auto", "required", "tool", "none"]] = {
    "auto": "auto",
    "any": "required",
    "tool": "tool",
    "none": "none",
}


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = json_object(incoming.body)
    if value.get("max_tokens") is None:
        raise bad_request(
            "max_tokens is required: say how many tokens the answer may have at most.",
            param="max_tokens",
        )
    body = fitted(value, _Body)
    if not body.messages:
        raise bad_request("messages must hold at least one turn.", param="messages")
    notes = _key_notes(value)
    if "anthropic-beta" in incoming.headers:
        notes.append(
            Note(
                "dropped",
                "anthropic_beta",
                "Beta features of the Messages API are not asked for upstream.",
            )
        )
    turns = Turns(notes)
    messages = [
        message
        for at, turn in enumerate(body.messages)
        for message in turns.messages(turn.role, turn.content, f"messages[{at}]")
    ]
    system = turns.text(body.system, "system")
    if any(tool.cache_control for tool in body.tools or ()):
        turns.note(CACHE_NOTE)
    request = ChatRequest(
        model=body.model,
        messages=messages,
        system=system,
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=body.stop_sequences or [],
        tools=_tools(body.tools or [], notes),
        tool_choice=_choice(body.tool_choice),
        response_format=_response_format(body.output_config),
        reasoning=_reasoning(body, notes),
        user=body.metadata.user_id if body.metadata else None,
        stream=bool(body.stream),
    )
    return Parsed(request, notes=tuple(notes))


def _key_notes(value: dict[str, Any]) -> list[Note]:
    notes = []
    for key, said in value.items():
        if said is None or key in _KNOWN:
            continue
        if key in _DROPPED:
            notes.append(
                Note("dropped", key, f"{key} has no place in the requests of other vendors.")
            )
        elif key == "cache_control":
            notes.append(CACHE_NOTE)
        else:
            notes.append(
                Note(
                    "dropped", "unknown_key", "A key of the request that is not known was left out."
                )
            )
    return list(dict.fromkeys(notes))


def _tools(tools: list[_Tool], notes: list[Note]) -> list[ToolSpec]:
    """The client's own tools. Those that the vendor would run have a type of their own, and nobody
    else to run them.
    """
    own = [tool for tool in tools if tool.type in (None, "custom")]
    if len(own) < len(tools):
        notes.append(
            Note(
                "dropped",
                "server_tools",
                "Tools that Anthropic runs itself cannot be asked for here.",
            )
        )
    return [ToolSpec(tool.name, tool.description, tool.input_schema, tool.strict) for tool in own]


def _choice(choice: _Choice | None) -> ToolChoice | None:
    if choice is None:
        return None
    if choice.type == "tool" and not choice.name:
        raise bad_request("tool_choice.name is required with type tool.", param="tool_choice.name")
    parallel = (
        None if choice.disable_parallel_tool_use is None else not choice.disable_parallel_tool_use
    )
    return ToolChoice(_MODE[choice.type], choice.name, parallel)


def _reasoning(body: _Body, notes: list[Note]) -> Reasoning | None:
    """A budget stays a budget. Adaptive thinking leaves it to the model how much: our nearest word
    is the effort asked for, or medium. `disabled` is the vendor's default and asks for nothing.
    """
    said = body.output_config.effort if body.output_config else None
    effort = _EFFORT[said] if said else None
    if effort is not None and effort != said:
        notes.append(
            Note(
                "changed",
                "output_config.effort",
                f"Effort {said} is said as {effort}, the most that can be said.",
            )
        )
    thinking = body.thinking
    if thinking is None or thinking.type == "disabled":
        return None
    if thinking.type == "enabled":
        if thinking.budget_tokens is None:
            raise bad_request(
                "thinking.budget_tokens is required with type enabled.",
                param="thinking.budget_tokens",
            )
        return Reasoning(effort, thinking.budget_tokens)
    if thinking.type != "adaptive":
        notes.append(Note("dropped", "thinking", "This kind of thinking cannot be asked for here."))
        return None
    if effort is None:
        notes.append(
            Note("changed", "thinking", "Adaptive thinking is said as reasoning of medium effort.")
        )
    return Reasoning(effort or "medium")


def _response_format(config: _OutputConfig | None) -> dict[str, Any] | None:
    """A JSON Schema for the answer, in the form that ChatRequest has from the OpenAI API."""
    wanted = config.format if config else None
    if not wanted or wanted.get("type") != "json_schema":
        return None
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": wanted.get("schema"), "strict": True},
    }
