"""The clients of the bench, a process of its own: `python -m tests.bench.load JSON` runs one `Plan`
and prints one JSON result.

It counts and times chunks by the mark in them, and reads the proxy's CPU clock at the same instants
as its own counters.
"""

import asyncio
import json
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, cast

import uvloop

from tests.bench.account import cpu_s, memory_bytes, waited_s
from tests.bench.shares import shares
from tests.bench.wire import DIGITS, KEY, LAST_CHUNK, MARK, SLOT

TAIL_BYTES = 1024  # kept for a complaint, and for what was cut between two reads
OPENING = 64  # connections being opened at once
END_TIMEOUT_S = 30.0
SETTLE_S = 1.0


@dataclass(frozen=True)
class Plan:
    """What to do against one address. `pids` are the processes to account for, together."""

    mode: Literal["paced", "short", "hold", "burst"]
    port: int
    path: str
    body: str
    terminal: str  # stands in the last frame of a complete answer, and nowhere else
    streams: int
    window_s: float = 0.0
    warm_s: float = 0.5
    pids: Sequence[int] = ()
    share: float = 0.0  # of a processor, which each of them may use while it is measured; 0: all
    upstream_port: int = 0
    released: bool = False  # paced streams end when they have been measured
    headers: str = ""  # more lines of the request's head, each with its line end


@dataclass
class Result:
    """What came of it. `lost`: streams or requests that did not end as a complete answer."""

    asked: int = 0
    lost: int = 0
    counted: int = 0  # chunks (short: requests) in the window
    cpu_s: float = 0.0
    wall_s: float = 0.0
    # how long the process was ready to run, and something else had its processor
    waited_s: float = 0.0
    delay_p50_ms: float = 0.0
    delay_p99_ms: float = 0.0
    memory_bytes: int = 0  # what the open streams add
    resident_bytes: int = 0  # the whole process, at the end of a paced window
    complaint: str = ""  # the first answer that was not what it should be


class Book:
    """What all connections write into."""

    def __init__(self) -> None:
        self.chunks = 0
        self.delays: array[int] | None = None  # nanoseconds, while the window is open
        self.complaint = ""


class Stream(asyncio.Protocol):
    """One request at a time on one connection. `ended(ok)` is called once for each."""

    def __init__(
        self, book: Book, terminal: bytes, began: Callable[[], None], ended: Callable[[bool], None]
    ) -> None:
        self._book = book
        self._terminal = terminal
        self._began = began
        self._ended = ended
        self._open = False
        self._seen = False
        self._complete = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class is not a subclass

    def ask(self, request: bytes) -> None:
        self._open, self._seen, self._complete, self._carry, self._tail = (
            True,
            False,
            False,
            b"",
            b"",
        )
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        text = self._carry + data
        at, done = text.find(MARK), 0
        book = self._book
        while at >= 0 and at + SLOT <= len(text):
            book.chunks += 1
            done = at + SLOT
            sent = text[done - DIGITS : done]
            # a proxy that passes bytes on may put them into chunks of its own, and cut the time
            if book.delays is not None and sent.isdigit():
                book.delays.append(time.monotonic_ns() - int(sent))
            at = text.find(MARK, done)
        self._carry = text[max(done, len(text) - SLOT + 1) :]
        if done and not self._seen:
            self._seen = True
            self._began()
        tail = self._tail + data
        # it may stand before the whole text, said again
        self._complete = self._complete or self._terminal in tail
        self._tail = tail[-TAIL_BYTES:]
        if tail.endswith(LAST_CHUNK):
            self._end(self._complete)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._open:
            self._end(ok=False)

    def _end(self, ok: bool) -> None:
        if not ok and not self._book.complaint:
            self._book.complaint = (
                self._tail[-300:].decode(errors="replace")
                or "the connection was closed with no answer"
            )
        self._open = False
        self._ended(ok)


