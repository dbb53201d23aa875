"""Pictures, documents and sound: what their URLs hold, and where they may stand."""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from proxy.codec.rules import MediaForm, MediaKind
from proxy.events import Note
from proxy.request import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    ResultPart,
    TextPart,
    ToolResultPart,
    only_texts,
)

DOCUMENT_LOST = Note(
    "dropped", "messages.document", "A document cannot be said in this upstream's dialect."
)
AUDIO_LOST = Note("dropped", "messages.audio", "Audio cannot be said in this upstream's dialect.")
IMAGE_LOST = Note(
    "dropped", "messages.image_url", "An image cannot be said here in this upstream's dialect."
)
DETAIL_LOST = Note(
    "dropped", "image_url.detail", "How closely to look at an image cannot be said here."
)
CITATIONS_LOST = Note(
    "dropped", "messages.document.citations", "That a document is to be cited cannot be said here."
)
BEHIND = Note(
    "changed",
    "tool_result.content",
    "Pictures and documents of a tool's result stand in a user's turn behind it, as tool results "
    "of this upstream hold text only.",
)
EMPTY = "(see below)"  # in place of a result whose pictures stand behind it


class Data(NamedTuple):
    """What a data: URL holds (RFC 2397): a media type in lower case, without parameters, and bytes
    in base64 as they stood there.
    """

    media_type: str
    base64: str


def data_of(url: str) -> Data | None:
    """The content of a data: URL in base64; None for any other URL."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    kind, *parameters = head.split(";")
    if not comma or not data or not kind or parameters[-1:] != ["base64"]:
        return None
    return Data(kind.strip().lower(), data)


def data_url(media_type: str, base64: str) -> str:
    """The inverse of `data_of`."""
    return f"data:{media_type};base64,{base64}"


# How files of the kinds that vendors tell apart begin, in base64.
_BEGINNINGS = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
)
# Types of texts that do not begin with text/: structured ones (RFC 6838, 4.2.8), and programs.
_TEXT = re.compile(
    r".*\+(?:json|xml|yaml)"
    r"|application/(?:x-)?(?:json|xml|yaml|toml|sql|sh|(?:java|type)script|python(?:-code)?)"
)
_DOCUMENTS = (
    *("application/pdf", "application/rtf", "application/msword"),
    *("application/vnd.ms-", "application/vnd.openxmlformats-"),
)
_RIFF = "UklGR"
_WEBP = "RUJQ"  # the last three letters of WEBP, which end 12 bytes on


def true_picture(url: str) -> str:
    """A picture's data: URL as `true_data` has it. The very same text for any other URL."""
    data = data_of(url)
    if data is None or (true := true_data(data)) is data:
        return url
    return data_url(*true)


def true_data(data: Data) -> Data:
    """A picture's data with the media type that its first bytes say, and without blanks in its
    base64: vendors that look refuse any other. The very same where it is so already.
    """
    base64 = data.base64
    if any(blank in base64 for blank in "\n\r \t"):
        base64 = "".join(base64.split())
    kind = next((kind for begins, kind in _BEGINNINGS if base64.startswith(begins)), None)
    if base64.startswith(_RIFF) and base64[12:16] == _WEBP:
        kind = "image/webp"
    if kind in (None, data.media_type) and base64 is data.base64:
        return data
    return Data(kind or data.media_type, base64)


def is_web(url: str) -> bool:
    """Whether a URL is one that a vendor can fetch."""
    return url.startswith(("http://", "https://"))


def takes(facts: Mapping[MediaKind, tuple[MediaForm, ...]], part: Part) -> bool:
    """Whether a target takes a picture, a document or sound, by its rules `media` or
    `result_media`.
    """
    kinds: tuple[tuple[type[Part], MediaKind], ...] = (
        (ImagePart, "image"),
        (DocumentPart, "document"),
        (AudioPart, "audio"),
    )
    kind = next((name for of, name in kinds if isinstance(part, of)), None)
    if kind is None or not isinstance(part, ImagePart | DocumentPart | AudioPart):
        return False
    form: MediaForm | None = "bytes" if data_of(part.url) is not None else None
    if form is None and is_web(part.url):
        form = "url"
    return form in facts.get(kind, ())


