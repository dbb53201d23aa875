"""A client that asks and takes nothing of the answers: whatever it asked for, it is dropped in time,
it cannot make the server go on answering, and it keeps its place until then.
"""

import asyncio
import contextlib
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.hostile.wire import WAIT_S, place
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running
from tests.server.test_failures import STOP

TIMEOUT_S = 0.3
MOCKED: dict[str, Any] = {
    "upstreams": {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "up"}]},
    "streams": {"write_timeout_s": TIMEOUT_S},
}
_ESTABLISHED = 1  # Linux's tcp_states.h
_MOST_BYTES = 32_000_000  # of requests that systems and the server hold at most, by far
BODY = b'{"model":"m","prompt":"x","stream":false}'


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


@contextlib.asynccontextmanager
async def connected(run: Running) -> AsyncIterator[socket.socket]:
    """A client whose system takes little that it does not read itself."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, place(run.url))
        yield client


async def flood(client: socket.socket, said: bytes) -> int:
    """Sends it again and again until the server takes no more: how many bytes it took."""
    sent = 0
    while sent < _MOST_BYTES:
        try:
            async with asyncio.timeout(TIMEOUT_S / 2):
                await asyncio.get_running_loop().sock_sendall(client, said)
        except (TimeoutError, ConnectionError):
            break
        sent += len(said)
    return sent


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110  what it waits for tells nobody
            await asyncio.sleep(0.02)


def gone(client: socket.socket) -> bool:
    """Whether the server has dropped it; found out without reading."""
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED


ASKED = {
    "the schema": get("/v1/schema"),
    "the page": get("/"),
    "its script": get("/web/client.js"),
    "metrics": get("/metrics"),
    "models": get("/v1/models"),
    "what the mock was asked": get("/mock/requests"),
    "nothing that there is": get("/nothing"),
    "a method that is none": get("/v1/chat/completions"),
    "a preflight": get("/v1/stream").replace(b"GET", b"OPTIONS"),
    "no JSON": post("/v1/stream", b"{"),
    "a document": post("/v1/stream", BODY),
    "a stream": post("/v1/stream", BODY.replace(b"false", b"true")),
}


@pytest.mark.parametrize("what", ASKED)
async def test_a_client_that_takes_nothing_is_dropped_whatever_it_asked_for(what: str) -> None:
    async with running(MOCKED) as run, connected(run) as client:
        took = await flood(client, ASKED[what] * 20)
        assert took < _MOST_BYTES
        await until(lambda: gone(client))


async def test_a_client_that_closes_its_side_too_and_takes_nothing_is_dropped() -> None:
    async with running(MOCKED) as run, connected(run) as client:
        await flood(client, get("/v1/schema"))
        client.shutdown(socket.SHUT_WR)
        manager = run.process._runners[0].server._manager
        await until(lambda: not manager.connections)


async def test_what_is_pipelined_behind_an_answer_that_is_not_taken_is_not_answered() -> None:
    slow = {**MOCKED, "streams": {"write_timeout_s": 30}}
    async with running(slow) as run, connected(run) as client:
        manager = run.process._runners[0].server._manager
        await flood(client, get("/v1/schema") * 50)
        answered = manager.requests_count
        await flood(client, get("/v1/schema") * 50)
        assert answered == manager.requests_count


async def test_a_client_that_takes_a_little_at_a_time_is_waited_for() -> None:
    """For longer than the timeout, as it is never so long with nothing."""
    patient = {**MOCKED, "streams": {"write_timeout_s": 1}}
    async with running(patient) as run, connected(run) as client:
        await flood(client, get("/v1/schema") * 50)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while loop.time() - begun < 2.5:
            assert await loop.sock_recv(client, 4096)
            await asyncio.sleep(0.01)
        assert not gone(client)


async def test_a_document_that_is_not_taken_holds_its_place_until_its_client_is_dropped() -> None:
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 60_000 + b'"}}]}\n\n'

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.write(CHUNKED)
            for _ in range(200):
                peer.send(piece)
                await peer.writer.drain()
            peer.send(STOP)
            peer.write(LAST_CHUNK)

    key = {"name": "k", "sha256": hashlib.sha256(b"secret").hexdigest(), "max_streams": 1}
    async with raw_upstream(script) as url:
        config = {
            **one("openai_chat", url),
            "auth": {"keys": [key]},
            "streams": {"write_timeout_s": 2},
        }
        async with running(config) as run, connected(run) as client:
            mine = b"Host: 127.0.0.1\r\nAuthorization: Bearer secret"
            said = post("/v1/stream", BODY).replace(b"Host: 127.0.0.1", mine)
            await asyncio.get_running_loop().sock_sendall(client, said)
            counted = run.process._ledger.open
            await until(lambda: counted["key:k"] == 1)
            await asyncio.sleep(1)  # the document has long been made
            assert 1 == counted["key:k"]
            await until(lambda: gone(client))
            await until(lambda: counted["key:k"] == 0)


async def test_an_old_client_learns_the_end_of_a_stream_by_the_close() -> None:
    """HTTP/1.0 knows no chunks, also where it asks to keep the connection."""
    said = post("/v1/stream", json.dumps({"model": "m", "prompt": "x"}).encode())
    said = said.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n")
    async with running(MOCKED) as run:
        reader, writer = await asyncio.open_connection(*place(run.url))
        writer.write(said)
        async with asyncio.timeout(WAIT_S):
            data = await reader.read()
        writer.transport.abort()
    assert b"stream.end" in data
