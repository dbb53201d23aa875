"""The paths: every client dialect's, the models, the schema, the page; and what every answer
carries.
"""

import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources

import msgspec
from aiohttp import web

from proxy import __version__
from proxy.codec.base import ClientHalf, Reply
from proxy.dialects.native.schema import json_schema
from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused, failure
from proxy.routing import WILDCARD
from proxy.server.access.keys import credential
from proxy.server.body import expect
from proxy.server.cors import exposing
from proxy.server.gateway import Gateway
from proxy.server.incoming import odd_coding, request_id
from proxy.server.respond import RETURNED, whole, with_retry_after
from proxy.server.serving import REQUEST_ID, handler

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NATIVE = CLIENTS["native"]
_PATTERN = re.compile(r"\{(\w+):[^{}]*\}")  # a path's variable with what it must look like
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# What other origins' pages may not read, whatever cors says: it is for the operator.
_UNSHARED = frozenset({"/metrics", "/livez", "/readyz", "/mock/requests"})
# The page loads nothing from elsewhere and runs nothing inline.
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_routes(app: web.Application, gateway: Gateway) -> None:
    """Every path of the clients' port. `on_response_prepare` carries CORS, as a streamed answer is
    prepared before any middleware sees it.
    """
    router = app.router
    taken: dict[str, set[str]] = defaultdict(set)
    for (method, path), halves in _by_path(list(CLIENTS.values())).items():
        router.add_route(method, path, handler(gateway, halves), expect_handler=expect)
        taken[path].add(method)
    for path, methods in taken.items():
        owner = next(
            half for half in CLIENTS.values() if any(route.path == path for route in half.routes)
        )
        router.add_route("*", path, _wrong_method(gateway, owner, sorted(methods)))
    listings = {
        path: _models(gateway, halves)
        for path, halves in _by_listing(list(CLIENTS.values())).items()
    }
    for path, answer in {**listings, "/v1/schema": _schema()}.items():
        router.add_get(path, answer)  # HEAD too
        router.add_route("*", path, _wrong_method(gateway, _NATIVE, ["GET", "HEAD"]))
    for path, page in _pages().items():
        router.add_get(path, page)  # HEAD too
    router.add_route("*", "/{anywhere:.*}", _nothing_here(gateway))
    app.on_response_prepare.append(_dress(gateway))


def _by_path(halves: Sequence[ClientHalf]) -> dict[tuple[str, str], list[ClientHalf]]:
    table: dict[tuple[str, str], list[ClientHalf]] = defaultdict(list)
    for half in halves:
        for route in half.routes:
            table[route.method, route.path].append(half)
    return table


def _by_listing(halves: Sequence[ClientHalf]) -> dict[str, list[ClientHalf]]:
    table: dict[str, list[ClientHalf]] = defaultdict(list)
    for half in halves:
        for path in filter(None, (half.listing, *half.other_listings)):
            table[path].append(half)
    return table


def _dress(gateway: Gateway) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def dress(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers["x-request-id"] = request.get(REQUEST_ID) or request_id(request)
        headers["Server"] = f"mainstem/{__version__}"
        if gateway.draining or _in_doubt(request):  # the client's next request is to go elsewhere
            response.force_close()
            headers["Connection"] = "close"
        if request.path in _UNSHARED:
            return
        origin = request.headers.get("Origin")
        shared = gateway.state.cors.answer_headers(origin, request.headers.get("Host", ""))
        if returned := response.get(RETURNED):
            shared = exposing(shared, returned)
        for name, value in shared.items():
            if name not in headers:
                headers[name] = value

    return dress


def _in_doubt(request: web.Request) -> bool:
    """Whether where this request ends, and what comes after it, may be read in another way than it
    is here, by a proxy in front or by its sender: a body of which not all has come, an odd transfer
    coding, another protocol wished for.
    """
    return (
        not request.content.is_eof()
        or odd_coding(request)
        or "Upgrade" in request.headers
        or request.method == "CONNECT"
    )


def _preflight(gateway: Gateway, request: web.Request) -> web.Response:
    headers = gateway.state.cors.preflight_headers(
        request.headers.get("Origin"),
        request.headers.get("Host", ""),
        request.headers.get("Access-Control-Request-Method"),
        request.headers.get("Access-Control-Request-Headers"),
        request.headers.get("Access-Control-Request-Private-Network"),
    )
    return web.Response(status=204, headers=headers)


def _wrong_method(gateway: Gateway, half: ClientHalf, methods: Sequence[str]) -> Handler:
    allowed = ", ".join([*methods, "OPTIONS"])

    async def wrong_method(request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            response = _preflight(gateway, request)
            response.headers["Allow"] = allowed
            return response
        why = failure(
            "bad_request",
            f"{request.path[:100]} takes {' or '.join(methods)}, not {request.method[:20]}.",
            status=405,
        )
        response = whole(half.render_error(why))
        response.headers["Allow"] = allowed
        return response

    return wrong_method


def _nothing_here(gateway: Gateway) -> Handler:
    paths = {
        _PATTERN.sub(r"{\1}", route.path) for half in CLIENTS.values() for route in half.routes
    }
    known = ", ".join(sorted(paths))

    async def nothing_here(request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return _preflight(gateway, request)
        said = f"There is nothing at {request.path[:100]!r}. Clients call one of: {known}."
        return whole(_NATIVE.render_error(failure("bad_request", said, status=404)))

    return nothing_here


def _models(gateway: Gateway, halves: Sequence[ClientHalf]) -> Handler:
    created = int(time.time())

    async def models(request: web.Request) -> web.StreamResponse:
        """The configured models that the caller may ask for, in the list form of its own
        dialect.
        """
        state, headers = (
            gateway.state,
            {name.lower(): value for name, value in request.headers.items()},
        )
        half = next((half for half in halves if half.lists(headers)), halves[0])
        said = state.cors.refusal(headers.get("origin"), headers.get("host", ""))
        if said is not None:
            return whole(half.render_error(failure("forbidden", said)))
        names = state.plan.router.names
        if state.keyring is not None:
            try:
                key = await state.keyring.admit(credential(headers, request.query))
            except Refused as refused:
                return whole(with_retry_after(half.render_error(refused.failure), refused.failure))
            names = [name for name in names if WILDCARD in key.models or name in key.models]
        return whole(Reply(200, half.models(names, created)))

    return models


def _schema() -> Handler:
    body = msgspec.json.encode(json_schema())

    async def schema(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/schema+json")

    return schema


def _pages() -> dict[str, Handler]:
    """The page and its files, read once."""
    pages: dict[str, Handler] = {}
    for entry in resources.files("proxy").joinpath("web").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in _TYPES:
            page = _page(entry.read_bytes(), _TYPES[suffix])
            pages[f"/web/{entry.name}"] = page
            if entry.name == "index.html":
                pages["/"] = page
    return pages


def _page(body: bytes, content_type: str) -> Handler:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={**_PAGE_HEADERS, "Content-Type": content_type})

    return page
