"""Clients that come back to a kept stream: which it is, and what they still get of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from proxy.codec.base import ClientHalf, Encoder, Incoming, Resuming, Wanted
from proxy.codec.rest import Rest, frames_of
from proxy.dialects.registry import CLIENTS
from proxy.events import Event
from proxy.server.lasting import Lasting
from proxy.server.runs import Runs

_NATIVE = CLIENTS["native"]


class Onward(NamedTuple):
    """What a client gets that comes back: this stream, from event `number` on."""

    run: Lasting
    encoder: Encoder
    number: int = 0


def may_return(half: ClientHalf) -> bool:
    """Whether a request of this dialect with a `Last-Event-ID` goes on with a stream."""
    return half is _NATIVE or (half.resuming is not None and half.resuming.again)


async def onward(runs: Runs, half: ClientHalf, incoming: Incoming, owner: str) -> Onward | None:
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
    return Onward(run, run.encoder(half, None), number)


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
    if run.log.end is not None and not wanted.ended:
        runs.metrics.resumed("ended")
        return None
    runs.metrics.resumed("attached")
    options = run.options if half is run.half else half.watching
    encoder, frames = run.encoder(half, options, looks=looks), wanted.frames
    if frames < 0:
        frames = max(0, frames + _made(run, half, options))
    return Onward(run, Rest(encoder, frames) if frames and not looks else encoder)


def _made(run: Lasting, half: ClientHalf, options: Any) -> int:
    """How many frames there are of it by now."""
    return frames_of(run.encoder(half, options), _kept(run))


def _kept(run: Lasting) -> Iterator[Event]:
    number = run.log.first
    while found := run.log.since(number):
        events, _ = found
        if not events:
            return
        yield from events
        number += len(events)
