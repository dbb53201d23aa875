"""What the vendor's wire holds, as far as it is used."""

import msgspec

NAME = "zhipu"


class Counts(msgspec.Struct, gc=False):
    """The tokens of one request."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Meta(msgspec.Struct, gc=False):
    """The value of the field `meta` of an answer's last event."""

    task_status: str | None = None
    usage: Counts | None = None
