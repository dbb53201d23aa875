"""The one line in the log of a stream, or of another work, that has ended: its fields, bounded in
number and length, with nothing that was said.
"""

from typing import Any

import msgspec

from proxy.observe.record import Attempt, StreamRecord

_MAX_NAME_CHARS = 200
_MAX_LISTED = 16
_JSON = msgspec.json.Encoder()


class Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What stands in every such line, in this order. A default is not written."""

    # what a logger says of it, for one that goes through none
    timestamp: str = ""
    level: str = ""
    event: str = ""
    request_id: str
    stream: str = ""
    client_dialect: str
    model: str = ""
    upstream: str = ""
    upstream_model: str = ""
    key: str = ""
    status: int
    outcome: str | None = None
    ended_by: str | None = None
    vendor_request_id: str = ""
    response_id: str = ""
    finish: str | None = None
    total_s: float | None = None
    client_left_s: float | None = None
    first_byte_s: float | None = None
    first_content_s: float | None = None
    chunks: int
    bytes_in: int
    bytes_out: int
    heartbeats: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cost: float | None = None
    attempts: list[str] = []
    notes: list[str] = []
    fallbacks: list[str] = []


class Why(msgspec.Struct, omit_defaults=True):
    """What stands behind it in the line of one that failed: the message, the vendor's code and
    status, what was asked, and by whose page.
    """

    error: str = ""
    error_code: str = ""
    upstream_status: int | None = None
    asked: str = ""
    origin: str = ""


def fields_of(record: StreamRecord) -> dict[str, Any]:
    """The line of a record, as a logger takes it."""
    fields: dict[str, Any] = msgspec.to_builtins(line_of(record))
    return fields


def in_json(line: Line) -> str | None:
    """The line in JSON, where ASCII is enough for it, without a control character; None where it is
    not.
    """
    try:
        text = msgspec.json.format(_JSON.encode(line), indent=0).decode("ascii")
    except UnicodeError:  # half a pair is one too
        return None
    return text if text.isprintable() else None


def line_of(record: StreamRecord) -> Line:
    """The line of a record, without what a logger says of it."""
    finish = record.finish
    line = Line(
        request_id=record.request_id,
        stream=record.stream,
        client_dialect=record.client_dialect,
        model=record.model[:_MAX_NAME_CHARS],
        upstream=record.upstream,
        upstream_model=record.upstream_model[:_MAX_NAME_CHARS],
        key=record.key,
        status=record.status,
        outcome=record.outcome,
        ended_by=record.who_ended(),
        vendor_request_id=record.vendor_request_id[:_MAX_NAME_CHARS],
        response_id=record.response_id[:_MAX_NAME_CHARS],
        finish=None if finish is None else finish.reason,
        total_s=_rounded(record.ended_s),
        client_left_s=_rounded(record.left_s),
        first_byte_s=_rounded(record.first_byte_s),
        first_content_s=_rounded(record.first_content_s),
        chunks=record.chunks,
        bytes_in=record.bytes_in,
        bytes_out=record.bytes_out,
        heartbeats=record.heartbeats,
        attempts=[*map(_attempt, record.attempts[:_MAX_LISTED])],
    )
    if record.usage is not None:
        _count(line, record)
    if record.notes:
        line.notes = [f"{note.note}:{note.param}" for note in record.notes[:_MAX_LISTED]]
    if record.fallbacks:
        listed = record.fallbacks[:_MAX_LISTED]
        line.fallbacks = [f"{left}>{taken}:{kind}" for left, taken, kind in listed]
    return line


def why_of(record: StreamRecord) -> dict[str, Any]:
    """What stands behind that, as a logger takes it."""
    why = Why(
        record.error,
        record.error_code,
        record.upstream_status,
        record.asked[:_MAX_NAME_CHARS],
        record.origin[:_MAX_NAME_CHARS],
    )
    fields: dict[str, Any] = msgspec.to_builtins(why)
    return fields


def _count(line: Line, record: StreamRecord) -> None:
    """What the vendor has counted."""
    usage = record.usage
    assert usage is not None
    line.input_tokens = usage.input_tokens
    line.output_tokens = usage.output_tokens
    line.cached_input_tokens = usage.cached_input_tokens
    line.cache_write_tokens = usage.cache_write_tokens
    line.reasoning_tokens = usage.reasoning_tokens
    line.audio_input_tokens = usage.audio_input_tokens
    line.audio_output_tokens = usage.audio_output_tokens
    line.cost = None if usage.cost is None else usage.cost.amount


def _attempt(attempt: Attempt) -> str:
    """`upstream model result began+took`, in seconds: one text, so that a table of logs can show
    it.
    """
    return (
        f"{attempt.upstream} {attempt.model[:_MAX_NAME_CHARS] or '-'} {attempt.result} "
        f"{attempt.began_s:.3f}+{attempt.took_s:.3f}"
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
