"""Our turns as input items. A turn gives one item for each stretch of text and media, each call,
each result, and each reasoning.

Items carry no ids: with `store` false the vendor looks for an item that has one, and does not find
it.
"""

from collections.abc import Sequence
from typing import Any

from proxy.codec import proofs
from proxy.codec.custom_tools import text_of
from proxy.codec.media import AUDIO_LOST, DOCUMENT_LOST, IMAGE_LOST, data_of
from proxy.codec.note_once import note_once
from proxy.codec.shared_notes import IS_ERROR
from proxy.events import Note
from proxy.request import (
    AudioPart,
    Cache,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_UNSIGNED = Note(
    "dropped",
    "messages.reasoning",
    "Earlier reasoning can be sent back only in the encrypted form that its vendor gave.",
)
_FOREIGN = Note(
    "dropped",
    "messages.reasoning.signature",
    "Earlier reasoning of another vendor cannot be sent back to this one.",
)
_CALL_PROOF = Note(
    "dropped",
    "tool_call.signature",
    "What a vendor wants to see again with a call has no place in this dialect.",
)
_CACHE = Note(
    "dropped",
    "cache",
    "This upstream keeps prompts in its cache by itself: marks for it are left out.",
)
_CACHE_PLACE = Note(
    "dropped", "cache", "Marks for the prompt cache stand here at text, images and documents only."
)
_CITATIONS = Note(
    "dropped", "document.citations", "That passages shall be cited cannot be said in this dialect."
)
_TTLS = ("30m", "12h")  # the vendor's words; another one is left to its default
_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}
_NAMES = {"application/pdf": "document.pdf"}


class InputItems:
    """The input of one request. Appends to `notes`, each loss once. `proof_format` is whose proofs
    the vendor takes back; `marks` says whether it takes marks for its cache, `sounds` which kinds
    of sound it takes.
    """

    def __init__(
        self, notes: list[Note], proof_format: str, *, marks: bool, sounds: tuple[str, ...] = ()
    ) -> None:
        self._notes = notes
        self._proof_format = proof_format
        self._marks = marks
        self._sounds = sounds
        self._custom: set[str] = set()  # ids of calls of tools that take free text

    def built(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for message in messages:
            items += self._turn(message)
        return items

    def _turn(self, message: Message) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        stretch: list[ResultPart] = []
        for part in message.parts:
            if isinstance(part, ResultPart):
                stretch.append(part)
                continue
            items += self._message(message, stretch)
            stretch = []
            items += self._item(part)
        return items + self._message(message, stretch)

    def _item(self, part: Part) -> list[dict[str, Any]]:
        match part:
            case ToolCallPart():
                return [self._call(part)]
            case ToolResultPart():
                return [self._result(part)]
            case ReasoningPart(text, signature) if signature:
                if not proofs.fits(part.format, self._proof_format):
                    note_once(self._notes, _FOREIGN)
                    return []
                summary = [{"type": "summary_text", "text": text}] if text else []
                return [{"type": "reasoning", "summary": summary, "encrypted_content": signature}]
        note_once(self._notes, _UNSIGNED)
        return []

    def _call(self, part: ToolCallPart) -> dict[str, Any]:
        if part.signature is not None:
            note_once(self._notes, _CALL_PROOF)
        if part.cache is not None:
            note_once(self._notes, _CACHE_PLACE)
        said = {"call_id": part.id, "name": part.name}
        if not part.custom:
            return {"type": "function_call", **said, "arguments": part.arguments or "{}"}
        self._custom.add(part.id)
        return {"type": "custom_tool_call", **said, "input": text_of(part.arguments)}

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        if part.is_error:
            note_once(self._notes, IS_ERROR)
        if part.cache is not None:
            note_once(self._notes, _CACHE_PLACE)
        kind = "custom_tool_call" if part.id in self._custom else "function_call"
        read = [self._part(each) for each in part.parts]
        said = [each for each in read if each is not None]
        plain = all(each.keys() == {"type", "text"} for each in said)
        output = part.text if plain else said
        return {"type": f"{kind}_output", "call_id": part.id, "output": output}

    def _message(self, message: Message, stretch: Sequence[ResultPart]) -> list[dict[str, Any]]:
        """Text alone goes as plain text, which every vendor takes."""
        role = "user" if message.role == "tool" else message.role
        parts = [self._part(part, role) for part in stretch]
        said = [part for part in parts if part is not None]
        if not said:
            return []
        plain = all(part.keys() == {"type", "text"} for part in said)
        content = "".join(part["text"] for part in said) if plain else said
        return [{"type": "message", "role": role, "content": content}]

    def _part(self, part: ResultPart, role: str = "user") -> dict[str, Any] | None:
        match part:
            case TextPart(text):
                kind = "output_text" if role == "assistant" else "input_text"
                return {"type": kind, "text": text, **self._mark(part.cache)} if text else None
            case ImagePart(url) if role == "user":
                look = part.detail or "auto"
                mark = self._mark(part.cache)
                return {"type": "input_image", "image_url": url, "detail": look, **mark}
            case DocumentPart() if role == "user":
                return self._document(part)
            case AudioPart(url) if role == "user" and (sound := self._sound(url)) is not None:
                return {"type": "input_audio", "input_audio": sound}
            case ImagePart():
                note_once(self._notes, IMAGE_LOST)
            case DocumentPart():
                note_once(self._notes, DOCUMENT_LOST)
            case _:
                note_once(self._notes, AUDIO_LOST)
        return None

    def _sound(self, url: str) -> dict[str, str] | None:
        """None: the vendor takes none of its kind."""
        data = data_of(url)
        if data is None:
            return None
        kind = _SOUNDS.get(data.media_type, data.media_type.rpartition("/")[2])
        known = not self._sounds or kind in self._sounds
        return {"data": data.base64, "format": kind} if known else None

    def _document(self, part: DocumentPart) -> dict[str, Any]:
        """A file by its address has no name of its own; one that is sent must have one."""
        if part.citations:
            note_once(self._notes, _CITATIONS)
        mark = self._mark(part.cache)
        data = data_of(part.url)
        if data is None:
            named = {} if part.title is None else {"filename": part.title}
            return {"type": "input_file", "file_url": part.url, **named, **mark}
        name = part.title or _NAMES.get(data.media_type, "document.txt")
        return {"type": "input_file", "filename": name, "file_data": part.url, **mark}

    def _mark(self, cache: Cache | None) -> dict[str, Any]:
        if cache is None:
            return {}
        if not self._marks:
            note_once(self._notes, _CACHE)
            return {}
        ttl = {"ttl": cache.ttl} if cache.ttl in _TTLS else {}
        return {"prompt_cache_breakpoint": {"mode": "explicit", **ttl}}
