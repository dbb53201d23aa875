"""What the server's wire holds, as far as it is used."""

import msgspec
from msgspec import Raw

from proxy.codec.sse_json import ABSENT

NAME = "tgi"
PATH = "/generate_stream"


class Token(msgspec.Struct, gc=False):
    """Special ones (`</s>`) are no text."""

    text: str = ""
    special: bool = False


class Details(msgspec.Struct, gc=False):
    """With `details: true`, in the last event. Older servers do not count the input."""

    finish_reason: str | None = None
    generated_tokens: int | None = None
    input_length: int | None = None
    seed: Raw = ABSENT


class Event(msgspec.Struct, gc=False):
    """`top_tokens` are there if the client asked for them, by `vendor`."""

    token: Token | None = None
    generated_text: str | None = None
    details: Details | None = None
    top_tokens: Raw = ABSENT
    error: str | None = None
    error_type: str | None = None
