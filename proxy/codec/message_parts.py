"""What a client's message says, read into parts. Shared by client halves whose messages have a text
or a list of parts as content.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from proxy.errors import bad_request
from proxy.request import Message, Part, TextPart

WirePart = TypeVar("WirePart")


def content_parts(
    content: str | Sequence[WirePart] | None, at: str, read: Callable[[WirePart, str], Part]
) -> str | list[Part]:
    """The content of the message at `at`; `read` makes a part of one of the client's, and is told
    where it stands. Raises Refused.
    """
    if content is None:
        raise bad_request(f"{at}.content must be text or a list of parts.", param=f"{at}.content")
    if isinstance(content, str):
        return content
    return [read(part, f"{at}.content[{number}]") for number, part in enumerate(content)]


def text_alone(content: str | Sequence[Part], role: str, at: str, between: str) -> str:
    """The text of a message whose role may say nothing else, `between` its parts. Raises Refused,
    naming the part that is none.
    """
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for number, part in enumerate(content):
        if not isinstance(part, TextPart):
            place = f"{at}.content[{number}]"
            raise bad_request(f"{place} must be text in a message of role {role}.", param=place)
        texts.append(part.text)
    return between.join(texts)


def assistant_turn(parts: list[Part]) -> Message:
    """The assistant's turn: as plain text where it is that and nothing else."""
    match parts:
        case []:
            return Message("assistant", "")
        case [TextPart(text)]:
            return Message("assistant", text)
    return Message("assistant", parts)
