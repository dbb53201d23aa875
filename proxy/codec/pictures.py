"""Pictures as a target can take them: what one is said to be is what it is, and those of a kind
that the target does not take are left out, as it would refuse the whole request.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from proxy.codec.media import data_of, is_text, true_picture
from proxy.codec.note_once import note_once
from proxy.events import Note
from proxy.request import ChatRequest, DocumentPart, ImagePart, Message, Part, ToolResultPart

_PREFIX = "image/"
_SAME = {"jpg": "jpeg", "pjpeg": "jpeg"}


def with_pictures(request: ChatRequest, kinds: tuple[str, ...], notes: list[Note]) -> ChatRequest:
    """The request with its pictures so. `kinds` are those that the target takes, such as png;
    empty: not known. A true media type is no loss, and so no note.
    """
    if not any(_shows(message) for message in request.messages):
        return request

    def changed(parts: Iterable[Part]) -> Iterator[Part]:
        for part in parts:
            if isinstance(part, ImagePart):
                true = _true(part)
                if kinds and (kind := _kind(true)) is not None and kind not in kinds:
                    note_once(notes, _lost(kinds))
                else:
                    yield true
            elif isinstance(part, ToolResultPart) and part.media:
                yield replace(part, content=list(changed(part.parts)) or "")
            else:
                yield part

    messages = [
        Message(message.role, list(changed(message.parts))) if _shows(message) else message
        for message in request.messages
    ]
    return replace(request, messages=messages)


def _lost(kinds: tuple[str, ...]) -> Note:
    said = f"Of pictures this upstream takes {', '.join(kinds)} only: others are left out."
    return Note("dropped", "messages.image_url", said)


def _true(part: ImagePart) -> ImagePart | DocumentPart:
    """A picture that is written as a text (SVG) is a document, as no vendor takes it for one."""
    data = data_of(part.url)
    if data is not None and is_text(data.media_type):
        return DocumentPart(part.url, cache=part.cache)
    url = true_picture(part.url)
    return part if url is part.url else replace(part, url=url)


def _kind(part: ImagePart | DocumentPart) -> str | None:
    """The kind of a picture, None where it is not known: it is at an address, or no picture."""
    data = data_of(part.url) if isinstance(part, ImagePart) else None
    if data is None or not data.media_type.startswith(_PREFIX):
        return None
    kind = data.media_type.removeprefix(_PREFIX)
    return _SAME.get(kind, kind)


def _shows(message: Message) -> bool:
    """Whether a turn holds a picture."""
    return not isinstance(message.content, str) and any(
        isinstance(part, ImagePart) or (isinstance(part, ToolResultPart) and part.media)
        for part in message.content
    )
