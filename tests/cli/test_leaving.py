"""A client that leaves, whenever it does, ends its upstream at once and leaves nothing behind."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.tools import ASK, HELLO, ROLE, Stage, clients, metric, stage, until, until_metric
from tests.e2e.proxy_process import running_proxy
from tests.raw_upstream import CHUNKED, Peer

pytestmark = pytest.mark.asyncio(loop_scope="module")
TRIES = 5
SOON_S = 10  # on a busy machine; the first heartbeat, which could not be written, comes after 15
CROWD = 300
FILLER = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 4096)


class Scene:
    """The proxy, and the upstream behind it."""

    def __init__(self, proxy: running_proxy, upstream: Stage) -> None:
        self.url = proxy.url
        self.pid = proxy.process.pid
        self.upstream = upstream

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene() -> AsyncIterator[Scene]:
    async with stage() as upstream:
        models = {"*": [{"upstream": "far"}]}
        proxy = running_proxy(
            {
                "upstreams": {"far": {"dialect": "openai_chat", "base_url": upstream.url}},
                "models": models,
            }
        )
        async with proxy:
            yield Scene(proxy, upstream)


async def head_never_comes(peer: Peer) -> None:
    await peer.request()


async def content_never_comes(peer: Peer) -> None:
    await peer.request()
    peer.write(CHUNKED)
    peer.send(ROLE)


async def begins(peer: Peer) -> None:
    await peer.request()
    peer.write(CHUNKED)
    peer.send(HELLO)


async def floods(peer: Peer) -> None:
    """Sends until nobody takes any more."""
    await begins(peer)
    try:
        while True:
            for _ in range(16):
                peer.send(FILLER)
            await asyncio.wait_for(peer.writer.drain(), 0.2)
    except TimeoutError:
        return


async def left_and_noticed(
    scene: Scene, script: Callable[[Peer], Awaitable[None]], *, reads: bool
) -> None:
    """Returns once the client has left and the upstream has lost its connection."""
    loop = asyncio.get_running_loop()
    ready, gone = asyncio.Event(), asyncio.Event()

    async def play(peer: Peer) -> None:
        await script(peer)
        ready.set()
        await peer.left()
        gone.set()

    scene.upstream.script = play
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    host, _, port = scene.url.removeprefix("http://").rpartition(":")
    await loop.sock_connect(narrow, (host, int(port)))
    async with clients(scene.url) as connect, asyncio.timeout(SOON_S):
        client = await connect(sock=narrow, limit=4096)
        client.post(ASK)
        if reads:
            await client.reader.readuntil(b"Hello")
        await ready.wait()
        await asyncio.sleep(0.02)  # for the proxy to have read what was sent
        client.leave()
        await gone.wait()


@pytest.mark.parametrize(
    ("script", "reads"),
    [(head_never_comes, False), (content_never_comes, False), (begins, True), (floods, False)],
)
async def test_the_upstream_is_closed_at_once_when_the_client_leaves(
    scene: Scene, script: Callable[[Peer], Awaitable[None]], reads: bool
) -> None:
    """Neither the upstream nor any limit of time would end it so soon."""
    for _ in range(TRIES):
        await left_and_noticed(scene, script, reads=reads)


async def test_a_client_that_closes_its_half_of_the_connection_has_left(scene: Scene) -> None:
    """Its FIN is the only sign that a client has gone: what waited for another one would leave
    upstreams running."""
    left = asyncio.Event()

    async def play(peer: Peer) -> None:
        await begins(peer)
        await peer.left()
        left.set()

    scene.upstream.script = play
    async with clients(scene.url) as connect, asyncio.timeout(10):
        client = await connect()
        client.post(ASK)
        await client.reader.readuntil(b"Hello")
        client.writer.write_eof()
        await left.wait()
        rest = await client.reader.read()
        assert b"stream.end" not in rest
        assert not rest.endswith(b"0\r\n\r\n")


async def test_a_crowd_that_leaves_at_once_leaves_nothing_behind(scene: Scene) -> None:
    """Half of them mid-stream, half before the upstream has said anything."""
    closed = 0

    async def play(peer: Peer) -> None:
        nonlocal closed
        await peer.request()
        if b"talk" in peer.body:
            peer.write(CHUNKED)
            peer.send(HELLO)
        await peer.left()
        closed += 1

    scene.upstream.script = play
    base, ended, asked = (
        scene.open_files(),
        await metric(scene.url, "mainstem_streams_total"),
        await metric(scene.url, "mainstem_requests_total"),
    )
    async with clients(scene.url) as connect:
        crowd = await asyncio.gather(*(connect() for _ in range(CROWD)))
        for number, client in enumerate(crowd):
            client.post({"model": "m", "prompt": "talk" if number % 2 else "be silent"})
        await asyncio.gather(*(client.reader.readuntil(b"Hello") for client in crowd[1::2]))
        await until_metric(scene.url, "mainstem_streams_open", CROWD / 2)

    async def all_counted() -> bool:
        return CROWD == await metric(scene.url, "mainstem_requests_total") - asked

    async def all_closed() -> bool:
        return CROWD == closed

    await until(all_counted)
    await until_metric(scene.url, "mainstem_streams_total", ended + CROWD)
    await until(all_closed)
    await until_metric(scene.url, "mainstem_streams_open", 0)

    async def none_left() -> bool:
        return scene.open_files() <= base + 2  # the connections that asked for the metrics

    await until(none_left)
