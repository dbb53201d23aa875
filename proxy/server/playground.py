"""The playground's own part of the server: what the page is told that it can choose from, and who
may look at a stream through the microscope.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from aiohttp import web

from proxy import __version__
from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused, failure
from proxy.relay.microscope import Pieces
from proxy.routing import WILDCARD
from proxy.server.access.keys import credential
from proxy.server.access.origins import same_origin
from proxy.server.gateway import Gateway

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MICROSCOPE = "x-mainstem-microscope"
ABOUT = "/playground/about"


class Mocks(NamedTuple):
    """What a mock can be asked to play, as it can be asked for: what each scenario and each fault
    does, by language (`en`, `zh`).
    """

    scenarios: Mapping[str, Mapping[str, str]] = {}
    faults: Mapping[str, Mapping[str, str]] = {}


def looked_at(gateway: Gateway, headers: Mapping[str, str]) -> Pieces | None:
    """Where to note the pieces of a request's stream, if its client asks to see them; `headers`
    have lower-case names. Raises Refused where nobody may, or for a page of another origin.
    """
    if headers.get(MICROSCOPE) is None:
        return None
    if not gateway.playground:
        said = "The playground is off here (server.playground), and with it the microscope."
        raise Refused(failure("forbidden", said))
    origin = headers.get("origin")
    if origin is not None and not same_origin(origin, headers.get("host", "")):
        raise Refused(
            failure("forbidden", "Only the playground's own page may use the microscope.")
        )
    return Pieces()


def _asked(half: ClientHalf) -> dict[str, Any]:
    label, body, path, chinese = half.example
    said = {"en": label, "zh": chinese or label}
    return {
        "name": half.name,
        "label": said,
        "path": path or half.routes[0].path,
        "body": body,
        "omits": sorted(half.omits),
    }


def about(gateway: Gateway, mocks: Callable[[], Mocks]) -> Handler:
    """Tells the page what there is, and how a client of each dialect asks (see `Example`); `mocks`
    is called only where there are some. Who has no good key learns of the installation only that
    one is wanted.
    """
    dialects = [_asked(half) for half in CLIENTS.values()]

    async def tell(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        state = gateway.state
        told: dict[str, Any] = {"version": __version__, "key_wanted": False}
        told |= {"dialects": dialects, "models": []}
        if state.cors.refusal(headers.get("origin"), headers.get("host", "")) is not None:
            return web.json_response(told, status=403)
        allowed: tuple[str, ...] = (WILDCARD,)
        if state.keyring is not None:
            try:
                allowed = (await state.keyring.admit(credential(headers, {}))).models
            except Refused as refused:
                said = None if credential(headers, {}) is None else refused.failure.message
                return web.json_response({**told, "key_wanted": True, "refused": said})
        plan = state.plan
        names = [name for name in plan.router.names if WILDCARD in allowed or name in allowed]
        targets = {name: plan.router.route(name).targets for name in names}
        told["models"] = [
            {
                "name": name,
                "upstreams": [target.upstream for target in targets[name]],
                "played": all(plan.upstreams[target.upstream].played for target in targets[name]),
            }
            for name in names
        ]
        told["resume"] = plan.streams.resume is not None
        if plan.plays:
            told |= mocks()._asdict()
        return web.json_response(told)

    return tell
