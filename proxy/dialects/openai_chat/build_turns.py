"""The turns of a `ChatRequest` as messages."""

from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.custom_tools import text_of as free_text_of
from proxy.codec.media import (
    AUDIO_LOST,
    DOCUMENT_LOST,
    IMAGE_LOST,
    data_of,
    media_behind,
    takes,
    text_of,
)
from proxy.codec.note_once import note_once
from proxy.codec.proofs import GEMINI, fits
from proxy.codec.reasoning_details import details_of, thinking_block_of
from proxy.codec.rules import Rules
from proxy.codec.shared_notes import IS_ERROR, WRAPPED_ARGUMENTS
from proxy.codec.tool_calls import readable
from proxy.dialects.openai_chat.options import UpstreamOptions
from proxy.events import Note
from proxy.request import (
    AudioPart,
    Cache,
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

DETAILS, BLOCKS = "reasoning_details", "thinking_blocks"
# The field for the plain text that stands beside them.
_BESIDE = {DETAILS: "reasoning", BLOCKS: "reasoning_content"}
_SOUND = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
_NO_CACHE = Note("dropped", "cache", "Marks for a prompt cache cannot be said to this upstream.")
_NO_REASONING = Note(
    "dropped",
    "messages.reasoning",
    "Reasoning of earlier turns, or its signature, cannot be sent back to this upstream.",
)
_NO_PROOF = Note(
    "dropped",
    "tool_calls.signature",
    "The signature of a call cannot be sent back to this upstream.",
)
_CITATIONS = Note(
    "dropped", "document.citations", "Citations of a document cannot be asked for in this dialect."
)


class BuiltTurns:
    """One request. Appends to `notes`, each once."""

    def __init__(self, options: UpstreamOptions, rules: Rules, notes: list[Note]) -> None:
        self._options = options
        self._rules = rules
        self._notes = notes

    def messages(self, request: ChatRequest) -> list[dict[str, Any]]:
        """All turns, the system text first."""
        role = self._rules.roles.get("system", "system")
        out: list[dict[str, Any]] = []
        if request.system_parts:
            parts = [self._text(part) for part in request.system_parts]
            content = self._content("system", parts)
            if isinstance(content, str):
                content = request.system
            out.append({"role": role, "content": content})
        elif request.system is not None:
            out.append({"role": role, "content": request.system})
        for message in media_behind(request.messages, self._notes):
            out += self._turn(message)
        return out

    def cache_mark(self, cache: Cache | None) -> dict[str, Any]:
        """What a piece with a cache mark has more."""
        if cache is None:
            return {}
        if not self._rules.cache_marks:
            note_once(self._notes, _NO_CACHE)
            return {}
        ttl = {} if cache.ttl is None else {"ttl": cache.ttl}
        return {"cache_control": {"type": "ephemeral", **ttl}}

    def _turn(self, message: Message) -> list[dict[str, Any]]:
        """One turn as one message, and one more for each tool result: the results must come first,
        right behind the calls.
        """
        role = self._rules.roles.get(message.role, message.role)
        if isinstance(message.content, str):
            return [{"role": role, "content": message.content}]
        results: list[dict[str, Any]] = []
        content: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        thoughts: list[ReasoningPart] = []
        for part in message.content:
            match part:
                case ToolCallPart():
                    calls.append(self._call(part, thoughts))
                case ToolResultPart():
                    results.append(self._result(part))
                case ReasoningPart():
                    thoughts.append(part)
                case _:
                    content += self._part(part, message.role)
        turn: dict[str, Any] = {"role": role, "content": self._content(message.role, content)}
        if calls:
            turn["tool_calls"] = calls
        turn.update(self._reasoning(thoughts))
        return [*results, turn] if content or calls or not results else results

    def _part(self, part: Part, role: str) -> list[dict[str, Any]]:
        if isinstance(part, TextPart):
            return [self._text(part)]
        assert isinstance(part, ImagePart | DocumentPart | AudioPart)
        lost = {ImagePart: IMAGE_LOST, DocumentPart: DOCUMENT_LOST}.get(type(part), AUDIO_LOST)
        if isinstance(part, DocumentPart):
            return self._document(part)
        if role == "assistant" or (self._rules.media and not takes(self._rules.media, part)):
            note_once(self._notes, lost)
            return []
        if isinstance(part, ImagePart):
            detail = {} if part.detail is None else {"detail": part.detail}
            said = {"type": "image_url", "image_url": {"url": part.url, **detail}}
            return [{**said, **self.cache_mark(part.cache)}]
        data = data_of(part.url)
        kind = (
            "" if data is None else _SOUND.get(data.media_type, data.media_type.partition("/")[2])
        )
        if data is None or (self._rules.sounds and kind not in self._rules.sounds):
            note_once(self._notes, lost)
            return []
        return [{"type": "input_audio", "input_audio": {"data": data.base64, "format": kind}}]

    def _text(self, part: TextPart) -> dict[str, Any]:
        return {"type": "text", "text": part.text, **self.cache_mark(part.cache)}

    def _document(self, part: DocumentPart) -> list[dict[str, Any]]:
        """Plain text as text; a file by its content, as the vendors take it, or by its address
        where they fetch it.
        """
        if part.citations:
            note_once(self._notes, _CITATIONS)
        mark = self.cache_mark(part.cache)
        text = text_of(part)
        if text is not None:
            drop(self._notes, "document", "A document of plain text is sent as text.", "changed")
            title = "" if part.title is None else f"{part.title}:\n"
            return [{"type": "text", "text": title + text, **mark}]
        media = self._rules.media or {"document": ("bytes",)}
        data = data_of(part.url)
        if not takes(media, part) or (data is not None and data.media_type != "application/pdf"):
            note_once(self._notes, DOCUMENT_LOST)
            return []
        file = {"filename": part.title or "document.pdf", "file_data": part.url}
        return [{"type": "file", "file": file, **mark}]

    def _content(self, role: str, parts: list[dict[str, Any]]) -> str | list[dict[str, Any]] | None:
        """Text alone goes as plain text, which every compatible vendor takes, unless it has marks
        for a cache.
        """
        marked = any("cache_control" in part for part in parts)
        if role in ("assistant", "system") and not marked:
            return "".join(part["text"] for part in parts) or (None if role == "assistant" else "")
        if len(parts) == 1 and parts[0]["type"] == "text" and not marked:
            text: str = parts[0]["text"]
            return text
        return parts or ""

    def _call(self, part: ToolCallPart, thoughts: list[ReasoningPart]) -> dict[str, Any]:
        said: dict[str, Any] = {"id": part.id}
        if part.custom:
            said["type"] = "custom"
            said["custom"] = {"name": part.name, "input": free_text_of(part.arguments)}
        else:
            said["type"] = "function"
            arguments = part.arguments or "{}"
            if self._rules.reads_arguments and (text := readable(arguments)) != arguments:
                note_once(self._notes, WRAPPED_ARGUMENTS)
                arguments = text
            said["function"] = {"name": part.name, "arguments": arguments}
        if part.signature is not None:
            if self._rules.proofs == GEMINI and part.format in (None, GEMINI):
                said["extra_content"] = {"google": {"thought_signature": part.signature}}
            elif self._options.send_reasoning == DETAILS and fits(part.format, self._rules.proofs):
                thoughts.append(
                    ReasoningPart("", part.signature, redacted=True, format=part.format, id=part.id)
                )
            else:
                note_once(self._notes, _NO_PROOF)
        if part.cache is not None:
            note_once(self._notes, _NO_CACHE)
        return said

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        if part.is_error:
            note_once(self._notes, IS_ERROR)
        texts = [self._text(each) for each in part.parts if isinstance(each, TextPart)]
        marks = self.cache_mark(part.cache)
        if marks and texts:
            texts[-1] = {**texts[-1], **marks}
        marked = any("cache_control" in text for text in texts)
        content = texts if marked else part.text
        return {"role": "tool", "tool_call_id": part.id, "content": content}

    def _reasoning(self, thoughts: list[ReasoningPart]) -> dict[str, Any]:
        """Earlier reasoning, in the field in which the vendor wants it."""
        field = self._options.send_reasoning
        if not thoughts:
            return {}
        shown = [part for part in thoughts if fits(part.format, self._rules.proofs)]
        if field is None:
            note_once(self._notes, _NO_REASONING)
            return {}
        text = "".join(part.text for part in thoughts)
        said: dict[str, Any] = {}
        proved = 0
        if field == DETAILS:
            pieces = [part for part in shown if part.signature is not None]
            proved = len(pieces)
            details: list[dict[str, Any]] = []
            for part in pieces:
                details += details_of(part, len(details))
            said[field] = details
        elif field == BLOCKS:
            blocks = [block for part in shown if (block := thinking_block_of(part)) is not None]
            proved, said[field] = len(blocks), blocks
        if proved < sum(part.signature is not None for part in thoughts):
            note_once(self._notes, _NO_REASONING)
        said[_BESIDE.get(field, field)] = text
        return {name: value for name, value in said.items() if value}
