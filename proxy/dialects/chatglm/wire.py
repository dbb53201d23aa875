"""What the report server's wire holds, and that of ChatGLM's own `api.py`, which answers once and
whole.
"""

from typing import Any

import msgspec

NAME = "chatglm"
REPORT_PATH = "/data"
API_PATH = "/"
# As the server prints it, once for the whole stream.
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class SnapshotBody(msgspec.Struct):
    """The whole text so far."""

    content: str | None = None


class SnapshotError(msgspec.Struct):
    """Not the server's own: this dialect has no error object, so ours adds one to the last
    snapshot.
    """

    message: str | None = None
    kind: str | None = None


class Snapshot(msgspec.Struct):
    """One object of a stream (`body`), or `api.py`'s whole answer (`response`, `status`). `id` and
    `time` never change and say nothing.
    """

    body: SnapshotBody | None = None
    response: str | None = None
    status: int | None = None
    error: SnapshotError | str | None = None
    detail: Any = None


class Request(msgspec.Struct):
    """What a client posts. The founding post's page sends the first three; the others are ours."""

    query: str
    history: list[tuple[str, str]] = []
    data: Any = None
    model: str | None = None
    stream: bool | None = None
    max_length: int | None = None
    temperature: float | None = None
    top_p: float | None = None
