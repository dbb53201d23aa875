"""What is done with a dear request, one of very many small values: it is read, and built for a
target. `main` is the process where that is done; see `dear`.

It is given all that it needs with each job, and keeps only the request that it read last, which is
most often the one that is built next. It ends when whoever started it has gone, and when it has had
nothing to do for a while.
"""

import contextlib
import gc
import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import NamedTuple

from proxy.codec.base import Incoming, Outgoing, Parsed, TargetConfig
from proxy.codec.halves import ClientHalf
from proxy.codec.other_models import Named, foreign_model
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Failure, Refused
from proxy.request import ChatRequest

READY = "ready"
_IDLE_S = 600.0
# Streams go first where there is one processor for all, and requests still come to their turn.
_NICENESS = 5


class Reading(NamedTuple):
    """A request to be read: by the first of these client dialects that claims it, or the first.
    `counted`: it asks for the number of its tokens. `allowed`: the models that it may name beside
    its own, None for any.
    """

    halves: tuple[str, ...]
    incoming: Incoming
    allowed: frozenset[str] | None = None
    counted: bool = False


class Read(NamedTuple):
    """What whoever serves a request must know of it: `parsed` holds no message and no tool.
    `foreign`: a model that it names and may not. `keeps`: it may ask for more, where answers are
    kept.
    """

    half: str
    parsed: Parsed
    foreign: Named | None
    keeps: bool


class Unread(NamedTuple):
    """Why it was refused, and in which client dialect to tell it."""

    half: str
    why: Failure


class Building(NamedTuple):
    """A request to be built for a target, in the upstream dialect of this name."""

    reading: Reading
    upstream: str
    config: TargetConfig


Job = Reading | Building
Result = Read | Unread | Outgoing | Failure


class Worker:
    """Does one job after another."""

    def __init__(self) -> None:
        self._newest: tuple[Reading, Read, ChatRequest] | None = None

    def done(self, job: Job) -> Result:
        """What comes of it; Unread, or a Failure, where it is refused."""
        try:
            return self._read(job)[0] if isinstance(job, Reading) else self._built(job)
        except Refused as refused:
            why = refused.failure
        return Unread(_half_of(job).name, why) if isinstance(job, Reading) else why

    def _read(self, job: Reading) -> tuple[Read, ChatRequest]:
        if self._newest is not None and self._newest[0] == job:
            return self._newest[1:]
        self._newest = None  # two are not kept at once
        half = _half_of(job)
        parsed = _parsed(job, half)
        asked = parsed.request
        light = ChatRequest(
            model=asked.model, messages=[], stream=asked.stream, on_loss=asked.on_loss
        )
        told = parsed._replace(request=light, keeping=None)
        foreign = foreign_model(asked, job.allowed)
        read = Read(half.name, told, foreign, parsed.keeping is not None)
        self._newest = job, read, asked
        return read, asked

    def _built(self, job: Building) -> Outgoing:
        half = UPSTREAMS[job.upstream]
        call = built(half, self._read(job.reading)[1], job.config)
        if job.reading.counted and half.count_request is not None:
            call = half.count_request(call)
        return call


def _half_of(job: Reading) -> ClientHalf:
    halves = [CLIENTS[name] for name in job.halves]
    return next((half for half in halves if half.claims(job.incoming)), halves[0])


def _parsed(job: Reading, half: ClientHalf) -> Parsed:
    """Raises Refused."""
    if job.counted:
        assert half.counting is not None
        return half.counting.parse(job.incoming)
    return half.parse_request(job.incoming)


def serve(jobs: Connection, results: Connection) -> None:
    """Do the jobs that come until their pipe ends, or until there are none for a while. What cannot
    be done here, whoever asked must do.
    """
    worker = Worker()
    results.send(READY)
    while jobs.poll(_IDLE_S):
        job = jobs.recv()
        try:
            result: Result | None = worker.done(job)
        except Exception:  # noqa: BLE001  it is met again there, and told
            result = None
        results.send(result)


def main() -> None:
    """Serve the two pipes whose descriptors are the arguments."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the other, which heeds them
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    gc.freeze()
    with contextlib.suppress(EOFError, OSError):
        jobs, results = (int(number) for number in sys.argv[1:])
        serve(Connection(jobs, writable=False), Connection(results, readable=False))
