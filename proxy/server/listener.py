"""Where clients connect: aiohttp's runner of an app, with connections of our own and no more of
them than there are files for.
"""

import asyncio
import logging
import resource
from typing import Any, cast

import structlog
from aiohttp import web

from proxy.errors import failure
from proxy.server.connection import Connection
from proxy.server.refusals import LINGER_S, half_close, refusal
from proxy.server.rounds import Rounds
from proxy.server.straight import straight
from proxy.server.taking import Bounds
from proxy.settings.limits import Limits
from proxy.settings.sections import Server as ServerSettings
from proxy.settings.sections import Streams

_KEEP_ALIVE_S = 75.0
_SHUTDOWN_S = 2.0
_LOG_S = 1.0  # clients that are turned away make one line in this time, however many they are
# Open files beside those of clients and their streams: the program's own, name look-ups, another
# listener.
_OTHER_FILES = 64
_LEAST = 16
# How many that are turned away may be there at once, and for how long: they take files too.
_GOING = 32
_GOING_S = 1.0
# So long idle connections are kept when the process ends. A front finds meanwhile that new ones are
# refused, and asks elsewhere: a request that met the end of its connection would be lost.
_IDLE_S = 0.25
_HTTP_LOG = logging.getLogger("mainstem.http")  # what aiohttp's server has to say


def connection_slots(max_connections: int) -> int:
    """How many connections may be open: each may come to have a stream, which has another one to
    its upstream.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return max_connections
    return min(max_connections, max(_LEAST, (files - _OTHER_FILES) // 2))


class Listener(web.AppRunner):
    """Runs an app. What its site calls for each new connection, the `server`, is the door."""

    def __init__(
        self, app: web.Application, server: ServerSettings, limits: Limits, streams: Streams
    ) -> None:
        # else a handler never learns that its client left
        super().__init__(app, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S)
        self._door: Door | None = None
        self._settings = server
        self._limits = limits
        self._streams = streams
        self._closing: asyncio.TimerHandle | None = None

    @property
    def server(self) -> Any:
        """The door, once the app is set up."""
        manager = super().server
        if manager is not None and self._door is None:
            manager.request_handler = straight(self.app, manager.request_handler)
            self._door = Door(manager, self._settings, self._limits, self._streams)
        return self._door

    @property
    def connections(self) -> int:
        """How many are open, idle ones too."""
        return 0 if self._door is None else self._door.open

    async def deafen(self) -> None:
        """Take no more connections."""
        for site in list(self.sites):
            await site.stop()

    async def close_soon(self) -> None:
        """Take no more connections, and a moment later end those that are idle."""
        await self.deafen()
        self._closing = asyncio.get_running_loop().call_later(_IDLE_S, self.close_idle)

    async def cleanup(self) -> None:
        """End all that is left."""
        if self._closing is not None:
            self._closing.cancel()
        await super().cleanup()

    def close_idle(self) -> None:
        """End the connections that wait for a request: who keeps them would find that it is refused
        here, and may make another one elsewhere.
        """
        for connection in self._connections():
            connection.close_if_idle()

    def busy(self) -> bool:
        """Whether there is a request on any connection, or on its way and at this machine."""
        return any(connection.busy for connection in self._connections())

    def _connections(self) -> "list[Connection]":
        manager = super().server
        return [] if manager is None else cast("list[Connection]", manager.connections)

    def change(self, limits: Limits, streams: Streams) -> None:
        """Hold the connections that come from now on to these."""
        if self._door is not None:
            self._door.change(limits, streams)


class Door:
    """Makes the protocol of each new connection."""

    def __init__(
        self, manager: web.Server, server: ServerSettings, limits: Limits, streams: Streams
    ) -> None:
        self._manager = manager
        self._loop = asyncio.get_running_loop()
        self._rounds = Rounds(self._loop)
        self._log = structlog.get_logger("mainstem")
        self._settings = server
        self.open = 0
        self._going = 0
        self._turned_away = 0
        self._telling: asyncio.TimerHandle | None = None
        self.change(limits, streams)

    def change(self, limits: Limits, streams: Streams) -> None:
        """For the connections that come from now on."""
        options = {
            "keepalive_timeout": _KEEP_ALIVE_S,
            "access_log": None,
            "logger": _HTTP_LOG,
            "lingering_time": LINGER_S,
            "auto_decompress": False,  # a body is made plain when it is known who sends it
        }
        self._bounds = Bounds(
            limits.max_head_bytes,
            self._settings.request_head_s,
            limits.max_body_bytes,
            streams.write_timeout_s,
            limits.write_buffer_bytes,
            options,
        )
        self._most = connection_slots(limits.max_connections)
        why = f"This proxy has {self._most} connections open, as many as it may; try again soon."
        self._full = refusal(failure("overloaded", why, retry_after_s=1))

    def __call__(self) -> asyncio.Protocol:
        if self.open >= self._most:
            return _TurnedAway(self)
        return Connection(self._manager, self, self._bounds, self._rounds)

    def came(self) -> None:
        """A connection was made."""
        self.open += 1

    def left(self) -> None:
        """A connection has ended."""
        self.open -= 1

    def turn_away(self, transport: asyncio.Transport) -> asyncio.TimerHandle | None:
        """Tell a client that there is no room. Some are given a moment, so that they read it even
        if they are sending meanwhile.
        """
        self._turned_away += 1
        if self._telling is None:
            self._tell()
        transport.write(self._full)
        if self._going >= _GOING:
            transport.close()
            return None
        self._going += 1
        half_close(transport)
        return self._loop.call_later(_GOING_S, transport.close)

    def gone(self) -> None:
        """One that was given a moment has left."""
        self._going -= 1

    def _tell(self) -> None:
        self._telling = None
        if self._turned_away:
            said = "connections turned away: limits.max_connections, or half the open files"
            self._log.warning(said, turned_away=self._turned_away, max_connections=self._most)
            self._turned_away = 0
            self._telling = self._loop.call_later(_LOG_S, self._tell)


class _TurnedAway(asyncio.Protocol):
    """A connection too many: it is told so, and closed as soon as it has said something."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timer = self._door.turn_away(self._transport)

    def data_received(self, _data: bytes) -> None:  # whatever it is
        self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:  # however it went
        if self._timer is not None:
            self._timer.cancel()
            self._door.gone()
