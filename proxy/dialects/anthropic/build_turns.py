"""Our turns as the turns of a Messages request: user and assistant alternate, tool results stand
first in a user turn, no text is empty.
"""

from typing import Any

import msgspec

from proxy.codec.media import AUDIO_LOST, DOCUMENT_LOST
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_LATE_SYSTEM = Note(
    "changed",
    "messages.system",
    (
        "Anthropic takes system messages only before the first turn; a later one was sent as the "
        "user's."
    ),
)
_UNSIGNED = Note(
    "dropped",
    "messages.reasoning",
    "Anthropic takes earlier reasoning back only with its signature.",
)
_ARGUMENTS = Note(
    "changed",
    "messages.tool_call",
    "Arguments of an earlier tool call that are no JSON object were wrapped in one.",
)


class TurnBuilder:
    """The turns of one request. Appends to `notes`; `system` is set by `built`."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self.system = ""

    def built(self, request: ChatRequest) -> list[dict[str, Any]]:
        """The wire's messages. Raises Refused for an image that has no form there."""
        system = [request.system] if request.system else []
        turns: list[dict[str, Any]] = []
        for at, message in enumerate(request.messages):
            role = "assistant" if message.role == "assistant" else "user"
            if message.role == "system":
                if not turns:
                    system.append(message.text)
                    continue
                self._note(_LATE_SYSTEM)
            blocks = self._blocks(message, f"messages[{at}]")
            if not blocks:
                continue
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += blocks
            else:
                turns.append({"role": role, "content": blocks})
        self.system = "\n\n".join(system)
        return [{**turn, "content": _tidy(turn["content"])} for turn in turns]

    def _blocks(self, message: Message, at: str) -> list[dict[str, Any]]:
        built = (
            self._block(part, f"{at}.content[{number}]")
            for number, part in enumerate(message.parts)
        )
        return [block for block in built if block is not None]

    def _block(self, part: Part, at: str) -> dict[str, Any] | None:
        match part:
            case TextPart(text):
                return {"type": "text", "text": text} if text.strip() else None
            case ImagePart(url):
                return {"type": "image", "source": _image(url, at)}
            case DocumentPart():
                self._note(DOCUMENT_LOST)
                return None
            case AudioPart():
                self._note(AUDIO_LOST)
                return None
            case ToolCallPart(id, name, arguments):
                return {
                    "type": "tool_use",
                    "id": id,
                    "name": name,
                    "input": self._arguments(arguments),
                }
            case ToolResultPart(id, _, is_error):
                return {
                    "type": "tool_result",
                    "tool_use_id": id,
                    "content": part.text,
                    **({"is_error": True} if is_error else {}),
                }
            case ReasoningPart(text, signature):
                if signature is None:
                    self._note(_UNSIGNED)
                    return None
                return {"type": "thinking", "thinking": text, "signature": signature}

    def _arguments(self, text: str) -> dict[str, Any]:
        try:
            value = msgspec.json.decode(text or "{}")
        except (msgspec.DecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            return value
        self._note(_ARGUMENTS)
        return {"arguments": text}

    def _note(self, note: Note) -> None:
        if note not in self._notes:
            self._notes.append(note)


def _tidy(blocks: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Tool results first, as the API wants them; a lone text as plain text."""
    if len(blocks) == 1 and blocks[0]["type"] == "text":
        text: str = blocks[0]["text"]
        return text
    return sorted(blocks, key=lambda block: block["type"] != "tool_result")


def _image(url: str, at: str) -> dict[str, str]:
    if url.startswith(("http://", "https://")):
        return {"type": "url", "url": url}
    head, _, data = url.removeprefix("data:").partition(",")
    media_type, _, encoding = head.rpartition(";")
    if url.startswith("data:") and encoding == "base64" and media_type and data:
        return {"type": "base64", "media_type": media_type, "data": data}
    raise bad_request(
        f"{at}.url must be an http(s) address or a data: URL with base64 data.", param=f"{at}.url"
    )
