"""Where a client's bytes go, and how long a client may take for them."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Sink(Protocol):
    """`write` must not block and must not raise; `unsent` counts bytes that the peer has not taken;
    `drained` waits until it has taken most of them, and raises ConnectionError when it has left;
    `cut` drops it.
    """

    def write(self, data: bytes) -> None: ...
    def unsent(self) -> int: ...
    async def drained(self) -> None: ...
    def cut(self) -> None: ...


async def drained_by(sink: Sink, patience_s: float, written: Callable[[], int]) -> None:
    """Wait for a slow client, as long as it takes anything within `patience_s`. Raises
    ConnectionError when it has left, or took nothing: then it is cut. `written` is how many bytes
    the sink was given so far: more may be given meanwhile, so that what is unsent may grow though
    the client takes much.
    """
    while True:
        taken = written() - sink.unsent()
        try:
            async with asyncio.timeout(patience_s):
                return await sink.drained()
        except TimeoutError:
            if written() - sink.unsent() <= taken:
                sink.cut()
                raise ConnectionResetError from None
