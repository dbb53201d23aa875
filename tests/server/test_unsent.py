"""What a client does not take of what is written to it."""

import asyncio
import socket
from typing import Any, cast

import pytest

from proxy.server.unsent import _NOTSENT_LOWAT, Unsent, hold_little


class Transport:
    """Bytes that somebody takes, or does not."""

    def __init__(self, unsent: int) -> None:
        self.unsent = unsent
        self.watched = Unsent(asyncio.get_running_loop(), 0.05)
        self.looked = 0

    def get_write_buffer_size(self) -> int:
        self.looked += 1
        return self.unsent


async def looks(transport: Transport, count: int) -> None:
    """Until it has been looked at so many times."""
    async with asyncio.timeout(10):
        while transport.looked < count:  # noqa: ASYNC110  what it waits for tells nobody
            await asyncio.sleep(0.01)


async def test_what_is_taken_is_not_watched_any_longer() -> None:
    transport = Transport(9)
    transport.watched.watch(cast("Any", transport))
    transport.unsent = 0
    await looks(transport, 3)
    assert transport.watched._timer is None


async def test_a_client_that_takes_something_is_waited_for() -> None:
    transport = Transport(9)
    transport.watched.watch(cast("Any", transport))
    for left, count in ((8, 3), (7, 4)):
        transport.unsent = left
        await looks(transport, count)
    assert transport.watched._timer is not None
    transport.unsent = 100
    transport.watched.moved()  # it took much, and more was written
    await looks(transport, 5)
    assert transport.watched._timer is not None
    transport.watched.stop()
    assert transport.watched._timer is None


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
