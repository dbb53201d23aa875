r"""The file of a recording: JSON lines, one file a stream. docs/RECORDINGS.md describes it.

    {"recording":1,"recorded":"2026-11-30T12:00:00.000Z","upstream":"openai","dialect":...}
    {"ms":210.4,"status":200,"headers":{"content-type":"text/event-stream"}}
    {"ms":212.0,"text":"data: {...}\n\n"}          one line a read; base64 where it is no text
    {"ms":950.1,"end":"complete"}

`ms` are milliseconds since the request was begun.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

SUFFIX = ".recording.jsonl"
VERSION = 1

# complete: the body ended · broken: it broke off · left: Mainstem wanted no more of it · full: the
# file's bound was reached
End = Literal["complete", "broken", "left", "full"]
# network: as they were read · spread: made up, as the source of the file has none
Gaps = Literal["network", "spread"]


class RecordingError(Exception):
    """A file that is no recording; one sentence, which names the line."""


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """The request. `path` has no query; `body` is the JSON value, or None where it is not kept."""

    method: str = "POST"
    path: str = ""
    headers: Mapping[str, str] = {}
    body: Any = None


class Read(msgspec.Struct, frozen=True, gc=False):
    """What one read of the network gave, and when."""

    ms: float
    data: bytes


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `masked` are the names of the JSON fields whose values are masked."""

    upstream: str
    dialect: str
    model: str
    recorded: str
    request: Asked
    head_ms: float
    status: int
    headers: Mapping[str, str]
    reads: tuple[Read, ...]
    end: End
    end_ms: float
    masked: tuple[str, ...] = ()
    gaps: Gaps = "network"

    @property
    def body(self) -> bytes:
        return b"".join(read.data for read in self.reads)


class _First(msgspec.Struct, omit_defaults=True):
    recording: int
    recorded: str
    upstream: str
    dialect: str
    model: str
    request: Asked = Asked()
    masked: tuple[str, ...] = ()
    gaps: Gaps = "network"


class _Line(msgspec.Struct, omit_defaults=True):
    ms: float
    status: int | UnsetType = UNSET
    headers: Mapping[str, str] | UnsetType = UNSET
    text: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET
    end: End | UnsetType = UNSET


_first = msgspec.json.Decoder(_First)
_line = msgspec.json.Decoder(_Line)


def written(recording: Recording) -> bytes:
    """The file's bytes."""
    first = _First(
        VERSION,
        recording.recorded,
        recording.upstream,
        recording.dialect,
        recording.model,
        recording.request,
        recording.masked,
        recording.gaps,
    )
    rows: list[msgspec.Struct] = [
        first,
        _Line(_rounded(recording.head_ms), recording.status, recording.headers),
        *(_of_read(read) for read in recording.reads),
        _Line(_rounded(recording.end_ms), end=recording.end),
    ]
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def parsed(data: bytes) -> Recording:
    """The recording in a file. Raises RecordingError. A file without its last line, or in which
    that is cut, holds an answer that broke off: whoever wrote or copied it was interrupted.
    """
    if not data.strip():
        raise RecordingError("is empty")
    lines = data.split(b"\n")
    first = _decoded(_first, lines[0], 1)
    if first.recording != VERSION:
        raise RecordingError(
            f"line 1: is a recording of version {first.recording}, and this program reads "
            f"version {VERSION}: use the program that wrote it"
        )
    head: _Line | None = None
    end: _Line | None = None
    reads: list[Read] = []
    last = 0.0
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            row = _decoded(_line, line, number)
        except RecordingError:
            if head is not None and end is None and number == len(lines):
                break
            raise
        if row.ms < last:
            raise RecordingError(f"line {number}: ms goes back, from {last:g} to {row.ms:g}")
        last = row.ms
        if end is not None:
            raise RecordingError(f"line {number}: nothing may follow the line with `end`")
        if row.end is not UNSET:
            end = row
        elif head is None:
            head = _checked_head(row, number)
        else:
            reads.append(Read(row.ms, _data(row, number)))
    if head is None:
        raise RecordingError("line 2: the line with the status of the answer is missing")
    return Recording(
        upstream=first.upstream,
        dialect=first.dialect,
        model=first.model,
        recorded=first.recorded,
        request=first.request,
        masked=first.masked,
        gaps=first.gaps,
        head_ms=head.ms,
        status=head.status or 200,
        headers=head.headers or {},
        reads=tuple(reads),
        end="broken" if end is None or end.end is UNSET else end.end,
        end_ms=last,
    )


def instant(moment: datetime) -> str:
    """A time as a recording has it: UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_read(read: Read) -> _Line:
    ms = _rounded(read.ms)
    try:
        return _Line(ms, text=read.data.decode())
    except UnicodeDecodeError:  # binary, or cut within a character
        return _Line(ms, base64=base64.b64encode(read.data).decode())


def _rounded(ms: float) -> float:
    return round(ms, 3)


def _decoded(decoder: "msgspec.json.Decoder[Any]", line: bytes, number: int) -> Any:
    try:
        return decoder.decode(line)
    except (ValueError, RecursionError) as error:  # msgspec's own errors and bad UTF-8
        raise RecordingError(f"line {number}: is no line of a recording: {error}") from error


def _checked_head(row: _Line, number: int) -> _Line:
    if not isinstance(row.status, int) or not 200 <= row.status <= 599:
        raise RecordingError(f"line {number}: must have the status of the answer, from 200 to 599")
    for name, value in (row.headers or {}).items():
        if not f"{name}{value}".isprintable():
            raise RecordingError(f"line {number}: a header holds a control character")
    return row


def _data(row: _Line, number: int) -> bytes:
    if isinstance(row.text, str) and row.base64 is UNSET:
        return row.text.encode()
    if isinstance(row.base64, str) and row.text is UNSET:
        try:
            return base64.b64decode(row.base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise RecordingError(f"line {number}: base64 is not base64: {error}") from error
    raise RecordingError(f"line {number}: a read has either `text` or `base64`")
