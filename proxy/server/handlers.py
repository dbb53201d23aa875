"""The handlers of the paths where a generation is asked for."""

import time
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from proxy.codec.halves import ClientHalf
from proxy.observe.record import StreamRecord
from proxy.server.gateway import Gateway
from proxy.server.incoming import request_id
from proxy.server.lasting import Lasting
from proxy.server.runs import Runs
from proxy.server.serving import Serving

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def handler(gateway: Gateway, runs: Runs, halves: Sequence[ClientHalf]) -> Handler:
    """The handler of one path. Where dialects share a path, the one that claims the request gets
    it, else the first.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), halves[0].name, time.monotonic())
        return await Serving(gateway, runs, request, record, halves).run()

    return handle


def starter(
    gateway: Gateway, runs: Runs, half: ClientHalf, started: Callable[[Lasting], web.Response]
) -> Handler:
    """The handler of a path where a stream is started, for clients that come for it later."""

    async def handle(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), half.name, time.monotonic())
        return await Serving(gateway, runs, request, record, (half,), started=started).run()

    return handle
