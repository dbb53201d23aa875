"""A client that reads slowly slows its own upstream alone, and is waited for; one that reads
nothing is cut."""

import asyncio
import json
import socket
from typing import Any

import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running
from tests.server.test_failures import ASK, STOP


def asking(path: str, body: dict[str, Any]) -> bytes:
    """A request in bytes, for a client that decides itself when it reads."""
    data = json.dumps(body).encode()
    return (
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (
            path.encode(),
            len(data),
            data,
        )
    )


def address_of(run: Running) -> tuple[str, int]:
    host, port = run.url.removeprefix("http://").split(":")
    return host, int(port)


async def test_a_slow_client_slows_only_its_own_upstream() -> None:
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 30_000 + b'"}}]}\n\n'
    sent: dict[str, int] = {}

    async def script(peer: Peer) -> None:
        await peer.request()
        name = json.loads(peer.body)["model"]
        sent[name] = 0
        peer.write(CHUNKED)
        for _ in range(2000):
            peer.send(piece)
            await peer.writer.drain()
            sent[name] += 1
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        slow = await run.session.post(
            f"{run.url}/v1/stream", json={"model": "slow", "prompt": "x"}, read_bufsize=1024
        )
        await asyncio.sleep(0.5)
        stuck = sent["slow"]
        assert stuck < 2000
        async with run.session.post(
            f"{run.url}/v1/stream", json={"model": "fast", "prompt": "x"}
        ) as fast:
            assert len(await fast.read()) > 2000 * 30_000
        assert 2000 == sent["fast"]
        assert sent["slow"] <= stuck + 1
        assert len(await slow.read()) > 2000 * 30_000


async def test_a_client_that_takes_nothing_is_cut() -> None:
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 60_000 + b'"}}]}\n\n'
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        try:
            while True:
                peer.send(piece)
                await peer.writer.drain()
        finally:
            gone.set()

    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), "streams": {"write_timeout_s": 0.3}}) as run,
    ):
        with socket.create_connection(address_of(run)) as client:
            client.sendall(asking("/v1/stream", ASK))
            async with asyncio.timeout(10):
                await gone.wait()
        await asyncio.sleep(0.05)
        assert 1.0 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="*",outcome="client_gone",upstream="far"}'
        )


async def test_a_client_that_reads_slowly_gets_an_end_of_megabytes() -> None:
    """The dialect says all text four times more when it is done: while the client is waited for
    already, and for longer than the timeout."""
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 4000 + b'"}}]}\n\n'

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        for _ in range(150):
            peer.send(piece)
            await peer.writer.drain()
        peer.send(STOP)
        peer.write(LAST_CHUNK)
        await peer.writer.drain()

    config = {"streams": {"write_timeout_s": 1}, "limits": {"write_buffer_bytes": 524_288}}
    async with raw_upstream(script) as url, running({**one("openai_chat", url), **config}) as run:
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        plug.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plug, address_of(run))
        reader, writer = await asyncio.open_connection(sock=plug, limit=16_384)
        writer.write(asking("/v1/responses", {"model": "m", "input": "x", "stream": True}))
        size, tail = 0, b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            read = await reader.read(16_384)
            assert read, f"cut after {size} bytes"
            size += len(read)
            tail = (tail + read)[-2000:]
            await asyncio.sleep(0.015 * len(read) / 16_384)
        writer.close()
        assert size > 5 * 150 * 4000


@pytest.mark.parametrize("kept", [False, True])
async def test_a_client_that_reads_steadily_is_not_cut_however_little_it_reads(
    *, kept: bool
) -> None:
    """Its window is shut nearly all the time, and opens for less than a segment, for longer than
    the timeout."""
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 4000 + b'"}}]}\n\n'

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        for _ in range(100):
            peer.send(piece)
            await peer.writer.drain()
        await peer.left()

    config = {"streams": {"write_timeout_s": 1, **({"resume": {}} if kept else {})}}
    async with raw_upstream(script) as url, running({**one("openai_chat", url), **config}) as run:
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plug.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plug, address_of(run))
        reader, writer = await asyncio.open_connection(sock=plug, limit=1024)
        writer.write(asking("/v1/stream", ASK))
        async with asyncio.timeout(10):
            for _ in range(80):
                assert await reader.read(512)
                await asyncio.sleep(0.025)
        writer.transport.abort()
