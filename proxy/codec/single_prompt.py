"""Requests for vendors that take one prompt a call and no settings. Shared by upstream halves."""

from collections.abc import Collection, Iterator
from operator import attrgetter
from typing import Any

from proxy.codec.media import media_notes, said
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    Message,
    ReasoningPart,
    ToolCallPart,
    ToolResultPart,
)

_SETTINGS = (
    *("max_tokens", "temperature", "top_p", "top_k", "min_p", "stop", "seed"),
    *("frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias"),
    *("logprobs", "top_logprobs", "tools", "tool_choice", "response_format", "reasoning"),
    *("verbosity", "user", "safety_identifier", "metadata", "service_tier", "store", "cache_key"),
)
_values_of = attrgetter(*_SETTINGS)
_LABELS = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}


def one_prompt(
    request: ChatRequest,
    notes: list[Note],
    *,
    images: bool = False,
    documents: bool = False,
    remembered: bool = False,
) -> str:
    """The whole talk as one text, with a note for each way in which that is less than was asked.

    A single user turn is the prompt itself. Otherwise the system text comes first, then every turn
    after its speaker's name, with blank lines between. `remembered`: the vendor keeps earlier turns
    itself, so only the newest is said. `images`: the caller sends the newest turn's images,
    `documents`: those of its documents that are at an address. Raises Refused when no user turn has
    text.
    """
    newest = next((turn_text(m) for m in reversed(request.messages) if m.role == "user"), "")
    if not newest:
        raise bad_request(
            "messages must hold a user turn with text: this upstream takes one prompt.",
            param="messages",
        )
    notes += part_notes(request.messages, images=images, documents=documents)
    talk = request.messages[-1:] if remembered else request.messages
    if remembered or (len(talk) == 1 and talk[0].role == "user"):
        if len(request.messages) > 1:
            notes.append(
                Note(
                    "changed",
                    "messages",
                    "Only the newest turn is sent: the vendor keeps the conversation itself.",
                )
            )
        text = newest
    else:
        how = (
            "The upstream takes one prompt: the turns are written into it, each after its "
            "speaker's name."
        )
        notes.append(Note("changed", "messages", how))
        text = "\n\n".join(
            f"{_LABELS[turn.role]}: {words}" for turn in talk if (words := turn_text(turn))
        )
    if not request.system:
        return text
    notes.append(
        Note("changed", "system", "The upstream has no system text: it stands before the prompt.")
    )
    return f"{request.system}\n\n{text}"


def turn_text(turn: Message) -> str:
    """What a turn says in text, tool results among it."""
    texts = (
        "\n".join(said(part.parts if isinstance(part, ToolResultPart) else [part]))
        for part in turn.parts
    )
    return "\n".join(piece for piece in texts if piece)


def cannot_say(request: ChatRequest, taken: Collection[str] = ()) -> list[Note]:
    """A note for each setting of the request that the upstream has no word for; `taken` are
    those that it has. `cache` are the marks for the vendor's prompt cache.
    """
    return [
        Note("dropped", name, f"The upstream has no setting for {name}.")
        for name, value in _settings(request, taken)
        if value not in (None, [], {}) and name not in taken
    ]


def _settings(request: ChatRequest, taken: Collection[str]) -> Iterator[tuple[str, Any]]:
    yield from zip(_SETTINGS, _values_of(request), strict=True)
    yield "n", request.n if request.n != 1 else None
    asked = request.reasoning
    if asked is not None:
        yield "reasoning.summary", asked.summary
    if "response_format" not in taken and request.response_format:
        yield "response_format.json_schema", request.response_format.get("json_schema")
    if "tools" not in taken:
        yield "tools.strict", any(tool.strict for tool in request.tools) or None
    if any(_marked(request)):
        yield "cache", True


def _marked(request: ChatRequest) -> Iterator[bool]:
    """Whether each piece that may have a cache mark has one."""
    yield from (tool.cache is not None for tool in request.tools)
    yield from (part.cache is not None for part in request.system_parts)
    for message in request.messages:
        if not isinstance(message.content, str):
            for part in message.content:
                yield getattr(part, "cache", None) is not None


def part_notes(turns: list[Message], *, images: bool, documents: bool = False) -> Iterator[Note]:
    """Notes about parts that are not text. `images`, `documents`: those of the newest user turn are
    sent.
    """
    newest_user = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=-1)
    lost = (
        note
        for at, turn in enumerate(turns)
        for note in media_notes(
            turn.parts,
            images=images and at == newest_user,
            documents=documents and at == newest_user,
        )
    )
    yield from dict.fromkeys(lost)
    if any(isinstance(part, ToolResultPart) and part.is_error for t in turns for part in t.parts):
        yield Note(
            "dropped",
            "tool_result.is_error",
            "That a tool failed cannot be said here, only what it answered.",
        )
    if any(isinstance(part, ToolCallPart) for turn in turns for part in turn.parts):
        yield Note(
            "dropped",
            "messages.tool_call",
            "Earlier tool calls are left out: the upstream knows no tools.",
        )
    if any(isinstance(part, ReasoningPart) for turn in turns for part in turn.parts):
        yield Note(
            "dropped",
            "messages.reasoning",
            "Earlier reasoning is left out: the upstream takes none.",
        )
