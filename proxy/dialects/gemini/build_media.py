"""Pictures, documents and sound as a request's parts: `inlineData` in base64, or `fileData` at an
address, whose type must be named.
"""

from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.media import data_of
from proxy.codec.note_once import note_once
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import AudioPart, DocumentPart, ImagePart

_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
}
_UNKNOWN = {ImagePart: "image/jpeg", DocumentPart: "application/pdf", AudioPart: "audio/wav"}
_PARAM = {
    ImagePart: "messages.image_url",
    DocumentPart: "messages.document",
    AudioPart: "messages.audio",
}


def media_part(
    part: ImagePart | DocumentPart | AudioPart, at: str, notes: list[Note]
) -> dict[str, Any]:
    """One part. Raises Refused for an address that the vendor cannot read; `at` is its place."""
    kind = type(part)
    if isinstance(part, ImagePart) and part.detail not in (None, "auto"):
        drop(notes, "image_url.detail", "How closely to look at an image cannot be said here.")
    if isinstance(part, DocumentPart) and (part.title or part.citations):
        said = "A document's title, and whether it is to be cited, cannot be said to Gemini."
        drop(notes, "messages.document.title", said)
    data = data_of(part.url)
    if data is not None:
        return {"inlineData": {"mimeType": data.media_type, "data": data.base64}}
    if not part.url.startswith(("http://", "https://", "gs://")):
        raise bad_request(
            f"{at}.url must be an http(s) or gs address, or a data: URL with base64 data.",
            param=f"{at}.url",
        )
    known = _TYPES.get(part.url.partition("?")[0].rpartition(".")[2].lower())
    if known is None:
        said = f"Gemini insists on the type of a file; {_UNKNOWN[kind]} was taken."
        note = Note("defaulted", _PARAM[kind], said)
        note_once(notes, note)
    return {"fileData": {"mimeType": known or _UNKNOWN[kind], "fileUri": part.url}}