def is_text(media_type: str) -> bool:
    """Whether what is of this type is a text that a model can read as it is."""
    return media_type.startswith("text/") or bool(_TEXT.fullmatch(media_type))


def is_document(media_type: str) -> bool:
    """Whether it is of a type that some vendor reads as a document."""
    return is_text(media_type) or media_type.startswith(_DOCUMENTS)


def text_of(part: DocumentPart) -> str | None:
    """What a document says that is plain text; None for any other."""
    data = data_of(part.url)
    if data is None or not is_text(data.media_type):
        return None
    try:
        return b64decode(data.base64, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def said(parts: Iterable[Part]) -> Iterator[str]:
    """What parts say in text: texts, and documents that are plain text, under their titles."""
    for part in parts:
        if isinstance(part, TextPart):
            yield part.text
        elif isinstance(part, DocumentPart) and (text := text_of(part)) is not None:
            yield f"{part.title}:\n{text}" if part.title else text


def media_notes(parts: Iterable[Part], *, images: bool, documents: bool = False) -> Iterator[Note]:
    """What is lost of media where only text can be said and, with `images`, pictures. `documents`:
    the caller sends them where they are at an address.
    """
    for part in parts:
        match part:
            case ImagePart():
                if not images:
                    yield IMAGE_LOST
                elif part.detail not in (None, "auto"):
                    yield DETAIL_LOST
            case DocumentPart():
                if text_of(part) is None and not (documents and is_web(part.url)):
                    yield DOCUMENT_LOST
                elif part.citations:
                    yield CITATIONS_LOST
            case AudioPart():
                yield AUDIO_LOST
            case ToolResultPart():
                yield from media_notes(part.media, images=False)


def text_stays(part: ResultPart) -> bool:
    """`media_behind` for tool results in which documents of plain text are text."""
    return isinstance(part, DocumentPart) and text_of(part) is not None


def none_stays(_part: ResultPart) -> bool:
    """`media_behind` for tool results that hold text only."""
    return False


def media_behind(
    messages: list[Message],
    notes: list[Note],
    stays: Callable[[ResultPart], bool] = none_stays,
) -> list[Message]:
    """The turns, with the media of tool results in a user's turn behind the last result of a run of
    them: vendors want the results of one turn's calls together. The very same list where there are
    none. `stays` says which of them may stay in the result.
    """
    if only_texts(messages) or not any(
        _moving(part, stays) for message in messages for part in _results(message)
    ):
        return messages
    notes.append(BEHIND)
    return list(_moved(messages, stays))


def of_result(call_id: str) -> str:
    """What stands before the media of a tool's result, where they stand behind it."""
    return f"From the result of the tool call {call_id}:"


def _results(message: Message) -> list[ToolResultPart]:
    if message.role != "tool":
        return []
    return [part for part in message.parts if isinstance(part, ToolResultPart)]


def _moving(part: ToolResultPart, stays: Callable[[ResultPart], bool]) -> list[ResultPart]:
    return [each for each in part.media if not stays(each)]


def _moved(messages: list[Message], stays: Callable[[ResultPart], bool]) -> Iterator[Message]:
    behind: list[Part] = []
    for message in messages:
        if behind and message.role != "tool":
            yield Message("user", behind)
            behind = []
        if not any(_moving(part, stays) for part in _results(message)):
            yield message
            continue
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResultPart) and (media := _moving(part, stays)):
                behind += [TextPart(of_result(part.id)), *media]
                parts.append(_without(part, media))
            else:
                parts.append(part)
        yield Message("tool", parts)
    if behind:
        yield Message("user", behind)


def _without(part: ToolResultPart, media: list[ResultPart]) -> ToolResultPart:
    moved = set(map(id, media))
    left = [each for each in part.parts if id(each) not in moved]
    if any(not isinstance(each, TextPart) for each in left):
        return ToolResultPart(part.id, left, part.is_error, part.cache)
    return ToolResultPart(part.id, part.text or EMPTY, part.is_error, part.cache)
