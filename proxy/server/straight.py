"""The way of a request to its handler, for those whose path and method say at once whose they are.
aiohttp's own way takes several times as long; all other requests go it.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.web_urldispatcher import PlainResource, UrlMappingMatchInfo

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def straight(app: web.Application, otherwise: Handler) -> Handler:
    """What an app that is set up does with a request; `otherwise` does the same with any. The app
    has no middlewares.
    """
    places = _places(app)

    def handle(request: web.Request) -> Awaitable[web.StreamResponse]:
        # the path as it was sent: with a query, or written in another way, it is none of them
        found = places.get((request.method, request.raw_path))
        if found is None or "Expect" in request.headers:
            return otherwise(request)
        request._match_info = found  # noqa: SLF001  as the app itself does
        return found.handler(request)

    return handle  # type: ignore[return-value]  # an app's requests are no others


def _places(app: web.Application) -> dict[tuple[str, str], UrlMappingMatchInfo]:
    """What is found for the paths without variables, by method and path. It is the same for each
    request, and nothing writes to it.
    """
    places: dict[tuple[str, str], UrlMappingMatchInfo] = {}
    taken = set()  # by a route for all methods
    for route in app.router.routes():
        resource = route.resource
        if isinstance(resource, PlainResource) and resource.canonical not in taken:
            if route.method == "*":
                taken.add(resource.canonical)
                continue
            found = UrlMappingMatchInfo({}, route)
            found.add_app(app)
            found.freeze()
            places.setdefault((route.method, resource.canonical), found)
    return places
