"""Clients that come back to a kept stream: which it is, and what they still get of it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from proxy.codec.base import Encoder, Incoming
from proxy.codec.halves import ClientHalf
from proxy.codec.rest import Rest, frames_of
from proxy.codec.resuming import Resuming, Wanted
from proxy.dialects.registry import CLIENTS
from proxy.events import Event
from proxy.server.lasting import Lasting
from proxy.server.runs import Runs
from proxy.server.watched import where

_NATIVE = CLIENTS["native"]


class Onward(NamedTuple):
    """What a client gets of a stream: its events from `number` on. `headers` say where it may come
    back to.
    """

    run: Lasting
    encoder: Encoder
    headers: Mapping[str, str]
    number: int = 0


def may_return(half: ClientHalf) -> bool:
    """Whether a request of this dialect with a `Last-Event-ID` goes on with a stream."""
    return half is _NATIVE or (half.resuming is not None and half.resuming.again)


async def returned(runs: Runs, half: ClientHalf, incoming: Incoming, owner: str) -> Onward | None:
    """For a request with a `Last-Event-ID` in a dialect that `may_return`. None: there is nothing
    more to send. Raises Refused.
    """
    if half.resuming is not None:
        wanted = half.resuming.wanted(incoming)
        return rest(runs, half, await runs.named(half, wanted.stream, owner), wanted)
    found = await runs.resumed(incoming.headers["last-event-id"], owner)
    if found is None:
        return None
    run, number = found
    return Onward(run, run.encoder(half, None), where(run, half), number)


def asked_for(resuming: Resuming, incoming: Incoming) -> Wanted:
    """What a request to `resuming.follow` or `.stop` is about. Raises Refused."""
    name = incoming.path.get("chat")
    wanted = resuming.wanted(incoming)
    return wanted if name is None else wanted._replace(stream=name)


def rest(
    runs: Runs, half: ClientHalf, run: Lasting | None, wanted: Wanted, *, looks: bool = False
) -> Onward | None:
    """What is left of a run for a client that wants this. None: there is nothing more to send.
    `looks`: the client asks to see the pieces, all of them.
    """
    if run is None:
        runs.metrics.resumed("unknown")
        return None
    options = run.options if half is run.half else half.watching
    over, frames, headers = run.log.end is not None, wanted.frames, where(run, half)
    # who asks for the newest frames, or may have them all, must know how many there are; of a
    # summary nobody can say, and who has a part of the stream is told so
    counts = frames < 0 or (over and frames > 0)
    known = run.log.first == 0 or run.log.order is not None
    made = _made(run, half, options) if counts and known else 0
    if over and (not (wanted.ended or run.missed()) or 0 < made <= frames):
        runs.metrics.resumed("ended")
        return None
    if frames < 0 and made:
        frames = max(0, frames + made)
        if half.resuming is not None and half.resuming.tail:
            headers[half.resuming.tail] = str(made - 1)
    runs.metrics.resumed("attached")
    encoder = run.encoder(half, options, looks=looks)
    return Onward(run, Rest(encoder, max(0, frames)) if frames and not looks else encoder, headers)


def _made(run: Lasting, half: ClientHalf, options: Any) -> int:
    """How many frames there are of it by now."""
    return frames_of(run.encoder(half, options), _kept(run))


def _kept(run: Lasting) -> Iterator[Event]:
    number = run.log.first
    yield from run.log.replayed() or ()
    while found := run.log.since(number):
        events, _ = found
        if not events:
            return
        yield from events
        number += len(events)
