"""Requests of this proxy to itself, over a pair of sockets: what comes in another transport goes
the way of every other request, with the same checks, limits and records.
"""

import asyncio
import socket

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace

from proxy.server.connection import Connection


class Inward(aiohttp.BaseConnector):
    """A connector whose every connection is one more of those that `connection` is. aiohttp names
    `_create_connection` in no document; tests/server/test_websocket.py fails when that moves.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(limit=0, force_close=True)
        self._connection = connection

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp gives it; a pair needs none
    ) -> ResponseHandler:
        del req, traces, timeout
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        await loop.connect_accepted_socket(self._connection.sibling, theirs)
        _, protocol = await loop.create_connection(self._factory, sock=ours)
        return protocol
