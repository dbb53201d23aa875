"""A client's chat request of API v2 to a `ChatRequest`.

Wrong types are refused as the vendor does. What the API knows and ours cannot carry is a note, and
so is a key that we do not know: the vendor's SDKs gain fields faster than we do.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.codec.response_format import NO_NAME
from proxy.codec.roles import with_known_roles
from proxy.codec.unknown_keys import unknown_inner_keys
from proxy.dialects.cohere.parse_turns import ROLES, Turns, WireMessage, document_text
from proxy.dialects.cohere.wire import NAME
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Original, Reasoning, ToolChoice, ToolSpec

Count = Annotated[int, Meta(ge=1)]


class WireFunction(msgspec.Struct):
    """A function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class WireTool(msgspec.Struct):
    """A tool. There are only functions."""

    function: WireFunction
    type: str | None = None


class WireThinking(msgspec.Struct):
    """Whether to think, and for how many tokens."""

    type: str
    token_budget: Count | None = None


class WireFormat(msgspec.Struct):
    """The form of the answer: text, or JSON with or without a schema, which was `schema` once."""

    type: str
    json_schema: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None


class Body(msgspec.Struct):
    """The body."""

    model: str
    messages: list[WireMessage]
    stream: bool | None = None
    max_tokens: Count | None = None
    temperature: Annotated[float, Meta(ge=0)] | None = None
    p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
    tools: list[WireTool] | None = None
    strict_tools: bool | None = None
    tool_choice: str | None = None
    documents: list[str | dict[str, Any]] | None = None
    response_format: WireFormat | None = None
    thinking: WireThinking | None = None


_OWN_HEADERS = ("x-client-name",)
_KNOWN = frozenset(Body.__struct_fields__)
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "citation_options": ({"mode": "OFF"}, {"mode": "DISABLED"}, {}),
    "safety_mode": ("OFF", "NONE"),
    "priority": (0,),
    "raw_prompting": (False,),
}
_DOCUMENTS = Note(
    "changed",
    "documents",
    (
        "Documents have no place in the requests of other vendors: they are sent as text, behind "
        "the system's."
    ),
)
_LEFT = Note(
    "changed",
    "thinking",
    "How much to think is left to the model: an upstream may have no word for that.",
)


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = with_known_roles(json_object(incoming.body), "messages", ROLES)
    body = fitted(value, Body)
    if not body.messages:
        raise bad_request("messages must hold at least one message.", param="messages")
    notes = [*key_notes(value, _KNOWN, _DROPPED), *unknown_inner_keys(value, Body)]
    turns = Turns(notes)
    system, messages = turns.read(body.messages)
    if not messages and turns.only_relayed is None:
        raise bad_request("messages must hold a turn beside the system's.", param="messages")
    own = {name: incoming.headers[name] for name in _OWN_HEADERS if name in incoming.headers}
    request = ChatRequest(
        model=body.model,
        messages=messages,
        original=Original(NAME, value, own),
        only_relayed=turns.only_relayed,
        system=_with_documents(system, body.documents or [], notes),
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.p,
        stop=body.stop_sequences or [],
        seed=body.seed,
        top_k=body.k or None,  # 0, its default, asks for nothing
        frequency_penalty=body.frequency_penalty or None,
        presence_penalty=body.presence_penalty or None,
        logprobs=body.logprobs,
        tools=[_tool(tool.function, strict=body.strict_tools) for tool in body.tools or ()],
        tool_choice=_choice(body.tool_choice, notes),
        response_format=_response_format(body.response_format, notes),
        reasoning=_reasoning(body.thinking, notes),
        stream=bool(body.stream),
    )
    return Parsed(request, notes=tuple(notes))


def _with_documents(
    system: str | None, documents: list[str | dict[str, Any]], notes: list[Note]
) -> str | None:
    """The system's text, and behind it each document under its id."""
    if not documents:
        return system
    notes.append(_DOCUMENTS)
    shown = []
    for number, document in enumerate(documents):
        name = document.get("id") if isinstance(document, dict) else None
        shown.append(
            "Document "
            f"{name if isinstance(name, str) else f'doc:{number}'}:\n{document_text(document)}"
        )
    return "\n\n".join([*([system] if system else []), *shown])


def _tool(function: WireFunction, *, strict: bool | None) -> ToolSpec:
    return ToolSpec(function.name, function.description, function.parameters, strict)


def _choice(said: str | None, notes: list[Note]) -> ToolChoice | None:
    if said is None:
        return None
    match said.upper():
        case "REQUIRED":
            return ToolChoice("required")
        case "NONE":
            return ToolChoice("none")
    notes.append(Note("dropped", "tool_choice", "A tool choice that is not known was left out."))
    return None


def _response_format(wanted: WireFormat | None, notes: list[Note]) -> dict[str, Any] | None:
    """In the form that ChatRequest has from the OpenAI API."""
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type != "json_object":
        said = "A response format that is not known was left out."
        notes.append(Note("dropped", "response_format", said))
        return None
    schema = wanted.json_schema or wanted.schema
    if schema is None:
        return {"type": "json_object"}
    named = {"name": NO_NAME, "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _reasoning(thinking: WireThinking | None, notes: list[Note]) -> Reasoning | None:
    """A budget stays a budget; without one it is for the model to say how much."""
    if thinking is None:
        return None
    if thinking.type == "disabled":
        return Reasoning("none")
    if thinking.type != "enabled":
        notes.append(Note("dropped", "thinking", "A kind of thinking that is not known."))
        return None
    if thinking.token_budget is None:
        notes.append(_LEFT)
        return Reasoning(adaptive=True)
    return Reasoning(max_tokens=thinking.token_budget)
