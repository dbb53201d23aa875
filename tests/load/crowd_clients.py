"""The clients of the crowd, a process of its own: `python -m tests.load.crowd_clients JSON` opens
the streams of one `Party`, prints how that went, reads them all to their end, and prints what came
of it.
"""

import asyncio
import contextlib
import dataclasses
import json
import sys
import time
from array import array
from dataclasses import asdict, dataclass
from typing import Any, cast

import uvloop

from tests.bench.asking import ASKING
from tests.bench.wire import KEY, LAST_CHUNK
from tests.load.phases import Felt, Phases
from tests.load.stamps import STAMP, find

_TAIL_BYTES = 512


@dataclass(frozen=True)
class Party:
    """So many streams of one model, in one client dialect; `at_once` of them being opened at a
    time. Each is to bring `count` pieces; for `again_s` one that has ended makes room for
    another."""

    streams: int
    port: int
    model: str
    count: int
    dialect: str = "native"
    at_once: int = 256
    within_s: float = 300.0
    again_s: float = 0.0


@dataclass
class Opened:
    """How the opening went."""

    open: int
    seconds: float


@dataclass
class Outcome:
    """`whole`: streams whose every piece came once and in order, and then their end. The delays are
    from the upstream's sending to the client's reading, of all pieces but the first ones.
    """

    whole: int = 0
    pieces: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    most_ms: float = 0.0
    complaint: str = ""
    felt: Felt = dataclasses.field(default_factory=Felt)
    streams: int = 0

    @classmethod
    def told(cls, said: dict[str, Any]) -> "Outcome":
        """Of what was printed."""
        return cls(**{**said, "felt": Felt(*said["felt"])})


class Guests:
    """All streams of a party."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.begun = 0
        self.ended = 0
        self.phases = Phases()
        self._until = time.monotonic() + party.again_s
        self._coming: set[asyncio.Task[Guest]] = set()
        self.delays: array[int] = array("q")
        self.outcome = Outcome()
        self.all_ended = asyncio.Event()
        asking = ASKING[party.dialect]
        body = asking.body(party.model)
        head = (
            f"POST {asking.path.format(model=party.model)} HTTP/1.1\r\nHost: localhost\r\nauthorization: Bearer {KEY}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.request = head.encode() + body
        self.terminal = asking.terminal

    async def open_all(self) -> Opened:
        began = time.monotonic()
        gate = asyncio.Semaphore(self.party.at_once)

        async def one() -> None:
            async with gate:
                guest = await self._connect()
                await guest.settled

        async with asyncio.timeout(self.party.within_s):
            await asyncio.gather(*(one() for _ in range(self.party.streams)))
        return Opened(self.begun - self.ended, time.monotonic() - began)

    async def _connect(self) -> "Guest":
        _, guest = await asyncio.get_running_loop().create_connection(
            lambda: Guest(self), "127.0.0.1", self.party.port
        )
        return guest

    def one_ended(self) -> None:
        """Another comes in its place, while there is time."""
        self.outcome.streams += 1
        if time.monotonic() < self._until:
            coming = asyncio.create_task(self._connect())
            self._coming.add(coming)
            coming.add_done_callback(self._coming.discard)
            return
        self.ended += 1
        if self.ended == self.party.streams:
            self.all_ended.set()

    async def read_all(self) -> Outcome:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.party.within_s):
                await self.all_ended.wait()
        delays = sorted(self.delays)
        outcome = self.outcome
        outcome.pieces = len(delays)
        outcome.felt = self.phases.felt()
        if delays:
            outcome.p50_ms, outcome.p99_ms, outcome.most_ms = (
                delays[min(len(delays) - 1, len(delays) * share // 100)] / 1e6
                for share in (50, 99, 100)
            )
        return outcome


class Guest(asyncio.Protocol):
    """One stream. `settled` is done once it has brought something, or has ended."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests
        self._next = 0
        self._broken = False
        self._carry = self._tail = b""
        self._over = False
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not a subclass
        self._transport.write(self._guests.request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        text, done = self._carry + data, 0
        while (stamp := find(text, done)) is not None:
            done = stamp.end
            self._broken = self._broken or stamp.number != self._next
            self._next += 1
            if stamp.number:
                self._guests.delays.append(now - stamp.sent_ns)
                self._guests.phases.add(stamp.sent_ns, now - stamp.sent_ns)
        self._carry = text[max(done, len(text) - STAMP + 1) :]
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
        if self._next and not self.settled.done():
            self._guests.begun += 1
            self.settled.set_result(None)
        if data.endswith(LAST_CHUNK):
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        guests = self._guests
        guests.one_ended()
        if not self._broken and self._next == guests.party.count and guests.terminal in self._tail:
            guests.outcome.whole += 1
        elif not guests.outcome.complaint:
            guests.outcome.complaint = f"{self._next} pieces, then {self._tail[-300:].decode(errors='replace') or 'nothing'}"
        if not self.settled.done():
            self.settled.set_result(None)
        self._transport.abort()


async def main() -> None:
    guests = Guests(Party(**json.loads(sys.argv[1])))
    print(json.dumps(asdict(await guests.open_all())), flush=True)
    print(json.dumps(asdict(await guests.read_all())), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
