"""Images and documents of a Messages request to our parts."""

from collections.abc import Callable
from typing import Any

import msgspec

from proxy.codec.media import data_url, is_web
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import Cache, DocumentPart, ImagePart, ResultPart, TextPart

_PLAIN_DOCUMENT = Note("changed", "document", "A document of plain text is sent as text.")
_SEARCH_RESULT = Note("changed", "search_result", "A result of a search is sent as text.")
_Noting = Callable[[Note], None]


class _Source(msgspec.Struct):
    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: str | list[dict[str, Any]] | None = None


class _Citations(msgspec.Struct):
    enabled: bool | None = None


class Sourced(msgspec.Struct):
    """An image or a document."""

    source: _Source
    title: str | None = None
    citations: _Citations | None = None


def image_part(source: _Source, cache: Cache | None, at: str) -> ImagePart | None:
    """An image by its address or its bytes; None for one that only the vendor can find. Raises
    Refused where something of the two is missing.
    """
    if source.type == "url" and source.url:
        return ImagePart(source.url, cache=cache) if is_web(source.url) else None
    if source.type == "base64" and source.data and source.media_type:
        return ImagePart(data_url(source.media_type, source.data), cache=cache)
    if source.type in ("url", "base64"):
        raise bad_request(
            f"{at} must be of type base64, with media_type and data, or of type url, with url.",
            param=at,
        )
    return None


def document_parts(said: Sourced, cache: Cache | None, note: _Noting) -> list[ResultPart]:
    """A document by its address or its bytes; one of plain text, or of blocks, is text, and what
    else the blocks hold. Nothing for one that only the vendor has.
    """
    source = said.source
    citations = said.citations.enabled if said.citations else None
    if source.type == "url" and source.url and is_web(source.url):
        return [DocumentPart(source.url, said.title, citations, cache)]
    if source.type == "base64" and source.data and source.media_type:
        url = data_url(source.media_type, source.data)
        return [DocumentPart(url, said.title, citations, cache)]
    if source.type == "text" and source.data is not None:
        note(_PLAIN_DOCUMENT)
        return [_text(said.title, source.data, cache)]
    if source.type == "content" and source.content is not None:
        note(_PLAIN_DOCUMENT)
        return _blocks(said.title, source.content, cache, note)
    return []


def search_result(block: dict[str, Any], cache: Cache | None, note: _Noting) -> list[ResultPart]:
    """A passage that the client found: its title, where it is from, and its text."""
    note(_SEARCH_RESULT)
    content = block.get("content")
    texts = [
        str(one.get("text", ""))
        for one in (content if isinstance(content, list) else ())
        if isinstance(one, dict)
    ]
    head = [text for text in (block.get("title"), block.get("source")) if isinstance(text, str)]
    return [_text(" - ".join(head) or None, "\n".join(texts), cache)]


def _blocks(
    title: str | None, content: str | list[dict[str, Any]], cache: Cache | None, note: _Noting
) -> list[ResultPart]:
    if isinstance(content, str):
        return [_text(title, content, cache)]
    parts: list[ResultPart] = [] if title is None else [TextPart(title)]
    for block in content:
        if block.get("type") == "text" and isinstance(block.get("text"), str):
            parts.append(TextPart(block["text"]))
            continue
        try:
            sourced = msgspec.convert(block, Sourced)
        except msgspec.ValidationError:
            sourced = None
        image = None if sourced is None else image_part(sourced.source, None, "source")
        if image is None:
            note(_LOST)
        else:
            parts.append(image)
    return parts


_LOST = Note("dropped", "document", "A part of a document that cannot be carried was left out.")


def _text(title: str | None, text: str, cache: Cache | None) -> TextPart:
    return TextPart(f"{title}\n\n{text}" if title else text, cache)
