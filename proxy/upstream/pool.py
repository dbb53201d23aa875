"""Connections to upstreams, for one request after the other.

aiohttp's connector finds and makes them. Between two requests they are kept here: its own pool
would make an object for each request, and count what is in use, of which we have no limit.
"""

import asyncio
from typing import cast

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection

from proxy.net.addresses import Reach
from proxy.upstream.connector import Connector, Origin
from proxy.upstream.protocol import Protocol

# How long one waits for the next request, as with aiohttp's pool. A server may close it meanwhile,
# and a request that goes up just then is lost.
_KEPT_S = 15


class Pooled:
    """One connection. Whoever has it gives it back by one of `release` and `close`."""

    __slots__ = ("_connection", "_pool", "idle_since", "key", "protocol")

    def __init__(self, connection: Connection, key: ConnectionKey, pool: "Pool") -> None:
        self._connection = connection
        self._pool = pool
        self.key = key
        self.protocol = cast("Protocol", connection.protocol)  # see `Connector`
        self.idle_since = 0.0

    def release(self) -> None:
        """For another request, if it can take one."""
        if self.protocol.should_close:
            self._connection.close()
        else:
            self._pool.keep(self)

    def close(self) -> None:
        self._connection.close()


class Pool:
    """The connections of one reach: what these may be connected to, others may not."""

    __slots__ = ("_connector", "_idle", "_loop", "_timer")

    def __init__(self, reach: Reach) -> None:
        self._connector = Connector(reach)
        self._loop = asyncio.get_running_loop()
        self._idle: dict[ConnectionKey, list[Pooled]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def kept(self, origin: Origin) -> Pooled | None:
        """One that is there, the one that was used last."""
        idle = self._idle.get(origin.connection_key)
        while idle:
            one = idle.pop()
            if one.protocol.is_connected() and self._loop.time() - one.idle_since <= _KEPT_S:
                return one
            one.close()
        return None

    async def made(self, origin: Origin, connect_s: float) -> Pooled:
        """A new one. Raises what aiohttp's connector raises, TimeoutError after `connect_s`."""
        times = aiohttp.ClientTimeout(total=None, connect=connect_s)
        connection = await self._connector.connect(origin, [], times)  # type: ignore[arg-type]  # all it asks
        return Pooled(connection, origin.connection_key, self)

    def keep(self, one: Pooled) -> None:
        """Until it is asked for, or too old."""
        one.idle_since = self._loop.time()
        self._idle.setdefault(one.key, []).append(one)
        if self._timer is None:
            self._timer = self._loop.call_later(_KEPT_S, self._close_old)

    async def close(self) -> None:
        """Every connection, in use or not."""
        if self._timer is not None:
            self._timer.cancel()
        for idle in self._idle.values():
            for one in idle:
                one.close()
        self._idle.clear()
        await self._connector.close()

    def _close_old(self) -> None:
        self._timer = None
        young_since = self._loop.time() - _KEPT_S
        before, self._idle = self._idle, {}
        for key, idle in before.items():
            for one in idle:
                if one.idle_since <= young_since or not one.protocol.is_connected():
                    one.close()
                else:
                    self._idle.setdefault(key, []).append(one)
        if self._idle:
            self._timer = self._loop.call_later(_KEPT_S, self._close_old)
