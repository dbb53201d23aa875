"""What a small good answer of a vendor is made of, as raw wire bytes, so that a fault can be played
between any two of its pieces.

The bytes are written from the vendors' formats; nothing of the project's code takes part.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

FIRST = "Hello "
SECOND = "wörld, and all that is in it: nothing of this is lost on its way."
TEXT = FIRST + SECOND
# Stands in a text for a byte that no UTF-8 has.
SPOILED = "\ue000"
SSE = "text/event-stream"
AWS = "application/vnd.amazon.eventstream"
# What the good answers count. What a failed one may say it has counted is what had come by then,
# and 7 never had.
INPUT_TOKENS, BEGUN_TOKENS, OUTPUT_TOKENS = 11, 1, 7
# What a vendor says went wrong, whatever its form.
WORDS = "The machine room is on fire."


class Sample(NamedTuple):
    """A good answer is `opening + first + second + ending`; its text is TEXT.

    - `opening`: frames before the content; `starts`: frames that the first content needs before it;
      `ending`: all behind the content.
    - `say(before, text)`: the frames of one more piece of text, `before` being the text so far.
    - `error`: what the vendor sends when it fails in the midst of a stream. `error_body`: the JSON
      of its HTTP errors.
    - `comment`: what says nothing and keeps the connection alive; b"" where the form has no such
      thing.
    - `begins`: whether the opening holds anything that a client is told, so that idle_s holds from
      there on and first_event_s no more.
    - `over`: the ending says that the answer is over; else the end of the body does.
    """

    say: Callable[[str, str], bytes]
    ending: bytes
    error: bytes
    error_body: Any
    opening: bytes = b""
    starts: bytes = b""
    content_type: str = SSE
    comment: bytes = b": busy\n\n"
    begins: bool = False
    over: bool = True
    binary: bool = False  # it has no lines
    follows: bool = False  # the answer to the request only says where the stream is
    options: Mapping[str, Any] = {}
    model: str = "m"

    @property
    def first(self) -> bytes:
        return self.starts + self.say("", FIRST)

    @property
    def second(self) -> bytes:
        return self.say(FIRST, SECOND)

    @property
    def whole(self) -> bytes:
        return self.opening + self.first + self.second + self.ending


def dumped(value: Any) -> bytes:
    """Compact JSON in UTF-8, with the spoiled byte where a text has its sign."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode().replace(SPOILED.encode(), b"\xff")


def data(value: Any, event: str = "", id: str = "") -> bytes:  # noqa: A002  the standard's word
    """A server-sent event. Text stands as it is, all else as JSON."""
    body = (
        value.encode().replace(SPOILED.encode(), b"\xff")
        if isinstance(value, str)
        else dumped(value)
    )
    lines = [b"event: " + event.encode()] if event else []
    lines += [b"id: " + id.encode()] if id else []
    return b"\n".join([*lines, b"data: " + body]) + b"\n\n"


def named(value: Mapping[str, Any]) -> bytes:
    """A server-sent event whose name is its JSON's `type`."""
    return data(value, str(value["type"]))
