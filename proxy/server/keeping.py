"""What a request asks of its own answer where answers are kept."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from aiohttp import web

from proxy.codec.base import Keeping, KeptStream, Reply
from proxy.codec.halves import ClientHalf
from proxy.dialects.openai_responses import kept
from proxy.errors import Refused, failure
from proxy.events import Event, StreamStart
from proxy.relay.apart import apart
from proxy.relay.kept_log import KeptLog
from proxy.server.intake import Asked
from proxy.server.lasting import Lasting
from proxy.server.respond import whole
from proxy.server.runs import Runs

NOT_KEPT = "Streams are not kept here: see streams.resume in the configuration."
_NO_BEGINNING = (
    "Of this answer more was said than is kept (streams.resume.max_bytes_per_stream): it cannot be "
    "told whole any more."
)


class ToKeep(NamedTuple):
    """A request as it is where its answer is kept. Its options hold so many `bytes` of it.
    `background`: its client does not wait for the answer.
    """

    asked: Asked
    bytes: int = 0
    background: bool = False


async def to_keep(
    asked: Asked, runs: Runs, owner: str, half: ClientHalf, most_bytes: int
) -> ToKeep:
    """With the conversation of the earlier answer that it goes on from, of `most_bytes` at most.
    Raises Refused.
    """
    if asked.parsed.keeping is None:
        return ToKeep(asked)
    keeping = await apart(asked.envelope.size, asked.parsed.keeping)
    if keeping.earlier is not None:
        keeping = await _with_earlier(keeping, runs, owner, half)
    if keeping.bytes > most_bytes:
        said = (
            "The conversation that this request goes on from is longer, with what is new, than "
            f"limits.max_body_bytes allows ({most_bytes} bytes): begin another one."
        )
        raise Refused(failure("too_large", said))
    asked = asked._replace(
        parsed=keeping.parsed, wish="finish" if keeping.background else asked.wish
    )
    return ToKeep(asked, keeping.bytes, keeping.background)


def events_of(log: KeptLog) -> Sequence[Event]:
    """All events that a log has now; what is not kept one by one any more, as few as can say the
    same. Raises Refused where its beginning is not kept.
    """
    before = log.folded() if log.first else []
    if before is None:
        raise Refused(failure("too_large", _NO_BEGINNING))
    events, number = list(before), log.first
    while number < log.next:
        found = log.since(number)
        assert found is not None
        events += found[0]
        number += len(found[0])
    return events


def announced(run: Lasting) -> web.Response:
    """To a client that does not wait: its answer is being made."""
    return whole(Reply(200, _told(run, events_of(run.log))))


async def told(run: Lasting) -> web.Response:
    """An answer of Responses as it is now. Raises Refused."""
    events = events_of(run.log)
    return whole(Reply(200, await apart(run.log.bytes, lambda: _told(run, events))))


def _told(run: Lasting, events: Sequence[Event]) -> bytes:
    if events:
        return msgspec.json.encode(kept.told(run.options, events).response)
    start = StreamStart(run.id, run.origin.model, "", "", run.origin.created)
    return msgspec.json.encode(kept.queued(run.options, start))


async def _with_earlier(keeping: Keeping, runs: Runs, owner: str, half: ClientHalf) -> Keeping:
    earlier = keeping.earlier
    assert earlier is not None
    found: dict[str, KeptStream] = {}
    size = keeping.bytes
    for stream in earlier.streams:
        run = await runs.find(stream, owner)
        if run is not None and run.half is half:
            found[stream] = KeptStream(run.options, events_of(run.log))
            size += run.log.bytes
    anothers = [stream for stream in earlier.streams if stream not in found and runs.holds(stream)]
    return await apart(size, lambda: earlier.behind(found, anothers))
