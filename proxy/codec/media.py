"""Pictures, documents and sound: what their URLs hold, and where they may stand."""

from collections.abc import Iterator
from typing import NamedTuple

from proxy.events import Note
from proxy.request import Message, Part, TextPart, ToolResultPart

DOCUMENT_LOST = Note(
    "dropped", "messages.document", "A document cannot be said in this upstream's dialect."
)
AUDIO_LOST = Note("dropped", "messages.audio", "Audio cannot be said in this upstream's dialect.")
IMAGE_LOST = Note(
    "dropped", "messages.image_url", "An image cannot be said here in this upstream's dialect."
)
BEHIND = Note(
    "changed",
    "tool_result.content",
    "Pictures and documents of a tool's result stand in a user's turn behind it, as tool results "
    "of this upstream hold text only.",
)
_EMPTY = "(see below)"


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


def is_web(url: str) -> bool:
    """Whether a URL is one that a vendor can fetch."""
    return url.startswith(("http://", "https://"))


def media_behind(messages: list[Message], notes: list[Note]) -> list[Message]:
    """The turns, with the media of tool results in a user's turn behind the last result of a run of
    them: vendors want the results of one turn's calls together. The very same list where there are
    none.
    """
    if not any(_holds_media(message) for message in messages):
        return messages
    notes.append(BEHIND)
    return list(_moved(messages))


def _holds_media(message: Message) -> bool:
    return message.role == "tool" and any(
        isinstance(part, ToolResultPart) and part.media for part in message.parts
    )


def _moved(messages: list[Message]) -> Iterator[Message]:
    behind: list[Part] = []
    for message in messages:
        if behind and message.role != "tool":
            yield Message("user", behind)
            behind = []
        if not _holds_media(message):
            yield message
            continue
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResultPart) and (media := part.media):
                behind += [TextPart(f"From the result of the tool call {part.id}:"), *media]
                text = part.text or _EMPTY
                parts.append(ToolResultPart(part.id, text, part.is_error, part.cache))
            else:
                parts.append(part)
        yield Message("tool", parts)
    if behind:
        yield Message("user", behind)
