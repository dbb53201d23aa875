"""Pictures and documents as blocks of a Converse message. Source: ImageBlock and DocumentBlock of
the API reference.
"""

import base64
import binascii
import re
from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.media import DOCUMENT_LOST, data_of, is_web, text_of
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import DocumentPart, ImagePart

_IMAGES = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
_PDF = "application/pdf"
_DOCUMENTS = {
    _PDF: "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
# What a document's name may hold; no two blanks in a row.
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9\-()\[\] ]+")
_BLANKS = re.compile(r" {2,}")
_NAME_CHARS = 190  # of 200: a number may come behind it


def image_block(part: ImagePart, at: str, notes: list[Note]) -> dict[str, Any] | None:
    """A picture: data or an S3 object, as the service fetches nothing from the web. A PDF that a
    client sends as one, as some do, is a document. Raises Refused for what is neither.
    """
    url = part.url
    if part.detail not in (None, "auto"):
        drop(notes, "messages.image_url.detail", "Bedrock has no detail of an image.")
    if is_web(url):
        said = "Bedrock fetches no images from the web: send them as data: URLs, or from s3://."
        drop(notes, "messages.image_url", said)
        return None
    if url.startswith("s3://"):
        form = _IMAGES.get(f"image/{_ending(url)}")
        source: dict[str, Any] = {"s3Location": {"uri": url}}
    else:
        data = data_of(url)
        if data is None or not _is_base64(data.base64):
            raise bad_request(
                f"{at}.url must be a data: URL with base64 data, or an s3:// address.",
                param=f"{at}.url",
            )
        if data.media_type == _PDF:
            return document_block(DocumentPart(url), notes)
        form = _IMAGES.get(data.media_type)
        source = {"bytes": data.base64}
    if form is None:
        raise bad_request(
            f"{at}.url must be a PNG, JPEG, GIF or WebP image for this upstream.", param=f"{at}.url"
        )
    return {"image": {"format": form, "source": source}}


def document_block(part: DocumentPart, notes: list[Note]) -> dict[str, Any] | None:
    """A document of the kinds that the service reads, from its data or from S3."""
    source: dict[str, Any]
    data = data_of(part.url)
    if part.url.startswith("s3://"):
        form = next((f for f in _DOCUMENTS.values() if f == _ending(part.url)), None)
        source = {"s3Location": {"uri": part.url}}
    else:
        form = None if data is None else _DOCUMENTS.get(data.media_type)
        text = text_of(part)
        if form is None and text is not None:
            form = "txt"
        source = {"bytes": "" if data is None else data.base64}
        if data is not None and not _is_base64(data.base64):
            form = None
    if form is None:
        drop(notes, DOCUMENT_LOST.param, DOCUMENT_LOST.message)
        return None
    block: dict[str, Any] = {"format": form, "name": _named(part.title), "source": source}
    if part.citations is not None:
        block["citations"] = {"enabled": part.citations}
    return {"document": block}


def _named(title: str | None) -> str:
    """The service wants a name of plain signs; a title that has none is no loss."""
    plain = _BLANKS.sub(" ", _NOT_IN_NAME.sub(" ", title or "")).strip()
    return plain[:_NAME_CHARS].strip() or "document"


def _ending(url: str) -> str:
    return url.rpartition(".")[2].lower()


def _is_base64(data: str) -> bool:
    try:
        return bool(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return False
