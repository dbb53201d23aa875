"""The half of a client's connection that goes to it: what is written is the client's to take, and
one that takes nothing is dropped (`proxy/server/unsent.py`).
"""

import asyncio
from typing import Any, NamedTuple

from aiohttp import web

from proxy.net.keepalive import probe
from proxy.server.rounds import Rounds
from proxy.server.unsent import Unsent, hold_little


class Bounds(NamedTuple):
    """What a connection is held to, and the rest of what aiohttp wants to know of it."""

    max_head_bytes: int
    request_head_s: float
    max_body_bytes: int
    write_timeout_s: float
    write_buffer_bytes: int
    options: dict[str, Any]


class Sent(web.StreamResponse):
    """An answer that has been sent when its handler gives it to aiohttp, which has nothing left to
    do for it but to ask `keep_alive`. So nothing is made of what the base keeps for a response.
    """

    def __init__(self, *, lasts: bool) -> None:
        """`lasts`: the connection may have another request."""
        self._lasts = lasts

    @property
    def status(self) -> int:
        """What is refused is sent by aiohttp."""
        return 200

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may have another request."""
        return self._lasts


class Taking(web.RequestHandler):
    """A connection of which it is seen whether its client takes what is written."""

    __slots__ = ("_bounds", "_unsent", "_watched_s")

    def __init__(self, manager: web.Server, rounds: Rounds, bounds: Bounds, **more: Any) -> None:
        """`more` is what aiohttp wants to know beside the options of the bounds."""
        super().__init__(manager, loop=rounds.loop, **more, **bounds.options)
        self._bounds = bounds
        self._watched_s: float | None = None
        self._unsent = Unsent(rounds, bounds.write_timeout_s)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        hold_little(transport, self._bounds.write_buffer_bytes)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._unsent.stop()  # last: aiohttp has just called force_close

    def watch(self, lost_s: float) -> None:
        """From now on there is something to lose: see `proxy.net.keepalive`."""
        if self._watched_s != lost_s:  # once a connection, not once a request
            self._watched_s = lost_s
            probe(self.transport, lost_s)
            self._unsent.most_s = lost_s
            self._unsent.watch(self.transport)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent.watch(self.transport)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unsent.moved()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """What is left of an answer is its client's to take, before and after the connection is
        closed.
        """
        finished = (resp, False)
        if not isinstance(resp, Sent):
            finished = await super().finish_response(request, resp, start_time)
        self._unsent.watch(self.transport)
        return finished

    def force_close(self) -> None:
        """A transport that is closed waits for its client to take what is written."""
        self._unsent.watch(self.transport)
        super().force_close()
