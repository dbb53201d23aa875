"""Our turns as the messages of /api/chat: images in base64, calls with their arguments as an
object, results under the tool's name.
"""

from typing import Any

from proxy.codec.media import media_notes, said
from proxy.codec.note_once import note_once
from proxy.codec.shared_notes import IS_ERROR, SIGNATURE, WRAPPED_ARGUMENTS
from proxy.codec.tool_calls import arguments_object
from proxy.dialects.ollama.images import bare
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    ToolCallPart,
    ToolResultPart,
)

ADDRESS = Note(
    "dropped",
    "messages.image_url",
    "An image's address cannot be sent to Ollama, only an image in base64.",
)


class TurnBuilder:
    """The messages of one request. Appends to `notes`, each loss once."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._names: dict[str, str] = {}  # id of a call -> its tool's name

    def built(self, request: ChatRequest) -> list[dict[str, Any]]:
        """The wire's messages."""
        messages = [{"role": "system", "content": request.system}] if request.system else []
        for message in request.messages:
            messages += self._turn(message)
        return messages

    def _turn(self, message: Message) -> list[dict[str, Any]]:
        """One turn as one message, behind one for each tool result in it."""
        results: list[dict[str, Any]] = []
        images: list[str] = []
        calls: list[dict[str, Any]] = []
        thinking = ""
        content = "".join(said(message.parts))
        own = (part for part in message.parts if not isinstance(part, ToolResultPart))
        for note in media_notes(own, images=True):
            note_once(self._notes, note)
        for part in message.parts:
            match part:
                case ImagePart(url):
                    images += self._image(url)
                case ToolCallPart():
                    if part.signature is not None:
                        note_once(self._notes, SIGNATURE)
                    calls.append(self._call(part))
                case ToolResultPart():
                    results.append(self._result(part))
                case ReasoningPart(text, signature):
                    thinking += text
                    if signature is not None:
                        note_once(self._notes, SIGNATURE)
        if results and not content and not images and not calls:
            return results
        role = "user" if message.role == "tool" else message.role
        more = {"thinking": thinking, "images": images, "tool_calls": calls}
        return [
            *results,
            {
                "role": role,
                "content": content,
                **{name: value for name, value in more.items() if value},
            },
        ]

    def _image(self, url: str) -> list[str]:
        data = bare(url)
        if data is None:
            note_once(self._notes, ADDRESS)
            return []
        return [data]

    def _call(self, part: ToolCallPart) -> dict[str, Any]:
        self._names[part.id] = part.name
        arguments = arguments_object(part.arguments)
        if arguments is None:
            note_once(self._notes, WRAPPED_ARGUMENTS)
            arguments = {"arguments": part.arguments}
        return {
            "id": part.id,
            "type": "function",
            "function": {"name": part.name, "arguments": arguments},
        }

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        """Old versions know a result by its tool's name, new ones also by the call's id."""
        if part.is_error:
            note_once(self._notes, IS_ERROR)
        named = {"tool_name": self._names[part.id]} if part.id in self._names else {}
        pictures = [part for part in part.media if isinstance(part, ImagePart)]
        images = [data for each in pictures for data in self._image(each.url)]
        for note in media_notes(part.media, images=True):
            note_once(self._notes, note)
        return {
            "role": "tool",
            "content": "\n".join(said(part.parts)),
            **({"images": images} if images else {}),
            **named,
            "tool_call_id": part.id,
        }


def newest_images(parts: list[Part], notes: list[Note]) -> list[str]:
    """The images of one turn, for /api/generate."""
    found = [bare(part.url) for part in parts if isinstance(part, ImagePart)]
    if None in found:
        notes.append(ADDRESS)
    return [data for data in found if data is not None]
