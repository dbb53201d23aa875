"""The vendor of the bench, a process of its own: `python -m tests.bench.upstream` prints its port
as JSON and serves until it is stopped.

The path says how to answer: /paced/RATE/COUNT (COUNT chunks at RATE a second), /short/0/COUNT (all
at once), /burst/0/COUNT (XX these three says the dialect.
"""

import asyncio
import json
import time
from functools import partial
from typing import cast

import uvloop

from tests.bench.timer import Timer
from tests.bench.wire import EMPTY_SLOT, MARK, WIRES, Wire, dialect_of

BURST_BLOCK = 64  # chunks in one write
GOLDEN = 0.618033988749895  # multiples of it, modulo 1, are spread evenly however many there are


class Bench:
    """What all connections share."""

    def __init__(self, timer: Timer) -> None:
        self.timer = timer
        self.held: set[Connection] = set()
        self.paced = 0

    def phase(self) -> float:
        """Where in its interval the next paced stream sends: the streams of a run never send in
        step."""
        self.paced += 1
        return self.paced * GOLDEN % 1.0

    def release(self) -> None:
        for connection in tuple(self.held):
            connection.finish_held()


class Connection(asyncio.Protocol):
    """One client's connection, kept alive between requests; hand-written, so that it costs next to
    nothing."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._buffer = b""
        self._wire: Wire = WIRES["openai_chat"]
        self._left = 0
        self._next_ns = 0
        self._interval_ns = 0
        self._answers = 0
        self._writable = True
        self._bursting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not a subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._bench.held.discard(self)
        self._left = 0

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._answer(lines[0].split(" ")[1])

    def _answer(self, path: str) -> None:
        if path == "/release":
            self._bench.release()
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        _, mode, rate, count, *_ = path.split("/")
        self._wire = WIRES[dialect_of(path)]
        self._left = int(count)
        self._answers += 1
        if mode == "paced":
            self._start_paced(float(rate))
        elif mode == "short":
            content = self._wire.content(time.monotonic_ns()) * self._left
            self._transport.write(self._wire.head + self._wire.start + content + self._wire.end)
        elif mode == "burst":
            self._transport.write(self._wire.head + self._wire.start)
            self._bench.held.add(self)
            self._bursting = True
            self._burst()
        else:
            self._bench.held.add(self)
            self._transport.write(
                self._wire.head + self._wire.start + self._wire.content(time.monotonic_ns())
            )

    def finish_held(self) -> None:
        self._bench.held.discard(self)
        self._left, self._bursting = 0, False
        self._transport.write(self._wire.content(time.monotonic_ns()) + self._wire.end)

    # ---- paced: one chunk each interval, by a schedule that lateness does not shift ----

    def _start_paced(self, rate: float) -> None:
        self._interval_ns = int(1e9 / rate)
        # the first piece at once, so that whoever opens thousands need not wait for each one's turn
        now_ns = time.monotonic_ns()
        self._left -= 1
        self._transport.write(self._wire.head + self._wire.start + self._wire.content(now_ns))
        self._next_ns = now_ns + int(self._interval_ns * self._bench.phase())
        self._bench.held.add(self)
        self._bench.timer.at(self._next_ns, partial(self._send_paced, self._answers))

    def _send_paced(self, answer: int) -> None:
        if self._left == 0 or answer != self._answers:  # it has ended, before its time
            return
        self._left -= 1
        self._transport.write(self._wire.content(time.monotonic_ns()))
        if self._left == 0:
            self._bench.held.discard(self)
            self._transport.write(self._wire.end)
            return
        self._next_ns += self._interval_ns
        self._bench.timer.at(self._next_ns, partial(self._send_paced, answer))

    # ---- burst: as fast as the other side takes it ----

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._bursting:
            self._burst()

    def _burst(self) -> None:
        wire = self._wire
        chunk = wire.before.removesuffix(MARK) + EMPTY_SLOT + wire.after
        while self._left and self._writable:
            batch = min(self._left, BURST_BLOCK)
            self._left -= batch
            self._transport.write(chunk * batch)
        if not self._left:
            self._bursting = False
            self._bench.held.discard(self)
            self._transport.write(wire.end)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    bench = Bench(Timer(loop))
    server = await loop.create_server(lambda: Connection(bench), "127.0.0.1", 0, backlog=4096)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
