"""Our turns as input items. A turn gives one item for each stretch of text and images, each call,
each result, and each reasoning.

Items carry no ids: with `store` false the vendor looks for an item that has one, and does not find
it.
"""

from collections.abc import Sequence
from typing import Any

from proxy.events import Note
from proxy.request import (
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_UNSIGNED = Note(
    "dropped",
    "messages.reasoning",
    "Earlier reasoning can be sent back only in the encrypted form that its vendor gave.",
)
_IS_ERROR = Note(
    "dropped",
    "tool_result.is_error",
    "That a tool failed cannot be said in this dialect, only what it answered.",
)
_IMAGE = Note("dropped", "messages.image_url", "An image can stand in a user's turn only.")


class InputItems:
    """The input of one request. Appends to `notes`, each loss once."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes

    def built(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for message in messages:
            items += self._turn(message)
        return items

    def _turn(self, message: Message) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        stretch: list[TextPart | ImagePart] = []
        for part in message.parts:
            if isinstance(part, TextPart | ImagePart):
                stretch.append(part)
                continue
            items += self._message(message, stretch)
            stretch = []
            items += self._item(part)
        return items + self._message(message, stretch)

    def _item(self, part: Part) -> list[dict[str, Any]]:
        match part:
            case ToolCallPart(call_id, name, arguments):
                return [
                    {
                        "type": "function_call",
                        "call_id": call_id,
                        "name": name,
                        "arguments": arguments or "{}",
                    }
                ]
            case ToolResultPart(call_id, content, is_error):
                if is_error:
                    self._note(_IS_ERROR)
                return [{"type": "function_call_output", "call_id": call_id, "output": content}]
            case ReasoningPart(text, signature) if signature:
                summary = [{"type": "summary_text", "text": text}] if text else []
                return [{"type": "reasoning", "summary": summary, "encrypted_content": signature}]
        self._note(_UNSIGNED)
        return []

    def _message(
        self, message: Message, stretch: Sequence[TextPart | ImagePart]
    ) -> list[dict[str, Any]]:
        """Text alone goes as plain text, which every vendor takes."""
        role = "user" if message.role == "tool" else message.role
        parts = [self._part(part, role) for part in stretch]
        said = [part for part in parts if part is not None]
        if not said:
            return []
        plain = all("text" in part for part in said)
        return [
            {
                "type": "message",
                "role": role,
                "content": "".join(part["text"] for part in said) if plain else said,
            }
        ]

    def _part(self, part: TextPart | ImagePart, role: str) -> dict[str, Any] | None:
        if isinstance(part, TextPart):
            return {"type": "input_text", "text": part.text} if part.text else None
        if role != "user":
            self._note(_IMAGE)
            return None
        return {"type": "input_image", "image_url": part.url, "detail": "auto"}

    def _note(self, note: Note) -> None:
        if note not in self._notes:
            self._notes.append(note)
