"""The mock server as a program of its own."""

import asyncio
import signal
import sys
from collections.abc import Callable

from proxy.mock.server import MockServer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def run(mock: MockServer, host: str, port: int, greet: Callable[[str], str]) -> None:
    """Play until interrupted or terminated. `greet` gives what is printed first, from the
    address.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    try:
        address = await mock.start(host, port)
        sys.stdout.write(greet(address))
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await mock.stop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
