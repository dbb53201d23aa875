"""A client's chat request of API v2 to a `ChatRequest`.

Wrong types are refused as the vendor does. What the API knows and ours cannot carry is a note, and
so is a key that we do not know: the vendor's SDKs gain fields faster than we do.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.dialects.cohere.parse_turns import AskedMessage, Turns, document_text
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Reasoning, ToolChoice, ToolSpec

Count = Annotated[int, Meta(ge=1)]


class AskedFunction(msgspec.Struct):
    """A function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class AskedTool(msgspec.Struct):
    """A tool. There are only functions."""

    function: AskedFunction


class AskedThinking(msgspec.Struct):
    """Whether to think, and for how many tokens."""

    type: Literal["enabled", "disabled"]
    token_budget: Count | None = None


class AskedFormat(msgspec.Struct):
    """The form of the answer: text, or JSON with or without a schema."""

    type: Literal["text", "json_object"]
    json_schema: dict[str, Any] | None = None


class Asked(msgspec.Struct):
    """The body."""

    model: str
    messages: list[AskedMessage]
    stream: bool | None = None
    max_tokens: Count | None = None
    temperature: Annotated[float, Meta(ge=0)] | None = None
    p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    tools: list[AskedTool] | None = None
    strict_tools: bool | None = None
    tool_choice: Literal["REQUIRED", "NONE"] | None = None
    documents: list[str | dict[str, Any]] | None = None
    response_format: AskedFormat | None = None
    thinking: AskedThinking | None = None


_KNOWN = frozenset(Asked.__struct_fields__)
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "citation_options": ({"mode": "OFF"}, {"mode": "DISABLED"}, {}),
    "safety_mode": ("OFF", "NONE"),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "k": (0,),
    "logprobs": (False,),
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
_MEDIUM = Note(
    "changed", "thinking", "Thinking without a budget is said as reasoning of medium effort."
)


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = json_object(incoming.body)
    asked = fitted(value, Asked)
    if not asked.messages:
        raise bad_request("messages must hold at least one message.", param="messages")
    notes = key_notes(value, _KNOWN, _DROPPED)
    system, messages = Turns(notes).read(asked.messages)
    if not messages:
        raise bad_request("messages must hold a turn beside the system's.", param="messages")
    request = ChatRequest(
        model=asked.model,
        messages=messages,
        system=_with_documents(system, asked.documents or [], notes),
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        top_p=asked.p,
        stop=asked.stop_sequences or [],
        seed=asked.seed,
        tools=[_tool(tool.function, strict=asked.strict_tools) for tool in asked.tools or ()],
        tool_choice=None
        if asked.tool_choice is None
        else ToolChoice("required" if asked.tool_choice == "REQUIRED" else "none"),
        response_format=_response_format(asked.response_format),
        reasoning=_reasoning(asked.thinking, notes),
        stream=bool(asked.stream),
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


def _tool(asked: AskedFunction, *, strict: bool | None) -> ToolSpec:
    return ToolSpec(asked.name, asked.description, asked.parameters, strict)


def _response_format(asked: AskedFormat | None) -> dict[str, Any] | None:
    """In the form that ChatRequest has from the OpenAI API."""
    if asked is None or asked.type == "text":
        return None
    if asked.json_schema is None:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": asked.json_schema, "strict": True},
    }


def _reasoning(asked: AskedThinking | None, notes: list[Note]) -> Reasoning | None:
    """A budget stays a budget; without one it is for the model to say how much."""
    if asked is None:
        return None
    if asked.type == "disabled":
        return Reasoning("none")
    if asked.token_budget is None:
        notes.append(_MEDIUM)
        return Reasoning("medium")
    return Reasoning(max_tokens=asked.token_budget)
