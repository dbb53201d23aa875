"""HAR 1.2 in and out: what browsers' tools, mitmproxy and Playwright save.
http://www.softwareishard.com/blog/har-12-spec/

A HAR has no reads; when the pieces came is told in fields of other programs' own (`har_times.py`).
What is null or missing in a file stands for what is not known.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from proxy.recording import keeping
from proxy.recording.har_times import LONGEST_MS, Message, Took, as_framed, as_read, body_of
from proxy.recording.tape import Asked, Gaps, Recording, RecordingError, instant
from proxy.recording.veil import masked

SUFFIX = ".har"
_OWN: Gaps = "network"
_TIMES = ("blocked", "dns", "connect", "send", "wait")


class _Pair(msgspec.Struct):
    name: str = ""
    value: str | None = None


class _Post(msgspec.Struct):
    text: str | None = None
    encoding: str | None = None


class _Request(msgspec.Struct):
    url: str
    method: str = "GET"
    headers: list[_Pair] | None = None
    postData: _Post | None = None  # noqa: N815  as the format has it


class _Content(msgspec.Struct, rename={"reads": "_reads"}):
    text: str | None = None
    encoding: str | None = None
    reads: list[tuple[float, int]] = []


class _Response(msgspec.Struct):
    status: int | None = None
    headers: list[_Pair] | None = None
    content: _Content | None = None


class _Entry(msgspec.Struct, rename={"origin": "_mainstem", "messages": "_eventSourceMessages"}):
    request: _Request
    response: _Response
    startedDateTime: str = ""  # noqa: N815
    timings: dict[str, float | str | None] | None = None
    origin: dict[str, str] = {}
    messages: list[Message] | None = None


class _Log(msgspec.Struct):
    entries: list[_Entry]


class _Har(msgspec.Struct):
    log: _Log


class Place(NamedTuple):
    """What a path says: whose it is, and which model it names, "" where the body does."""

    dialect: str
    model: str = ""


class Source(msgspec.Struct, frozen=True):
    """What must be known to read another's file. `place_of` reads a path, None is one that is no
    chat API's; `cut` the frames of a body; `hides` names of secret fields.
    """

    place_of: Callable[[str], Place | None]
    cut: Callable[[bytes], list[bytes]]
    hides: Callable[[str], bool]


def from_har(data: bytes, source: Source) -> list[Recording]:
    """The answers of chat APIs in a HAR file, without those of which it has no body. Raises
    RecordingError. Of headers only those are kept that a recording may hold; secret fields of
    requests are hidden.
    """
    if not data.strip():
        raise RecordingError("is empty")
    try:
        har = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Har)
    except (ValueError, RecursionError) as error:  # msgspec's own errors and bad UTF-8
        raise RecordingError(f"is no HAR file: {error}") from error
    found = (_recording(entry, source) for entry in har.log.entries)
    return [recording for recording in found if recording is not None]


def to_har(recordings: Sequence[Recording], version: str) -> bytes:
    """A HAR file of recordings. `version` is the program's. Their addresses are not known: the host
    is the upstream's name under .invalid (RFC 2606).
    """
    log = {
        "version": "1.2",
        "creator": {"name": "mainstem", "version": version},
        "entries": [_entry(recording) for recording in recordings],
    }
    return msgspec.json.format(msgspec.json.encode({"log": log}), indent=1) + b"\n"


def _recording(entry: _Entry, source: Source) -> Recording | None:
    asked, answered, origin = entry.request, entry.response, entry.origin
    try:
        address = urlsplit(asked.url)
    except ValueError:  # no chat API's
        return None
    path = address.path
    place = Place(origin["dialect"]) if "dialect" in origin else source.place_of(path)
    content, messages = answered.content or _Content(), entry.messages or []
    body = _text(content.text, content.encoding) or body_of(messages)
    status = answered.status or 0
    if place is None or not body or not 200 <= status <= 599:
        return None
    request = _asked(entry, path, source)
    model = request.body.get("model") if isinstance(request.body, dict) else None
    recorded = _started(entry.startedDateTime)
    head_ms = sum(_ms(entry, name) for name in _TIMES)
    took = Took(head_ms, _ms(entry, "receive"), datetime.fromisoformat(recorded).timestamp())
    own = as_read(body, content.reads)
    reads, gaps = (own, _OWN) if own else as_framed(source.cut(body), messages, took)
    end_ms = max(head_ms + took.receive_ms, reads[-1].ms)
    return Recording(
        upstream=origin.get("upstream") or address.hostname or "har",
        dialect=place.dialect,
        model=origin.get("model") or (model if isinstance(model, str) else place.model),
        recorded=recorded,
        request=request,
        head_ms=head_ms,
        status=status,
        headers=keeping.of_answer(_named(answered.headers)),
        reads=reads,
        end="complete",
        end_ms=end_ms,
        gaps=gaps,
    )


def _asked(entry: _Entry, path: str, source: Source) -> Asked:
    post = entry.request.postData
    body = None
    if post is not None:
        try:
            body = masked(msgspec.json.decode(_text(post.text, post.encoding)), source.hides)
        except (ValueError, RecursionError):  # a form
            body = None
    headers = keeping.of_request(_named(entry.request.headers))
    return Asked(entry.request.method, path, headers, body)


def _named(headers: Sequence[_Pair] | None) -> list[tuple[str, str]]:
    return [(pair.name, pair.value or "") for pair in headers or ()]


def _text(text: str | None, encoding: str | None) -> bytes:
    if not text or encoding != "base64":
        return (text or "").encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RecordingError(f"is no HAR file: a body is not base64: {error}") from error


def _ms(entry: _Entry, name: str) -> float:
    """Milliseconds; -1 and null stand for what is not known."""
    value = (entry.timings or {}).get(name)
    return min(max(0.0, value), LONGEST_MS) if isinstance(value, int | float) else 0.0


def _entry(recording: Recording) -> dict[str, Any]:
    asked = recording.request
    text, encoding = _written(recording.body)
    kind = recording.headers.get("content-type", "application/octet-stream")
    content: dict[str, Any] = {"size": len(recording.body), "mimeType": kind, "text": text}
    if recording.gaps == "network":
        content["_reads"] = [[round(read.ms, 3), len(read.data)] for read in recording.reads]
    request: dict[str, Any] = {
        "method": asked.method,
        "url": f"https://{recording.upstream}.invalid{asked.path}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(asked.headers),
        "queryString": [],
        "headersSize": -1,
        "bodySize": -1,
    }
    if asked.body is not None:
        body = msgspec.json.encode(asked.body).decode()
        request["postData"] = {"mimeType": "application/json", "params": [], "text": body}
    return {
        "startedDateTime": _started(recording.recorded),
        "time": round(recording.end_ms, 3),
        "request": request,
        "response": {
            "status": recording.status,
            "statusText": _reason(recording.status),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(recording.headers),
            "content": {**content, **({"encoding": encoding} if encoding else {})},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(recording.body),
        },
        "cache": {},
        "timings": {
            "send": 0,
            "wait": round(recording.head_ms, 3),
            "receive": round(recording.end_ms - recording.head_ms, 3),
        },
        "_mainstem": {
            "upstream": recording.upstream,
            "dialect": recording.dialect,
            "model": recording.model,
        },
    }


def _pairs(headers: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def _written(body: bytes) -> tuple[str, str]:
    try:
        return body.decode(), ""
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _reason(status: int) -> str:
    return next((known.phrase for known in HTTPStatus if known == status), "")


def _started(said: str) -> str:
    """ISO 8601 with a zone, as both formats want it."""
    try:
        return instant(datetime.fromisoformat(said))
    except (ValueError, OverflowError):  # edited by hand
        return instant(datetime(1970, 1, 1, tzinfo=UTC))
