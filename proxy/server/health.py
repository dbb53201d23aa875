"""What an operator's machines ask: is it alive, does it take requests, what do its metrics say."""

from aiohttp import web

from proxy.observe.metrics import Metrics
from proxy.server.gateway import Gateway


def add_routes(app: web.Application, gateway: Gateway, metrics: Metrics) -> None:
    """/livez, /readyz and /metrics, on the admin port or, where there is none, on the clients'."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if gateway.draining:
            return web.Response(status=503, text="draining\n")
        return web.Response(text="ok\n")

    async def exposition(_: web.Request) -> web.Response:
        content_type, body = metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})

    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", exposition)
