"""What a client that reads slowly makes of us."""

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_writer import StreamWriter

from proxy.server.respond import _NOTSENT_LOWAT, ResponseSink


async def test_a_wait_for_a_slow_client_can_be_begun_again_after_its_time() -> None:
    """aiohttp's own future for it is shared: cancelled once, it would end every later wait."""
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.transport = cast("Any", SimpleNamespace(is_closing=lambda: False))
    protocol.pause_writing()
    sink = object.__new__(ResponseSink)
    sink._request = cast("Any", SimpleNamespace(writer=StreamWriter(protocol, loop)))
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await sink.drained()
    protocol.resume_writing()
    await sink.drained()


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
            request = SimpleNamespace(transport=transport, version=(1, 1))
            if bounded:
                ResponseSink(cast("Any", request), 65_536)
            for _ in range(256):
                transport.write(b"x" * 65_536)
            await asyncio.sleep(0.05)
            # # a write transport
            taken.append(256 * 65_536 - transport.get_write_buffer_size())  # type: ignore[attr-defined]
            transport.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(0)
    assert taken[1] < taken[0] / 2, taken
