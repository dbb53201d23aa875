"""What a recording says: its events, each with the time of the read that completed it, and the same
answer in another dialect.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from proxy.codec.base import Parsed, TargetConfig
from proxy.codec.settle import settling
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Refused, failure
from proxy.events import Event, StreamEnd, StreamError, StreamStart, Timing
from proxy.recording.tape import Asked, Read, Recording, RecordingError
from proxy.request import ChatRequest, Message

_MAX_EVENT_BYTES = 16_777_216  # as much as a file may hold is none too much for one event
_BROKEN = "The upstream broke off its answer before it was complete."


class Timed(NamedTuple):
    """An event, and when it was complete."""

    ms: float
    event: Event


def events_of(recording: Recording) -> Iterator[Timed]:
    """The events, as the proxy has them: begun by a stream.start, and ended once. Raises
    RecordingError for a dialect that no upstream speaks.
    """
    half = UPSTREAMS.get(recording.dialect)
    if half is None:
        raise RecordingError(f"no upstream speaks dialect {recording.dialect!r}")
    if recording.status >= 400:
        why = half.parse_error(recording.status, recording.headers, recording.body)
        said = f"The upstream answered {recording.status}."
        yield Timed(recording.end_ms, StreamError(why or failure("upstream_status", said)))
        return
    decoder = half.decoder(_MAX_EVENT_BYTES, {})
    yield Timed(0, _start(recording))
    for read in recording.reads:
        for event in decoder.feed(read.data):
            yield Timed(read.ms, _ended(event, read.ms))
    if not decoder.done and recording.end in ("broken", "full"):
        why = failure("upstream_truncated", _BROKEN, upstream=recording.upstream)
        yield Timed(recording.end_ms, StreamError(why, decoder.usage))
    elif not decoder.done:
        for event in decoder.close():
            yield Timed(recording.end_ms, _ended(event, recording.end_ms))


def converted(recording: Recording, dialect: str) -> Iterator[Read]:
    """The bytes that a client of this dialect gets for each event, as events come. Raises
    RecordingError for a dialect that no client speaks.
    """
    client = CLIENTS.get(dialect)
    if client is None:
        raise RecordingError(f"no client speaks dialect {dialect!r}")
    asked = ChatRequest(model=recording.model, messages=[], stream=True)
    upstream = UPSTREAMS.get(recording.dialect)
    encoder = settling(
        client.encoder(Parsed(asked, client.watching)),
        client,
        rewrites=upstream is not None and upstream.rewrites,
    )
    for ms, event in events_of(recording):
        if data := encoder.encode(event):
            yield Read(ms, data)


def in_dialect(recording: Recording, dialect: str) -> Recording:
    """The recording as if a vendor of this dialect had answered at the same times: what came with
    one read goes out in one.
    """
    joined: dict[float, bytes] = {}
    for read in converted(recording, dialect):
        joined[read.ms] = joined.get(read.ms, b"") + read.data
    client = CLIENTS[dialect]
    asked = Parsed(ChatRequest(model=recording.model, messages=[]), client.watching)
    return msgspec.structs.replace(
        recording,
        dialect=dialect,
        request=_asked_in(recording, dialect),
        status=200,
        headers={"content-type": client.encoder(asked).content_type},
        reads=tuple(Read(ms, data) for ms, data in joined.items()),
    )


def _asked_in(recording: Recording, dialect: str) -> Asked:
    """A request of this dialect that would get such an answer; what was said is not in it."""
    request = ChatRequest(model=recording.model, messages=[Message("user", "?")])
    try:
        call = UPSTREAMS[dialect].build_request(request, TargetConfig("", recording.model))
    except Refused as refused:
        raise RecordingError(f"no request can be formed for {dialect}: {refused}") from refused
    return Asked(call.method, call.path.partition("?")[0], {}, msgspec.json.decode(call.body))


def of_body(body: list[bytes], dialect: str) -> Recording:
    """A recording of an answer of which only the bytes are known, in these pieces."""
    return Recording(
        upstream=dialect,
        dialect=dialect,
        model="",
        recorded="1970-01-01T00:00:00.000Z",
        request=Asked(),
        head_ms=0,
        status=200,
        headers={},
        reads=tuple(Read(0, piece) for piece in body),
        end="complete",
        end_ms=0,
        gaps="spread",
    )


def _start(recording: Recording) -> StreamStart:
    try:
        created = int(datetime.fromisoformat(recording.recorded).timestamp())
    except (ValueError, OverflowError):  # edited by hand
        created = 0
    model = recording.model
    return StreamStart("recording", model, recording.upstream, model, created)


def _ended(event: Event, ms: float) -> Event:
    return (
        msgspec.structs.replace(event, timing=Timing(None, round(ms, 3)))
        if isinstance(event, StreamEnd)
        else event
    )
