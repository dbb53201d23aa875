"""A client's Messages request to a `ChatRequest`. Source: "Create a Message" of the API reference.

Refused as the vendor does: a missing `max_tokens`, wrong types. What the API knows and ours cannot
carry is a note, and so is a key, or a word, that we do not know: an upstream of this dialect gets
the client's own body, and knows more than we do.
"""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.codec.response_format import NO_NAME
from proxy.codec.roles import unknown_role
from proxy.codec.shared_notes import UNKNOWN_KEY
from proxy.dialects.anthropic.call import OWN_HEADERS
from proxy.dialects.anthropic.foreign import in_own_words
from proxy.dialects.anthropic.parse_tools import Choice, parse_choice, parse_tools
from proxy.dialects.anthropic.parse_turns import NO_CACHE, Turns
from proxy.dialects.anthropic.wire import NAME
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    Effort,
    Message,
    OnlyRelayed,
    Original,
    Reasoning,
)


class _Turn(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]]


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: Annotated[int, Meta(ge=1)] | None = None
    display: str | None = None


class _OutputConfig(msgspec.Struct):
    effort: str | None = None
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
    top_k: Annotated[int, Meta(ge=0)] | None = None
    stop_sequences: list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Choice | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    output_format: dict[str, Any] | None = None  # where the form stood while it was a beta
    metadata: _Metadata | None = None
    service_tier: str | None = None
    stream: bool | None = None


_KNOWN = frozenset(_Body.__struct_fields__)
# Keys of the API that have no place in a ChatRequest.
_DROPPED = frozenset(
    {
        "container",
        "mcp_servers",
        "context_management",
        "inference_geo",
        "diagnostics",
        "speed",
        "fallbacks",
    }
)
_INNER: dict[str, frozenset[str]] = {
    "tool_choice": frozenset(Choice.__struct_fields__),
    "thinking": frozenset(_Thinking.__struct_fields__),
    "output_config": frozenset(_OutputConfig.__struct_fields__),
    "metadata": frozenset(_Metadata.__struct_fields__),
}
_ROLES: dict[str, Literal["user", "assistant", "system"]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
}
_TIER = {"auto": "auto", "standard_only": "default"}
_BETA = Note(
    "dropped",
    "anthropic_beta",
    "Beta features of the Messages API are not asked for of other vendors.",
)


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = in_own_words(json_object(incoming.body))
    if value.get("max_tokens") is None:
        raise bad_request(
            "max_tokens is required: say how many tokens the answer may have at most.",
            param="max_tokens",
        )
    body = fitted(value, _Body)
    if not body.messages:
        raise bad_request("messages must hold at least one turn.", param="messages")
    notes = _key_notes(value)
    own = {name: incoming.headers[name] for name in OWN_HEADERS if name in incoming.headers}
    if "anthropic-beta" in own:
        notes.append(_BETA)
    turns = Turns(notes)
    system = turns.system(body.system, "system")
    messages, only_relayed = _messages(body.messages, turns)
    request = ChatRequest(
        model=body.model,
        messages=messages,
        only_relayed=only_relayed,
        original=Original(NAME, value, own),
        system="\n\n".join(part.text for part in system) if system else None,
        system_parts=system if any(part.cache for part in system) else [],
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        stop=body.stop_sequences or [],
        tools=parse_tools(body.tools or [], turns),
        tool_choice=parse_choice(body.tool_choice, notes),
        response_format=_response_format(body, notes),
        reasoning=_reasoning(body, notes),
        user=body.metadata.user_id if body.metadata else None,
        service_tier=_tier(body.service_tier, notes),
        stream=bool(body.stream),
    )
    return Parsed(request, notes=tuple(notes))


def _messages(said: list[_Turn], turns: Turns) -> tuple[list[Message], OnlyRelayed | None]:
    """The turns, and why they can only be relayed where one has a role that is not known."""
    messages: list[Message] = []
    only_relayed: OnlyRelayed | None = None
    for at, turn in enumerate(said):
        role = _ROLES.get(turn.role)
        if role is not None:
            messages += turns.messages(role, turn.content, f"messages[{at}]")
        elif only_relayed is None:
            only_relayed = unknown_role(f"messages[{at}]", turn.role, tuple(_ROLES))
    return messages, only_relayed


def _key_notes(value: dict[str, Any]) -> list[Note]:
    notes = []
    for key, said in value.items():
        if said is None:
            continue
        if key in _INNER and isinstance(said, dict):
            if not _INNER[key].issuperset(said):
                notes.append(UNKNOWN_KEY)
        elif key in _DROPPED:
            why = f"{key} has no place in the requests of other vendors."
            notes.append(Note("dropped", key, why))
        elif key == "cache_control":
            notes.append(NO_CACHE)
        elif key not in _KNOWN:
            notes.append(UNKNOWN_KEY)
    return list(dict.fromkeys(notes))


def _reasoning(body: _Body, notes: list[Note]) -> Reasoning | None:
    """A budget stays a budget, and adaptive thinking is adaptive. `disabled` is the effort none."""
    effort = _effort(body.output_config, notes)
    thinking = body.thinking
    if thinking is None:
        return Reasoning(effort) if effort is not None else None
    if thinking.type == "disabled":
        return Reasoning(effort or "none")
    summary = "auto" if thinking.display == "summarized" else None
    if thinking.display not in (None, "summarized"):
        said = "How thinking is shown cannot be said here."
        notes.append(Note("dropped", "thinking.display", said))
    if thinking.type == "enabled":
        if thinking.budget_tokens is None:
            raise bad_request(
                "thinking.budget_tokens is required with type enabled.",
                param="thinking.budget_tokens",
            )
        return Reasoning(effort, thinking.budget_tokens, summary=summary)
    if thinking.type != "adaptive":
        notes.append(Note("dropped", "thinking", "This kind of thinking cannot be asked for here."))
        return Reasoning(effort) if effort is not None else None
    return Reasoning(effort, adaptive=True, summary=summary)


def _effort(config: _OutputConfig | None, notes: list[Note]) -> Effort | None:
    said = config.effort if config else None
    for effort in get_args(Effort):
        if said == effort:
            return effort  # type: ignore[no-any-return]
    if said is not None:
        why = "An effort that is not known was left out."
        notes.append(Note("dropped", "output_config.effort", why))
    return None


def _tier(said: str | None, notes: list[Note]) -> str | None:
    if said is not None and said not in _TIER:
        notes.append(Note("dropped", "service_tier", "A service tier that is not known."))
    return _TIER.get(said or "")


def _response_format(body: _Body, notes: list[Note]) -> dict[str, Any] | None:
    """A JSON Schema for the answer, in the form that ChatRequest has from the OpenAI API."""
    wanted = (body.output_config.format if body.output_config else None) or body.output_format
    if not wanted:
        return None
    if wanted.get("type") != "json_schema":
        said = "A form of the answer that is not known was left out."
        notes.append(Note("dropped", "output_config.format", said))
        return None
    return {
        "type": "json_schema",
        "json_schema": {"name": NO_NAME, "schema": wanted.get("schema"), "strict": True},
    }
