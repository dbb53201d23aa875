"""What an operator's machines ask: is it alive, does it take requests, what do its metrics say."""

from aiohttp import web

from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused, failure
from proxy.observe.metrics import Metrics
from proxy.server.access.keys import credential
from proxy.server.gateway import Gateway
from proxy.server.respond import whole, with_retry_after


def add_routes(
    app: web.Application, gateway: Gateway, metrics: Metrics, *, guarded: bool = False
) -> None:
    """/livez, /readyz and /metrics, on the admin port or, where there is none, on the clients':
    there /metrics is `guarded`.
    """

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if gateway.closing:
            return web.Response(status=503, text="draining\n")
        return web.Response(text="ok\n")

    async def exposition(request: web.Request) -> web.Response:
        refused = await refusal(gateway, request) if guarded else None
        if refused is not None:
            return refused
        content_type, body = metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", exposition)


async def refusal(gateway: Gateway, request: web.Request) -> web.Response | None:
    """The answer to one who may not see what is the operator's: where keys are configured, whoever
    sends none that is an admin's; else a page from elsewhere, where none may call.
    """
    keyring, headers = (
        gateway.state.keyring,
        {name.lower(): value for name, value in request.headers.items()},
    )
    if keyring is None:
        said = gateway.state.cors.refusal(headers.get("origin"), headers.get("host", ""))
        return (
            None
            if said is None
            else whole(CLIENTS["native"].render_error(failure("forbidden", said)))
        )
    try:
        await keyring.admit_admin(credential(headers, request.query))
    except Refused as refused:
        return whole(
            with_retry_after(CLIENTS["native"].render_error(refused.failure), refused.failure)
        )
    return None
