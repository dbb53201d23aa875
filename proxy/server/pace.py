"""Writes with a moment between them, for clients that take each network read for one whole
message.
"""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from proxy.relay.sink import Sink


class PacedSink:
    """A sink in front of another one: between two writes at least `gap_s` seconds pass, and what
    comes meanwhile goes out together.

    `joined` makes one write of several, as the dialect sees fit: where each frame holds the whole
    answer so far, the newest will do.
    """

    def __init__(
        self, sink: Sink, joined: Callable[[Sequence[bytes]], bytes], gap_s: float
    ) -> None:
        self._sink = sink
        self._joined = joined
        self._gap_s = gap_s
        self._loop = asyncio.get_running_loop()
        self._next = monotonic() + gap_s
        self._waiting = b""
        self._timer: asyncio.TimerHandle | None = None

    def write(self, data: bytes) -> None:
        self._waiting = self._joined([self._waiting, data]) if self._waiting else data
        if self._timer is None:
            wait = self._next - monotonic()
            if wait > 0:
                self._timer = self._loop.call_later(wait, self._flush)
            else:
                self._flush()

    def unsent(self) -> int:
        return len(self._waiting) + self._sink.unsent()

    async def drained(self) -> None:
        """Until the client has taken what was written. Raises ConnectionError when it has left."""
        await self.flushed()
        await self._sink.drained()

    async def flushed(self) -> None:
        """Until nothing waits."""
        while self._timer is not None:  # noqa: ASYNC110  once a stream, at its end
            await asyncio.sleep(max(0.0, self._next - monotonic()))

    def _flush(self) -> None:
        waiting, self._waiting, self._timer = self._waiting, b"", None
        self._next = monotonic() + self._gap_s
        self._sink.write(waiting)
