"""Our turns as the turns of a Messages request: user and assistant alternate, tool results stand
first in a user turn, no text is empty.
"""

from typing import Any

from proxy.codec.fillers import BEGINNING
from proxy.codec.media import AUDIO_LOST, DOCUMENT_LOST, data_of, is_web, text_of
from proxy.codec.note_once import note_once
from proxy.codec.proofs import ANTHROPIC, fits
from proxy.codec.rules import Rules
from proxy.codec.shared_notes import WRAPPED_ARGUMENTS
from proxy.codec.tool_calls import arguments_object
from proxy.errors import bad_request
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
    ResultPart,
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
_FIRST = Note(
    "changed",
    "messages",
    "Anthropic wants the user to begin; a turn that says no more than that stands first.",
)
_UNSIGNED = Note(
    "dropped",
    "messages.reasoning",
    "Anthropic takes earlier reasoning back only with its signature.",
)
_FOREIGN = Note(
    "dropped",
    "messages.reasoning",
    "Earlier reasoning of another vendor cannot be shown to Anthropic, which did not sign it.",
)
_CALL_PROOF = Note(
    "dropped",
    "messages.tool_call.signature",
    "What another vendor wants to see again with a tool call is of no use to Anthropic.",
)
_DETAIL = Note("dropped", "messages.image_url.detail", "Anthropic has no detail of an image.")
_PDF = "application/pdf"
_JPEG = {"image/jpg": "image/jpeg"}


def marked(block: dict[str, Any], cache: Cache | None) -> dict[str, Any]:
    """The block, with its mark for the prompt cache."""
    if cache is None:
        return block
    ttl = {} if cache.ttl is None else {"ttl": cache.ttl}
    return {**block, "cache_control": {"type": "ephemeral", **ttl}}


class TurnBuilder:
    """The turns of one request. Appends to `notes`; `system` is set by `built`: a text, or blocks
    where parts of it are marked for the prompt cache.
    """

    def __init__(self, notes: list[Note], rules: Rules) -> None:
        self._notes = notes
        self._rules = rules
        self.system: str | list[dict[str, Any]] = ""

    def built(self, request: ChatRequest) -> list[dict[str, Any]]:
        """The wire's messages. Raises Refused for an image that has no form there."""
        system = list(request.system_parts)
        if not system and request.system:
            system = [TextPart(request.system)]
        turns: list[dict[str, Any]] = []
        for at, message in enumerate(request.messages):
            role = "assistant" if message.role == "assistant" else "user"
            if message.role == "system":
                if not turns:
                    system += [part for part in message.parts if isinstance(part, TextPart)]
                    continue
                note_once(self._notes, _LATE_SYSTEM)
            blocks = self._blocks(message, f"messages[{at}]")
            if not blocks:
                continue
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += blocks
            else:
                turns.append({"role": role, "content": blocks})
        if turns and turns[0]["role"] == "assistant":
            note_once(self._notes, _FIRST)
            turns.insert(0, {"role": "user", "content": [{"type": "text", "text": BEGINNING}]})
        self.system = _system(system)
        return [{**turn, "content": _tidy(turn["content"])} for turn in turns]

    def _blocks(self, message: Message, at: str) -> list[dict[str, Any]]:
        built = (
            self._block(part, f"{at}.content[{number}]")
            for number, part in enumerate(message.parts)
        )
        return [block for block in built if block is not None]

    def _block(self, part: Part, at: str) -> dict[str, Any] | None:
        match part:
            case ToolCallPart(id, name, arguments):
                if part.signature is not None:
                    note_once(self._notes, _CALL_PROOF)
                call = {"id": id, "name": name, "input": self._arguments(arguments)}
                return marked({"type": "tool_use", **call}, part.cache)
            case ToolResultPart(id, _, is_error):
                result = {"tool_use_id": id, "content": self._result(part, at)}
                failed = {"is_error": True} if is_error else {}
                return marked({"type": "tool_result", **result, **failed}, part.cache)
            case ReasoningPart():
                return self._reasoning(part)
        return self._content(part, at)

    def _content(self, part: ResultPart, at: str) -> dict[str, Any] | None:
        """What may stand in a turn and in a tool's result."""
        match part:
            case TextPart(text):
                return marked({"type": "text", "text": text}, part.cache) if text.strip() else None
            case ImagePart(url):
                if part.detail not in (None, "auto"):
                    note_once(self._notes, _DETAIL)
                return marked(_image(url, at), part.cache)
            case DocumentPart():
                return self._document(part)
            case AudioPart():
                note_once(self._notes, AUDIO_LOST)
        return None

    def _document(self, part: DocumentPart) -> dict[str, Any] | None:
        source = _document_source(part)
        if source is None:
            note_once(self._notes, DOCUMENT_LOST)
            return None
        block: dict[str, Any] = {"type": "document", "source": source}
        if part.title is not None:
            block["title"] = part.title
        if part.citations is not None:
            block["citations"] = {"enabled": part.citations}
        return marked(block, part.cache)

    def _result(self, part: ToolResultPart, at: str) -> str | list[dict[str, Any]]:
        built = [self._content(one, at) for one in part.parts]
        blocks = [block for block in built if block is not None]
        plain = all(block["type"] == "text" and "cache_control" not in block for block in blocks)
        return part.text if plain else blocks

    def _reasoning(self, part: ReasoningPart) -> dict[str, Any] | None:
        if part.signature is None:
            if self._rules.unsigned_reasoning:
                return {"type": "thinking", "thinking": part.text, "signature": ""}
            note_once(self._notes, _UNSIGNED)
            return None
        if not fits(part.format, self._rules.proofs or ANTHROPIC):
            note_once(self._notes, _FOREIGN)
            return None
        if part.redacted:
            return {"type": "redacted_thinking", "data": part.signature}
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}

    def _arguments(self, text: str) -> dict[str, Any]:
        value = arguments_object(text)
        if value is not None:
            return value
        note_once(self._notes, WRAPPED_ARGUMENTS)
        return {"arguments": text}


def _system(parts: list[TextPart]) -> str | list[dict[str, Any]]:
    said = [part for part in parts if part.text.strip()]
    if not any(part.cache for part in said):
        return "\n\n".join(part.text for part in said)
    return [marked({"type": "text", "text": part.text}, part.cache) for part in said]


def _tidy(blocks: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Tool results first, as the API wants them; a lone text as plain text."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return sorted(blocks, key=lambda block: block["type"] != "tool_result")


def _image(url: str, at: str) -> dict[str, Any]:
    """A picture; a PDF that a client sends as one, as some do, is a document."""
    if is_web(url):
        return {"type": "image", "source": {"type": "url", "url": url}}
    data = data_of(url)
    if data is None:
        said = f"{at}.url must be an http(s) address or a data: URL with base64 data."
        raise bad_request(said, param=f"{at}.url")
    kind = "document" if data.media_type == _PDF else "image"
    media_type = _JPEG.get(data.media_type, data.media_type)
    source = {"type": "base64", "media_type": media_type, "data": data.base64}
    return {"type": kind, "source": source}


def _document_source(part: DocumentPart) -> dict[str, Any] | None:
    """A PDF by its address or its bytes, or a text; None for any other kind."""
    if is_web(part.url):
        return {"type": "url", "url": part.url}
    data = data_of(part.url)
    if data is None:
        return None
    if data.media_type == _PDF:
        return {"type": "base64", "media_type": _PDF, "data": data.base64}
    text = text_of(part)
    return None if text is None else {"type": "text", "media_type": "text/plain", "data": text}
