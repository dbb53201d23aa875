"""What of a failure's message may stand in a log: the reason, and nothing of a prompt, an answer or
a secret. Vendors repeat what they were sent, and decoders show what they could not read.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.errors import Failure, Kind
from proxy.relay.redactor import hidden

_MOST_CHARS = 300
# A part of a prompt that is as long is recognised; a shorter one stands in ordinary words.
_PART_CHARS = 8
# Beyond it the vendor's words are not compared with what it was sent, and not logged.
_MOST_COMPARED_BYTES = 262_144
# Their messages are ours alone, and repeat nothing.
_OURS: frozenset[Kind] = frozenset(
    {
        "connect_failed",
        "connect_timeout",
        "first_event_timeout",
        "idle_timeout",
        "total_timeout",
        "upstream_truncated",
        "client_gone",
        "cancelled",
        "shutdown",
        "internal",
    }
)
_CODE = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_QUOTED = re.compile(r"(?<!\w)['\"\\]")
# of a request: words of the vendor's, which its message needs
_WORDS = frozenset({"model", "type", "role"})


def loggable(why: Failure, sent: bytes | None = None) -> str:
    """The message of a failure that has gone through the upstream's redactor; "" where nothing of
    it can be shown. `sent` is the body of the request that it answers, None where that is not at
    hand any more.
    """
    text = " ".join(why.message[: 4 * _MOST_CHARS].split())[:_MOST_CHARS]
    if why.kind in _OURS:
        return text
    if why.kind == "upstream_malformed":
        return text.partition(": ")[0]  # a piece of an answer may follow
    if why.upstream is None:
        # a refusal of ours, that quotes the client
        found = _QUOTED.search(text)
        return text if found is None else text[: found.start()] + "..."
    if sent is None or len(sent) > _MOST_COMPARED_BYTES:
        return ""
    text, escaped, _ = text.partition("\\")  # an escaped text is not compared
    return _without(text, _texts(sent)) + ("..." if escaped else "")


def code_of(why: Failure) -> str:
    """The vendor's word for it, if it is one."""
    return "" if why.code is UNSET or not _CODE.fullmatch(why.code) else why.code


def _without(text: str, said: str) -> str:
    small = text.lower()
    if len(small) != len(text):  # a few letters are longer in lower case
        text = small
    windows = {small[at : at + _PART_CHARS] for at in range(len(small) - _PART_CHARS + 1)}
    parts = {window for window in windows if window in said}
    return hidden(text, parts) if parts else text


def _texts(sent: bytes) -> str:
    """All texts of a request, in lower case."""
    try:
        document = msgspec.json.decode(sent)
    except (ValueError, RecursionError):
        document = sent.decode("utf-8", "replace")
    return "\n".join(" ".join(text.lower().split()) for text in _strings(document))


def _strings(document: Any) -> Iterator[str]:
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, dict):
            rest += (
                item
                for name, item in value.items()
                if not (name in _WORDS and isinstance(item, str))
            )
