"""The turns of a page's chat to ours.

One turn of an assistant may hold several steps, each begun by a `step-start`: what the model said
and called, and what the page's tools answered. Each step becomes a turn of the assistant and, if
there are results, one of the tools.
"""

from typing import Any

import msgspec

from proxy.codec.json_body import fitted
from proxy.codec.media import data_of, data_url, is_document
from proxy.codec.note_once import note_once
from proxy.dialects.ai_sdk import metadata
from proxy.dialects.ai_sdk.wire import FilePart, TextPart, ToolPart, WireMessage
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    ResultPart,
    ToolCallPart,
    ToolResultPart,
)
from proxy.request import TextPart as OurText

_FILE = Note(
    "dropped",
    "messages.file",
    "Files are left out, but for pictures, documents and sound in user turns and tool outputs.",
)
_OPEN = Note(
    "dropped",
    "messages.tool_call",
    "A tool call that has no result yet is left out: no vendor goes on without it.",
)
_SOURCE = Note("dropped", "messages.source", "Sources of earlier turns are left out.")
_DATA = Note("dropped", "messages.data", "Data parts of earlier turns are for the page alone.")
_UNKNOWN = Note(
    "dropped", "unknown_part", "A part of a message of a kind that is not known was left out."
)
_DENIED = "The user did not allow this call."


class Turns:
    """Turns of one request. Appends to `notes`, each loss once."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes

    def read(self, messages: list[WireMessage]) -> tuple[str | None, list[Message]]:
        """The system text that stands before the first turn, and the turns."""
        system: list[str] = []
        turns: list[Message] = []
        for at, message in enumerate(messages):
            where = f"messages[{at}]"
            if message.role == "assistant":
                turns += self._assistant(message, where)
                continue
            parts = self._parts(message, where)
            if message.role == "user":
                turns.append(Message("user", _plain(parts)))
                continue
            text = "".join(part.text for part in parts if isinstance(part, OurText))
            if turns:
                turns.append(Message("system", text))
            else:
                system.append(text)
        if not turns:
            raise bad_request(
                "messages must hold at least one turn that is not of the system.", param="messages"
            )
        return "\n\n".join(filter(None, system)) or None, turns

    def _parts(self, message: WireMessage, where: str) -> list[Part]:
        """Those of a user or of the system."""
        found: list[Part] = []
        for place, part in _listed(message, where):
            kind = _kind(part, place)
            if kind == "text":
                found.append(OurText(fitted(part, TextPart, place).text))
            elif kind == "file":
                file = fitted(part, FilePart, place)
                media = _media(file.url, file.media_type, file.filename)
                if message.role == "user" and media is not None:
                    found.append(media)
                else:
                    note_once(self._notes, _FILE)
            else:
                self._lose(kind)
        return found

    def _assistant(self, message: WireMessage, where: str) -> list[Message]:
        turns: list[Message] = []
        said: list[Part] = []
        results: list[Part] = []
        for place, part in [*_listed(message, where), (where, {"type": "step-start"})]:
            kind = _kind(part, place)
            if kind == "step-start":
                turns += [Message("assistant", _plain(said))] if said else []
                turns += [Message("tool", results)] if results else []
                said, results = [], []
            elif kind == "text":
                said.append(OurText(fitted(part, TextPart, place).text))
            elif kind == "reasoning":
                thought = fitted(part, TextPart, place)
                proof = metadata.read(thought.provider_metadata)
                said.append(
                    ReasoningPart(
                        thought.text, proof.signature, proof.redacted, proof.format, proof.id
                    )
                )
            elif kind == "file":
                note_once(self._notes, _FILE)
            elif kind.startswith("tool-") or kind == "dynamic-tool":
                self._call(fitted(part, ToolPart, place), kind, place, said, results)
            else:
                self._lose(kind)
        return turns

    def _call(
        self, part: ToolPart, kind: str, place: str, said: list[Part], results: list[Part]
    ) -> None:
        name = part.tool_name if kind == "dynamic-tool" else kind.removeprefix("tool-")
        if not name:
            raise bad_request(
                f"{place}.toolName is required in a part of type {kind}.", param=f"{place}.toolName"
            )
        match part.state:
            case "output-available":
                result = ToolResultPart(part.tool_call_id, self._output(part.output))
            case "output-error":
                result = ToolResultPart(part.tool_call_id, part.error_text or "", is_error=True)
            case "output-denied":
                result = ToolResultPart(part.tool_call_id, _DENIED, is_error=True)
            case _:
                note_once(self._notes, _OPEN)
                return
        arguments = part.raw_input if part.input is None else part.input
        proof = metadata.read(part.call_provider_metadata)
        said.append(
            ToolCallPart(
                part.tool_call_id,
                name,
                "{}" if arguments is None else _text(arguments),
                signature=proof.signature,
                format=proof.format,
            )
        )
        results.append(result)

    def _output(self, output: Any) -> str | list[ResultPart]:
        """What a tool answered. An output of the SDK's type `content` holds texts and files; any
        other is one value.
        """
        listed = output.get("value") if isinstance(output, dict) else None
        if not isinstance(listed, list) or output.get("type") != "content":
            return _text(output)
        parts: list[ResultPart] = []
        for item in listed:
            part = _content(item) if isinstance(item, dict) else None
            if part is None:
                note_once(self._notes, _FILE)
            else:
                parts.append(part)
        return parts

    def _lose(self, kind: str) -> None:
        if kind == "step-start":
            return
        note_once(
            self._notes,
            _SOURCE
            if kind.startswith("source-")
            else _DATA
            if kind.startswith("data-")
            else _UNKNOWN,
        )


def _listed(message: WireMessage, where: str) -> list[tuple[str, dict[str, Any]]]:
    """The parts with their places. Text in place of parts is one of them."""
    if message.parts is not None:
        return [(f"{where}.parts[{at}]", part) for at, part in enumerate(message.parts)]
    if message.content is None:
        raise bad_request(f"{where}.parts is required.", param=f"{where}.parts")
    return [(f"{where}.content", {"type": "text", "text": message.content})]


def _kind(part: dict[str, Any], place: str) -> str:
    kind = part.get("type")
    if not isinstance(kind, str):
        raise bad_request(
            f"{place}.type is required: it says what kind of part this is.", param=f"{place}.type"
        )
    return kind


def _plain(parts: list[Part]) -> str | list[Part]:
    """A single text needs no list."""
    return parts[0].text if len(parts) == 1 and isinstance(parts[0], OurText) else parts


def _media(url: str, kind: str, name: str | None) -> ImagePart | DocumentPart | AudioPart | None:
    """A file by its media type; None for one of a kind that no vendor takes."""
    if kind.startswith("image/"):
        return ImagePart(url)
    if is_document(kind):
        return DocumentPart(url, name)
    return AudioPart(url) if kind.startswith("audio/") and data_of(url) is not None else None


def _content(item: dict[str, Any]) -> ResultPart | None:
    """An item of a tool's output: text, or a file as data (`media` in version 5 of the SDK) or at
    an address.
    """
    kind, text, url = item.get("mediaType"), item.get("text"), item.get("url")
    if item.get("type") == "text" and isinstance(text, str):
        return OurText(text)
    if isinstance(url, str) and item.get("type") in ("image-url", "file-url"):
        return ImagePart(url) if item["type"] == "image-url" else DocumentPart(url)
    data, name = item.get("data"), item.get("filename")
    if not isinstance(kind, str) or not isinstance(data, str):
        return None
    return _media(data_url(kind, data), kind, name if isinstance(name, str) else None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
