"""The paths: every client dialect's, the models, the schema, the page."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

import msgspec
from aiohttp import web

from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS
from proxy.server import counting, listings, passage, responses, streams, websocket
from proxy.server.body import expect
from proxy.server.carried import dress
from proxy.server.gateway import Gateway
from proxy.server.handlers import handler
from proxy.server.nowhere import nothing_here, wrong_method
from proxy.server.playground import ABOUT, Mocks, about
from proxy.server.runs import Runs
from proxy.server.stopping import Stopping
from proxy.settings.pass_paths import METHODS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NATIVE = CLIENTS["native"]
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# The page loads nothing from elsewhere, runs nothing inline, and no text of a vendor can become
# markup or a script's address: its browser refuses that (Trusted Types, W3C).
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types mainstem"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Place(NamedTuple):
    """A path, whose it is, and who answers there."""

    method: str
    path: str
    halves: Sequence[ClientHalf]
    handler: Handler


def add_routes(
    app: web.Application,
    gateway: Gateway,
    runs: Runs,
    mocks: Callable[[], Mocks],
    stopping: Stopping,
    *,
    get_streams: bool = True,
) -> None:
    """Every path of the clients' port; GETs that run a prompt where `get_streams` says so. `mocks`:
    what the playground can ask of them.
    """
    router = app.router
    clients = list(CLIENTS.values())
    asked = [
        Place(method, path, halves, handler(gateway, runs, halves))
        for (method, path), halves in _by_path(clients).items()
        if get_streams or method != "GET"
    ]
    for half in clients:
        if half.counting is not None:
            answer = counting.handler(gateway, half, half.counting)
            asked += [Place(*route, [half], answer) for route in half.counting.routes]
    asked += [
        Place(route.method, route.path, [_NATIVE], answer)
        for route, answer in streams.served(gateway, runs, stopping)
    ]
    asked += [
        Place(route.method, route.path, [CLIENTS["openai_responses"]], answer)
        for route, answer in responses.served(gateway, runs)
    ]
    # after those, as the name of a model may look like the end of one of their paths
    told = [
        Place(entry.method, entry.path, entry.halves, listings.handler(gateway, entry))
        for entry in listings.entries(clients)
    ]
    told.append(Place("GET", "/v1/schema", [_NATIVE], _schema()))
    whose = {place.path: place.halves for place in (*asked, *told)}
    other = wrong_method(gateway, CLIENTS["openai_responses"], ["POST"])
    opened = websocket.handler(gateway, other)
    router.add_get(websocket.PATH, opened, allow_head=False, expect_handler=expect)
    _add(gateway, router, asked, whose, head=False)
    _add(gateway, router, told, whose, head=True)
    pass_on = passage.handler(gateway)
    for method in METHODS:
        router.add_route(method, passage.PATH, pass_on, expect_handler=expect)
    router.add_route("*", passage.PATH, wrong_method(gateway, _NATIVE, METHODS))
    for path, page in _pages(playground=gateway.playground).items():
        router.add_get(path, page)  # HEAD too
    if gateway.playground:
        router.add_get(ABOUT, about(gateway, mocks))
    router.add_route("*", "/{anywhere:(?s:.*)}", nothing_here(gateway, whose))
    app.on_response_prepare.append(dress(gateway))


def _add(
    gateway: Gateway,
    router: web.UrlDispatcher,
    places: Sequence[Place],
    whose: Mapping[str, Sequence[ClientHalf]],
    *,
    head: bool,
) -> None:
    """`head`: what answers GET answers HEAD too; it must cost nothing."""
    taken: dict[str, list[str]] = defaultdict(list)
    for place in places:
        methods = ["GET", "HEAD"] if head and place.method == "GET" else [place.method]
        for method in methods:
            router.add_route(method, place.path, place.handler, expect_handler=expect)
        taken[place.path] += methods
    for path, methods in taken.items():
        router.add_route("*", path, wrong_method(gateway, whose[path][0], sorted(methods)))


def _by_path(halves: Sequence[ClientHalf]) -> dict[tuple[str, str], list[ClientHalf]]:
    table: dict[tuple[str, str], list[ClientHalf]] = defaultdict(list)
    for half in halves:
        for route in half.routes:
            table[route.method, route.path].append(half)
    return table


def _schema() -> Handler:
    """The schema's file on one line. To make it anew takes ten times as long."""
    file = resources.files("proxy").joinpath("web", "schema.json")
    body = msgspec.json.format(file.read_bytes(), indent=-1)

    async def schema(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/schema+json")

    return schema


def _pages(*, playground: bool) -> dict[str, Handler]:
    """What is served as it is, read once: the browser client and, with it or without, the
    playground.
    """
    pages = dict(_files(resources.files("proxy").joinpath("web"), "/web"))
    own = _page(b"Mainstem is running.\n", "text/plain; charset=utf-8")
    index = pages.pop("/web/playground/index.html")
    if not playground:
        kept = {path: page for path, page in pages.items() if "/playground/" not in path}
        return {**kept, "/": own}
    return {**pages, "/": index}


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, Handler]]:
    for entry in folder.iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if entry.is_dir():
            yield from _files(entry, f"{path}/{entry.name}")
        elif suffix in _TYPES:
            yield f"{path}/{entry.name}", _page(entry.read_bytes(), _TYPES[suffix])


def _page(body: bytes, content_type: str) -> Handler:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={**_PAGE_HEADERS, "Content-Type": content_type})

    return page