class Run:
    """One plan being carried out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.book = Book()
        self.result = Result()
        self.begun = 0
        self.ended = 0
        self.changed = asyncio.Event()
        body = plan.body.encode()
        head = (
            f"POST {plan.path} HTTP/1.1\r\nhost: 127.0.0.1:{plan.port}\r\nauthorization: Bearer {KEY}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{plan.headers}\r\n"
        )
        self.request = head.encode() + body

    def _on_began(self) -> None:
        self.begun += 1
        self.changed.set()

    def _on_ended(self, ok: bool) -> None:
        self.ended += 1
        self.result.lost += not ok
        self.changed.set()

    async def connect(self, ended: Callable[[bool], None] | None = None) -> Stream:
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: Stream(
                self.book, self.plan.terminal.encode(), self._on_began, ended or self._on_ended
            ),
            "127.0.0.1",
            self.plan.port,
        )
        return protocol

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Waits for a condition on the counters; False if it does not come about in time."""
        deadline = time.monotonic() + END_TIMEOUT_S
        while not condition() and time.monotonic() < deadline:
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), 0.5)
            except TimeoutError:
                continue
        return condition()

    async def open_all(self) -> None:
        """Opens the plan's streams, few at a time so that no listen queue overflows, until each has
        begun or ended."""
        for opened in range(1, self.plan.streams + 1):
            self.result.asked += 1
            (await self.connect()).ask(self.request)
            await self.until(lambda asked=opened: asked - max(self.begun, self.ended) < OPENING)
        await self.until(lambda: max(self.begun, self.ended) >= self.plan.streams)

    async def until_all_ended(self) -> None:
        await self.until(lambda: self.ended >= self.result.asked)
        self.result.lost += self.result.asked - self.ended

    def cpu(self) -> float:
        return sum(map(cpu_s, self.plan.pids))

    def waited(self) -> float:
        return sum(map(waited_s, self.plan.pids))

    def memory(self) -> int:
        return sum(map(memory_bytes, self.plan.pids))

    async def window(self, count: Callable[[], int]) -> None:
        """Counts and accounts for `window_s`, after `warm_s`."""
        if self.plan.share:
            with shares(self.plan.pids, self.plan.share):
                await self._measure(count)
        else:
            await self._measure(count)

    async def _measure(self, count: Callable[[], int]) -> None:
        await asyncio.sleep(self.plan.warm_s)
        waited, cpu, counted, began = self.waited(), self.cpu(), count(), time.monotonic()
        self.book.delays = array("q")
        await asyncio.sleep(self.plan.window_s)
        delays, self.book.delays = sorted(self.book.delays), None
        self.result.cpu_s, self.result.counted, self.result.wall_s = (
            self.cpu() - cpu,
            count() - counted,
            time.monotonic() - began,
        )
        self.result.waited_s = self.waited() - waited
        if delays:
            self.result.delay_p50_ms = delays[len(delays) // 2] / 1e6
            self.result.delay_p99_ms = delays[len(delays) * 99 // 100] / 1e6

    async def release(self) -> None:
        """The vendor ends all that it has held."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.plan.upstream_port)
        writer.write(b"POST /release HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    # ---- the four modes ----

    async def paced(self) -> None:
        await self.open_all()
        await self.window(lambda: self.book.chunks)
        self.result.resident_bytes = self.memory()
        if self.plan.released:
            await self.release()
        await self.until_all_ended()

    async def short(self) -> None:
        clients = [ShortClient(self) for _ in range(self.plan.streams)]
        tasks = [asyncio.create_task(client.ask_again_and_again()) for client in clients]
        await self.window(lambda: sum(client.done for client in clients))
        for client in clients:
            client.stopping = True
        await asyncio.wait_for(asyncio.gather(*tasks), END_TIMEOUT_S)

    async def hold(self) -> None:
        before = self.memory()
        await self.open_all()
        await asyncio.sleep(SETTLE_S)
        self.result.counted = self.begun - self.ended
        self.result.memory_bytes = self.memory() - before
        await self.release()
        await self.until_all_ended()

    async def burst(self) -> None:
        cpu, began = self.cpu(), time.monotonic()
        for _ in range(self.plan.streams):
            self.result.asked += 1
            (await self.connect()).ask(self.request)
        await self.until_all_ended()
        self.result.cpu_s, self.result.counted, self.result.wall_s = (
            self.cpu() - cpu,
            self.book.chunks,
            time.monotonic() - began,
        )

    async def carry_out(self) -> Result:
        modes = {"paced": self.paced, "short": self.short, "hold": self.hold, "burst": self.burst}
        await modes[self.plan.mode]()
        self.result.complaint = self.book.complaint
        return self.result


class ShortClient:
    """Asks, takes the whole answer, asks again on the same connection."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.done = 0
        self.stopping = False

    async def ask_again_and_again(self) -> None:
        stream = None
        while not self.stopping:
            if stream is None or stream.transport.is_closing():
                stream = await self._run.connect(self._on_ended)
            self._answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._run.result.asked += 1
            stream.ask(self._run.request)
            ok = await self._answered
            self.done += ok
            self._run.result.lost += not ok
        if stream is not None:
            stream.transport.close()

    def _on_ended(self, ok: bool) -> None:
        self._answered.set_result(ok)


async def main() -> None:
    print(json.dumps(asdict(await Run(Plan(**json.loads(sys.argv[1]))).carry_out())), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
