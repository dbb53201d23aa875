"""What `tests/dialects/<name>/sample.py` is made of. tests/samples.py finds those files by itself.

- `SAMPLE`: a small good answer of the vendor in raw wire bytes, so that a fault can be played
  between any two of its pieces; how it fails; and what its requests look like.
- `MORE`: further answers to mutate. `SEEDS`: files of the recordings' folder `seed`.
- `ENDLESS`: answers that never end, by what they never end with.
- `ASKED`: a good request of the dialect's clients.

A dialect without an upstream half has no SAMPLE, one without a client half no ASKED. The bytes are
written from the vendors' formats; nothing of the project's code takes part.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

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
    raw: bool = False  # its text stands in the stream as it is, and not in JSON
    follows: bool = False  # the answer to the request only says where the stream is
    # What the request's path holds of the model's name: nothing, one segment, or a slash for a slash.
    path_names: Literal["", "segment", "slashes"] = ""
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


class Asked(NamedTuple):
    """A good request of a client: `path` is where it is posted, `body` the JSON with as much in it
    as the dialect knows.

    - `form`: how an answer is written: `sse` is JSON in events, `text` is text in events, `values`
      is JSON values with nothing between them. Lines and documents say so in their content type.
    - `errors_under_200`: an error before the answer has a status of success.
    - `error_is_text`: the body of an error is its sentence, and no JSON.
    - `said`: the text of the first answer in the JSON values that a client reads.
    """

    path: str
    body: Mapping[str, Any]
    form: Literal["sse", "text", "values"] = "sse"
    errors_under_200: bool = False
    error_is_text: bool = False
    said: Callable[[list[Any]], str] | None = None


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


# ---- frames of answers that never end: functions from a number to the next bytes ----

Endless = Callable[[int], bytes]
PAD = "x" * 40


def json_of(value: Any) -> bytes:
    """With blanks and in ASCII, as many servers write it."""
    return json.dumps(value).encode()


def typed(kind: str, **more: Any) -> bytes:
    """A server-sent event whose name is its JSON's `type`."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json_of({"type": kind, **more}))


def choice(delta: Any, index: int = 0, **beside: Any) -> bytes:
    chunk = {"id": "x", "choices": [{"index": index, "delta": delta, **beside}]}
    return b"data: %b\n\n" % json_of(chunk)


def call(index: int, call_id: str, name: str | None, arguments: str) -> bytes:
    return choice(
        {
            "tool_calls": [
                {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
            ]
        }
    )


def once(first: bytes, then: Endless) -> Endless:
    return lambda n: first if n == 0 else then(n)
