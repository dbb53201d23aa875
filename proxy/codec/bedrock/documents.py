"""The documents of a whole request: each with a name of its own, and no more of them than the
service takes. Sources: DocumentBlock and Message of the API reference, and its refusals.
"""

from base64 import b64decode
from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.media import DOCUMENT_LOST
from proxy.events import Note

_MOST = 5
_TEXTS = ("txt", "md", "csv", "html")


def fit_documents(messages: list[dict[str, Any]], notes: list[Note]) -> None:
    """Changes the turns: of more documents than five the newest stay. Earlier ones that are texts
    are said as such; of others only the name is left.
    """
    places = _places(messages)
    for blocks, at in places[:-_MOST]:
        blocks[at] = {"text": _in_words(blocks[at]["document"], notes)}
    _name_apart([blocks[at]["document"] for blocks, at in places[-_MOST:]])


def _places(messages: list[dict[str, Any]]) -> list[tuple[list[dict[str, Any]], int]]:
    """Where they stand, those of tools' results too: lists of blocks, and numbers in them."""
    places: list[tuple[list[dict[str, Any]], int]] = []
    for message in messages:
        blocks = message["content"]
        for at, block in enumerate(blocks):
            if "document" in block:
                places.append((blocks, at))
            elif "toolResult" in block:
                held = block["toolResult"]["content"]
                places += [(held, inner) for inner, one in enumerate(held) if "document" in one]
    return places


def _in_words(document: dict[str, Any], notes: list[Note]) -> str:
    name, data = document["name"], document["source"].get("bytes")
    if data is not None and document["format"] in _TEXTS:
        try:
            text = b64decode(data).decode()
        except UnicodeDecodeError:
            pass
        else:
            said = f"Bedrock takes {_MOST} documents: earlier ones of plain text are said as text."
            drop(notes, DOCUMENT_LOST.param, said, "changed")
            return f"{name}:\n{text}"
    said = f"Bedrock takes {_MOST} documents in a request: earlier ones are left out."
    drop(notes, DOCUMENT_LOST.param, said)
    return f"(The document {name} is left out here.)"


def _name_apart(documents: list[dict[str, Any]]) -> None:
    """Give those of the same name a number each: the service refuses a request in which two have
    one name, as where clients name none. The same conversation gives the same names.
    """
    numbers: dict[str, int] = {}  # names -> the last number given to one
    for document in documents:
        name = document["name"]
        made, number = name, numbers.get(name, 1)
        while made in numbers:
            number += 1
            made = f"{name} ({number})"
        numbers[name] = number
        numbers.setdefault(made, 1)
        document["name"] = made
