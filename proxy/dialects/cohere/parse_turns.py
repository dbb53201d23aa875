"""A client's messages to ours.

A client that talked with another vendor sends back what that vendor must see again, in the
`reasoning_details` that it was given (see `encode`).
"""

from typing import Any

import msgspec

from proxy.codec import reasoning_details
from proxy.codec.message_parts import assistant_turn, content_parts, text_alone
from proxy.codec.note_once import note_once
from proxy.codec.reasoning_details import NO_PROOF
from proxy.codec.roles import unknown_role
from proxy.codec.shared_notes import UNKNOWN_PART
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ImagePart,
    Message,
    OnlyRelayed,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

ROLES = ("system", "user", "assistant", "tool")
_NOTHING = TextPart("")  # in place of such a part
_CITATIONS = Note("dropped", "messages.citations", "Citations of earlier turns are left out.")
_TOOL_DOCUMENT = Note(
    "changed", "messages.document", "A document in a tool's result is sent as its text."
)


class ImageURL(msgspec.Struct):
    """Where an image is, or the image itself in a data: URL."""

    url: str
    detail: str | None = None


class WirePart(msgspec.Struct):
    """One part of a message's content."""

    type: str
    text: str | None = None
    thinking: str | None = None
    image_url: ImageURL | str | None = None
    document: Any = None


class WireFunction(msgspec.Struct):
    """The function of an earlier call."""

    name: str
    arguments: str | None = None


class WireCall(msgspec.Struct):
    """A call that the assistant made."""

    id: str
    function: WireFunction
    type: str | None = None


class WireMessage(msgspec.Struct):
    """One message. The vendor takes the roles in either case."""

    role: str
    content: str | list[WirePart] | None = None
    tool_call_id: str | None = None
    tool_calls: list[WireCall] | None = None
    tool_plan: str | None = None
    citations: list[Any] | None = None
    reasoning_details: Any = None


class Turns:
    """Reads messages in their order. Appends to `notes`, each loss once; `only_relayed` is of the
    first message of a role that is not known.
    """

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._leading: list[str] = []
        self._messages: list[Message] = []
        self.only_relayed: OnlyRelayed | None = None

    def read(self, messages: list[WireMessage]) -> tuple[str | None, list[Message]]:
        """What stood before the first turn, and the turns. Raises Refused for a message that is
        none.
        """
        for at, message in enumerate(messages):
            self._read(message, f"messages[{at}]")
        return "\n\n".join(self._leading) or None, self._messages

    def _read(self, message: WireMessage, at: str) -> None:
        match message.role.lower():
            case "system":
                text = self._text(message, at)
                if self._messages:
                    self._messages.append(Message("system", text))
                else:
                    self._leading.append(text)
            case "user":
                self._messages.append(Message("user", self._content(message, at)))
            case "assistant":
                self._messages.append(self._assistant(message, at))
            case "tool":
                if not message.tool_call_id:
                    raise bad_request(
                        f"{at}.tool_call_id is required in a message of role tool.",
                        param=f"{at}.tool_call_id",
                    )
                content = self._result(message, at)
                self._messages.append(
                    Message("tool", [ToolResultPart(message.tool_call_id, content)])
                )
            case _ if self.only_relayed is None:
                self.only_relayed = unknown_role(at, message.role, ROLES)

    def _assistant(self, message: WireMessage, at: str) -> Message:
        # what it said that it would do: no vendor's proof is of it, so it is no reasoning to others
        parts: list[Part] = [TextPart(message.tool_plan)] if message.tool_plan else []
        if message.content:
            content = self._content(message, at)
            parts += [TextPart(content)] if isinstance(content, str) else content
        if message.citations:
            note_once(self._notes, _CITATIONS)
        calls = message.tool_calls or ()
        proved = reasoning_details.read_with(
            parts, message.reasoning_details, {call.id for call in calls}
        )
        parts = proved.parts
        for call in calls:
            proof = proved.calls.get(call.id, NO_PROOF)
            said = call.function
            parts.append(
                ToolCallPart(
                    call.id,
                    said.name,
                    said.arguments or "",
                    signature=proof.signature,
                    format=proof.format,
                )
            )
        return assistant_turn(parts)

    def _result(self, message: WireMessage, at: str) -> str | list[ResultPart]:
        """What a tool answered: a text, or parts where it holds more."""
        content = self._content(message, at)
        if isinstance(content, str):
            return content
        kept: list[ResultPart] = [part for part in content if isinstance(part, ResultPart)]
        if all(isinstance(part, TextPart) for part in kept):
            return "\n".join(part.text for part in kept if isinstance(part, TextPart))
        return kept

    def _text(self, message: WireMessage, at: str) -> str:
        return text_alone(self._content(message, at), message.role, at, between="\n")

    def _content(self, message: WireMessage, at: str) -> str | list[Part]:
        read = content_parts(message.content, at, self._part)
        if isinstance(read, str):
            return read
        return [part for part in read if part is not _NOTHING]

    def _part(self, part: WirePart, at: str) -> Part:
        match part.type:
            case "text" if part.text is not None:
                return TextPart(part.text)
            case "thinking" if part.thinking is not None:
                return ReasoningPart(part.thinking)
            case "document" if part.document is not None:
                note_once(self._notes, _TOOL_DOCUMENT)
                return TextPart(document_text(part.document))
            case "image_url" if part.image_url is not None:
                if isinstance(part.image_url, str):
                    return ImagePart(part.image_url)
                return ImagePart(part.image_url.url, part.image_url.detail)
            case "text" | "thinking" | "document" | "image_url":
                raise bad_request(
                    f"{at}.{part.type} is required in a part of type {part.type}.",
                    param=f"{at}.{part.type}",
                )
        note_once(self._notes, UNKNOWN_PART)
        return _NOTHING


def document_text(document: Any) -> str:
    """A document as text: one that is text already, or its `data`, which is text or an object."""
    data = document.get("data", document) if isinstance(document, dict) else document
    return data if isinstance(data, str) else msgspec.json.encode(data).decode()
