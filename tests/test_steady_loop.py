"""The clock of the tests' event loop counts what the test does, and not what other processes do."""

import asyncio
import time

from tests.steady_loop import SteadyLoop

STALL_S = 0.3


async def test_time_without_a_core_makes_no_timer_come_before_the_bytes() -> None:
    """The answer takes several turns of the loop, and the timer is shorter than the standstill."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        writer.close()

    loop = asyncio.get_running_loop()
    assert isinstance(loop, SteadyLoop)
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        loop.call_soon(time.sleep, STALL_S)
        async with asyncio.timeout(STALL_S / 2):
            writer.write(b"x")
            assert b"x" == await reader.readexactly(1)
        writer.close()


async def test_waiting_and_work_take_their_time() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(0.05)
    waited = loop.time()
    working = time.thread_time()
    while time.thread_time() - working < 0.05:
        pass
    assert waited - began >= 0.05
    assert loop.time() - waited >= 0.05
