"""The parts of a client's message to ours: text, pictures, files, sound, earlier reasoning."""

from collections.abc import Callable
from typing import Any

from proxy.codec import proofs
from proxy.codec.media import data_url, is_web
from proxy.dialects.openai_chat.wire_request import WireFile, WirePart
from proxy.errors import Refused, bad_request
from proxy.request import AudioPart, Cache, DocumentPart, ImagePart, Part, ReasoningPart, TextPart

# What is told of a loss: its parameter, and a sentence.
Noting = Callable[[str, str], None]
_SOUND = {"mp3": "audio/mpeg"}
_FILES = {"txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html"}
_PDF = "application/pdf"


def cache_of(said: Any, note: Noting) -> Cache | None:
    """The mark for the vendor's prompt cache: `cache_control`, or `prompt_cache_breakpoint`."""
    match said:
        case None:
            return None
        case {"type": "ephemeral", **rest} | {"mode": "explicit", **rest} if rest.keys() <= {"ttl"}:
            ttl = rest.get("ttl")
            if ttl is None or isinstance(ttl, str):
                return Cache(ttl)
    note("cache_control", "A mark for a prompt cache that is not known was left out.")
    return None


def message_part(part: WirePart, where: str, note: Noting) -> Part | None:
    """One part; None for one that only its vendor knows, which is noted. Raises Refused for one
    that lacks what its kind needs.
    """
    cache = cache_of(part.cache_control or part.prompt_cache_breakpoint, note)
    match part.type:
        case "text":
            if part.text is None:
                raise _lacks(part.type, where)
            return TextPart(part.text, cache)
        case "refusal":
            if part.refusal is None:
                raise _lacks(part.type, where)
            return TextPart(part.refusal)
        case "image_url":
            if part.image_url is None:
                raise _lacks(part.type, where)
            if isinstance(part.image_url, str):
                return ImagePart(part.image_url, None, cache)
            return ImagePart(part.image_url.url, part.image_url.detail, cache)
        case "thinking":
            if part.thinking is None:
                raise _lacks(part.type, where)
            text = "".join(piece.text or "" for piece in part.thinking)
            if part.signature is None:
                return ReasoningPart(text)
            proof = proofs.read(part.signature, None)
            redacted = not text
            return ReasoningPart(text, proof.text, redacted, proof.format, proof.name)
        case "input_audio":
            if part.input_audio is None:
                raise _lacks(part.type, where)
            kind = _SOUND.get(part.input_audio.format, f"audio/{part.input_audio.format}")
            return AudioPart(data_url(kind, part.input_audio.data))
        case "file":
            if part.file is None:
                raise _lacks(part.type, where)
            return _document(part.file, cache, note)
    note("messages.content", f"Parts of type {part.type[:40]} cannot be said to other vendors.")
    return None


def _document(file: WireFile, cache: Cache | None, note: Noting) -> DocumentPart | None:
    data = file.file_data
    if data is None:
        note("messages.file_id", "A file at a vendor cannot be shown to another one.")
        return None
    if file.file_id is not None:
        note("messages.file_id", "A file is sent by its content; its id is left out.")
    if data[:5].lower() != "data:" and not is_web(data):
        ending = (file.filename or "").rpartition(".")[2].lower()
        data = data_url(_FILES.get(ending, _PDF), data)
    return DocumentPart(data, file.filename, None, cache)


def _lacks(kind: str, where: str) -> Refused:
    return bad_request(
        f"{where}.{kind} is required in a part of type {kind}.", param=f"{where}.{kind}"
    )
