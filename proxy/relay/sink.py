"""Where a client's bytes go."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Sink(Protocol):
    """`write` must not block and must not raise; `unsent` counts bytes that the peer has not taken;
    `drained` waits until it has taken most of them, and raises ConnectionError when it has left, or
    was dropped because it took nothing for too long.
    """

    def write(self, data: bytes) -> None: ...
    def unsent(self) -> int: ...
    async def drained(self) -> None: ...


async def emptied(sink: Sink, most_bytes: int, drained: Callable[[], Awaitable[None]]) -> None:
    """Wait, after the last write, until the client has taken so much that whoever ends the body
    need not wait. `drained` waits for a slow client.
    """
    while sink.unsent() > most_bytes:
        await drained()
        await asyncio.sleep(0)  # let the loop write what it holds
    if sink.unsent():
        await drained()
