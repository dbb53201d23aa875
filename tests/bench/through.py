"""The whole proxy in this process, between a vendor and a client in threads of their own: how many
opcodes a chunk takes from socket to socket, and how many a short request.

The vendor sends a chunk when the client has the one before, so that each is read by itself and
every run counts alike.
"""

import asyncio
import contextlib
import hashlib
import io
import socket
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import uvloop

from proxy.app import Process
from proxy.observe import logs
from tests.bench.asking import ASKING
from tests.bench.matrix import Pair
from tests.bench.opcodes import Opcodes
from tests.bench.wire import KEY, LAST_CHUNK, MARK, VENDORS, WIRES
from tests.running import settings_of

SHORT = 8  # chunks of a short answer, as in the bench; all of it comes in one write
_CHUNKS = 10
_TIMEOUT_S = 20
_HEAD_END = b"\r\n\r\n"


class Cost(NamedTuple):
    """In opcodes."""

    chunk: float
    request: int


class Exchange:
    """A vendor and a client of one pair, whose calls block."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._came = threading.Semaphore(0)  # a chunk, at the client
        self._client: socket.socket | None = None
        self._chunks, self._at_once = 0, False
        threading.Thread(target=self._sell, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        if self._client is not None:
            self._client.close()

    def ask(self, port: int, chunks: int, at_once: bool) -> None:
        """One answer of so many chunks, from the proxy at this port."""
        self._chunks, self._at_once = chunks, at_once
        if self._client is None:
            self._client = _prompt(socket.create_connection(("127.0.0.1", port), _TIMEOUT_S))
        self._client.sendall(_request(self._pair))
        got, came = b"", 0
        while not got.endswith(LAST_CHUNK):
            more = self._client.recv(1 << 16)
            assert more, got
            got += more
            for _ in range(came, got.count(MARK)):
                self._came.release()
            came = got.count(MARK)
        assert got.startswith(b"HTTP/1.1 200 "), got
        assert came >= chunks, got

    def _sell(self) -> None:
        with contextlib.suppress(OSError), _prompt(self._listener.accept()[0]) as connection:
            connection.settimeout(_TIMEOUT_S)
            while _took_request(connection):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        self._came = threading.Semaphore(0)  # a client may see a text again at the answer's end
        wire = WIRES[self._pair.upstream]
        chunks = [wire.content(number) for number in range(self._chunks)]
        first = wire.head + wire.start
        if self._at_once:
            connection.sendall(first + b"".join(chunks) + wire.end)
            return
        for chunk in chunks:
            connection.sendall(first + chunk)
            first = b""
            assert self._came.acquire(timeout=_TIMEOUT_S)
        connection.sendall(wire.end)


async def _cost(pair: Pair, more: dict[str, Any]) -> tuple[Opcodes, Opcodes, Opcodes]:
    """Of an answer, of one twice as long, and of a short one."""
    exchange = Exchange(pair)
    process = Process(settings_of({**config(pair.upstream, exchange.port), **more}))
    await process.start()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()  # what runs by the clock is of no request
    port = int(process.urls[0].rstrip("/").rpartition(":")[2])
    try:
        counted = []
        for chunks, at_once in ((_CHUNKS, False), (2 * _CHUNKS, False), (SHORT, True)):
            for _ in range(2):  # the first for nothing: what is made once is made then
                counter = await _counted(exchange.ask, port, chunks, at_once)
            waiting = await _counted(bool)  # for the client's thread, which is none of the proxy's
            counter.by_code -= waiting.by_code
            counted.append(counter)
        return counted[0], counted[1], counted[2]
    finally:
        exchange.close()
        await process.stop()


async def _counted(ask: Callable[..., object], *arguments: object) -> Opcodes:
    """Of this thread, while another one asks."""
    counter = Opcodes()
    with counter.counting():
        await asyncio.get_running_loop().run_in_executor(None, ask, *arguments)
        await asyncio.sleep(0)
    return counter


def cost(pair: Pair, **more: Any) -> Cost:
    """What this pair costs, with keys, metrics and logs on, and `more` of the configuration."""
    logs.configure("json", "info", io.StringIO())
    once, twice, short = uvloop.run(_cost(pair, more))
    return Cost((twice.total - once.total) / _CHUNKS, short.total)


def observing(pair: Pair) -> float:
    """Of the opcodes of a chunk, those that observe it."""
    logs.configure("json", "info", io.StringIO())
    once, twice, _ = uvloop.run(_cost(pair, {}))
    few, many = (
        sum(
            count
            for code, count in each.by_code.items()
            if "/proxy/observe/" in code.co_filename.replace("\\", "/")
        )
        for each in (once, twice)
    )
    return (many - few) / _CHUNKS


def config(dialect: str, port: int, mode: str = "") -> dict[str, Any]:
    """With keys, metrics and logs on, and a vendor of this dialect at this port, told how to
    answer by its path."""
    base = f"http://127.0.0.1:{port}{mode}{VENDORS[dialect].base}"
    return {
        "auth": {"keys": [{"name": "bench", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]},
        "upstreams": {dialect: {"dialect": dialect, "base_url": base, "api_key": "bench"}},
        "models": {dialect: [{"upstream": dialect, "model": "bench"}]},
    }


def _request(pair: Pair) -> bytes:
    asking = ASKING[pair.client]
    body = asking.body(pair.upstream)
    head = [
        f"POST {asking.path.format(model=pair.upstream)} HTTP/1.1",
        "Host: bench",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def _took_request(connection: socket.socket) -> bool:
    """A whole request has come; False: nobody is there any more."""
    got = b""
    while _HEAD_END not in got:
        more = connection.recv(1 << 16)
        if not more:
            return False
        got += more
    head, _, body = got.partition(_HEAD_END)
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(1 << 16)
    return True


def _prompt(connection: socket.socket) -> socket.socket:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
