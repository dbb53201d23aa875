"""What a client does not take of what is written to it."""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvloop
from aiohttp import web

from proxy.net.keepalive import all_acknowledged, heard
from proxy.server.connection import Connection
from proxy.server.rounds import Rounds
from proxy.server.taking import Bounds
from proxy.server.unsent import _LOOKS, _NOTSENT_LOWAT, Unsent, drop, hold_little


class Transport(asyncio.WriteTransport):
    """Bytes that somebody takes, or does not."""

    def __init__(self, unsent: int) -> None:
        super().__init__()
        self.unsent = unsent
        self.dropped = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.dropped = True


async def looked(transport: Transport, unsents: list[int], *, moved: bool = False) -> Unsent:
    """Watched from its first state on, and looked at once in each of these."""
    watched = Unsent(Rounds(asyncio.get_running_loop()), 1000)
    watched.watch(transport)
    for unsent in unsents:
        transport.unsent = unsent
        if moved:
            watched.moved()
        watched._look()
    return watched


async def test_a_client_that_has_taken_all_is_never_dropped() -> None:
    """It is looked at until its connection ends: more may be written to it."""
    transport = Transport(9)
    watched = await looked(transport, [5, *[0] * 3 * _LOOKS])
    assert watched._looking
    assert not transport.dropped
    watched.stop()


async def test_what_is_written_late_has_all_of_its_time() -> None:
    transport = Transport(9)
    (await looked(transport, [0] * 3 + [9] * _LOOKS)).stop()
    assert not transport.dropped
    await looked(transport, [0] * 3 + [9] * (_LOOKS + 1))
    assert transport.dropped


async def test_a_client_that_takes_nothing_is_dropped_after_its_time() -> None:
    transport = Transport(9)
    (await looked(transport, [9] * (_LOOKS - 1))).stop()
    assert not transport.dropped
    await looked(transport, [9] * _LOOKS)
    assert transport.dropped


async def test_a_client_that_takes_something_is_waited_for() -> None:
    """Also where more is written than it takes."""
    for unsents, moved in (([8] * (_LOOKS - 1) + [7] * (_LOOKS - 1), False), ([100] * 30, True)):
        transport = Transport(9)
        (await looked(transport, unsents, moved=moved)).stop()
        assert not transport.dropped


def test_a_connection_of_uvloop_is_dropped_too() -> None:
    """The command runs on it; its transports are of no class of asyncio's."""

    async def dropped() -> None:
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        class Served(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                drop(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                lost.set_result(None)

        server = await asyncio.get_running_loop().create_server(Served, "127.0.0.1", 0)
        async with server, asyncio.timeout(10):
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await lost
            writer.close()

    uvloop.run(dropped())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_nothing_looks_at_a_connection_that_has_ended(run: Callable[[Any], None]) -> None:
    """Whoever ended it, and whatever was on it; the command's loop is uvloop's."""

    async def ended() -> None:
        asked = asyncio.Event()

        async def handle(_: web.BaseRequest) -> web.StreamResponse:
            asked.set()
            return web.Response()

        watching: list[Unsent] = []

        class Noted(Connection):
            def __init__(self, *args: Any) -> None:
                super().__init__(*args)
                watching.append(self._unsent)

        loop = asyncio.get_running_loop()
        rounds = Rounds(loop)
        bounds = Bounds(8192, 10, 1000, 10, 65_536, {})
        manager = web.Server(handle)
        server = await loop.create_server(
            lambda: Noted(manager, Nobody(), bounds, rounds), "127.0.0.1", 0
        )
        async with server, asyncio.timeout(10):
            for last in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"no HTTP\r\n\r\n"):
                _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(last)
                await writer.drain()
                if b"Host" in last:
                    await asked.wait()
                await asyncio.sleep(0.02)
                writer.close()
            while len(watching) < 3 or any(each._transport for each in watching):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for each in watching:
            each._look()  # one that was to come
        assert [False] * 3 == [each._looking for each in watching]

    run(ended())


class Nobody:
    """Wants to know nothing of connections."""

    def __call__(self) -> asyncio.Protocol:
        raise AssertionError

    def came(self) -> None:
        """See `Host`."""

    def left(self) -> None:
        """See `Host`."""


def test_a_closed_connection_of_uvloop_says_nothing() -> None:
    async def closed() -> None:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert heard(writer.transport) is not None
            assert all_acknowledged(writer.transport)
            writer.close()
            assert not all_acknowledged(writer.transport)
            await writer.wait_closed()
            assert heard(writer.transport) is None
            assert not all_acknowledged(writer.transport)

    uvloop.run(closed())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it at once")
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_is_seen_whether_a_peer_has_acknowledged_all(run: Callable[[Any], None]) -> None:
    """Its kernel takes some for it, and then no more."""

    async def written() -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname()) as client,
        ):
            served, _ = server.accept()
            loop = asyncio.get_running_loop()
            made, _ = await loop.connect_accepted_socket(asyncio.Protocol, served)
            transport = cast("asyncio.WriteTransport", made)
            transport.write(b"x")
            async with asyncio.timeout(10):
                while not all_acknowledged(transport):  # noqa: ASYNC110  the kernel tells nobody
                    await asyncio.sleep(0.01)
            transport.write(b"x" * 16_000_000)
            await asyncio.sleep(0.1)
            known = heard(transport)
            assert known is not None
            assert (True, False) == (known.owes, all_acknowledged(transport))
            transport.abort()
            client.close()

    run(written())


@pytest.mark.skipif(_NOTSENT_LOWAT is None, reason="this system's kernel has no such bound")
async def test_the_kernel_holds_little_for_a_client_that_does_not_read() -> None:
    """Of 16 MB it takes what fits on the way to the client, not all that its buffers could hold."""
    taken = []
    for bounded in (False, True):
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname()) as client,
        ):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            served, _ = server.accept()
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                asyncio.Protocol, served
            )
            if bounded:
                hold_little(transport, 65_536)
            for _ in range(256):
                transport.write(b"x" * 65_536)
            await asyncio.sleep(0.05)
            # # a write transport
            taken.append(256 * 65_536 - transport.get_write_buffer_size())  # type: ignore[attr-defined]
            transport.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(0)
    assert taken[1] < taken[0] / 2, taken
