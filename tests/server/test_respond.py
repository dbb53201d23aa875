"""What a client that reads slowly makes of us."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_writer import StreamWriter

from proxy.server.respond import ResponseSink


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
