"""What is sent on a connection, no faster than whoever is there takes it."""

import asyncio
from typing import cast

from proxy.net.keepalive import watch

# How long an upstream's machine may give no sign of life: long for any network, and mostly shorter
# than idle_s, which is for its model.
_LOST_S = 30


class Writing(asyncio.Protocol):
    """One connection's. `sending` is a task that sends the rest of a request."""

    __slots__ = ("_loop", "_writable", "sending", "transport")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport: asyncio.Transport | None = None
        self.sending: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None  # while too much is unsent

    def is_connected(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    async def send(self, data: bytes) -> None:
        """More of the request, when the upstream takes it."""
        if self.transport is not None:
            self.transport.write(data)
        if self._writable is not None:
            await self._writable

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are of no class of its
        watch(transport, _LOST_S)

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)
