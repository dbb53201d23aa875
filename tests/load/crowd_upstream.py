"""The upstream of the crowd, a process of its own: `python -m tests.load.crowd_upstream` prints its
port as JSON and serves until it is stopped.

The path is /PERIOD_MS/COUNT/END_MS and then the dialect's own. A stream gets its first piece at
once, the others, one each period, only after `POST /go`, and its end at some moment within END_MS
after the last: that thousands end in one second is another test.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import cast

import uvloop

from tests.bench.wire import VENDORS, dialect_of
from tests.load.stamps import frames

_FRAMES = {name: frames(name) for name in VENDORS}
_BACKLOG = 4096


class Crowd:
    """Those who wait for the go; who comes later need not."""

    def __init__(self) -> None:
        self._gone = False
        self.waiting: list[Connection] = []

    def go(self) -> None:
        self._gone = True
        waiting, self.waiting = self.waiting, []
        for connection in waiting:
            connection.go()

    def wait(self, connection: "Connection") -> None:
        """Until the go."""
        if self._gone:
            connection.go()
        else:
            self.waiting.append(connection)


class Connection(asyncio.Protocol):
    """One stream; a hand-written protocol, so that ten thousand cost next to nothing."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not a subclass

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._buffer = b""
        path = head.split(b" ", 2)[1].decode()
        if path == "/go":
            self._crowd.go()
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        _, period_ms, count, end_ms, *_ = path.split("/")
        self._frames = _FRAMES[dialect_of(path)]
        self._period_s, self._count, self._end_s, self._number = (
            int(period_ms) / 1000,
            int(count),
            int(end_ms) / 1000,
            0,
        )
        self._transport.write(self._frames.begin)
        self._say()
        self._crowd.wait(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def go(self) -> None:
        """At a moment of its own within the period: the streams never speak in step."""
        self._after(random.uniform(0, self._period_s), self._next)

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _next(self) -> None:
        self._say()
        if self._number < self._count:
            self._after(self._period_s, self._next)
        else:
            self._after(random.uniform(0, self._end_s), self._end)

    def _end(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._frames.end)

    def _say(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._frames.piece(time.monotonic_ns(), self._number))
        self._number += 1


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def serve() -> None:
    crowd = Crowd()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(crowd), "127.0.0.1", 0, backlog=_BACKLOG
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
