"""The short way to a handler leads where aiohttp's own does."""

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from proxy.server.straight import straight


async def answered(method: str, path: str, **headers: str) -> tuple[str | None, bool]:
    """The name of the handler that answered, and whether aiohttp was asked for it."""
    app, asked = web.Application(), []

    def add(method: str, path: str) -> None:
        async def handler(request: web.Request) -> web.Response:
            assert app is request.app
            return web.Response(text=f"{method} {path} {dict(request.match_info)}")

        app.router.add_route(method, path, handler)

    async def otherwise(request: web.BaseRequest) -> web.Response:
        asked.append(request)
        return web.Response(text="otherwise")

    for place in (
        ("POST", "/a"),
        ("*", "/a"),
        ("GET", "/b"),
        ("GET", "/{some}"),
        ("*", "/c"),
        ("GET", "/d"),
        ("GET", "/c"),  # beside the first one, as another stands between them
    ):
        add(*place)
    app.freeze()
    request = make_mocked_request(method, path, headers=headers)
    response = await straight(app, otherwise)(request)
    assert isinstance(response, web.Response)
    return response.text, bool(asked)


async def test_a_path_that_is_as_it_was_added_goes_straight() -> None:
    assert ("POST /a {}", False) == await answered("POST", "/a")
    assert ("GET /b {}", False) == await answered("GET", "/b")


async def test_all_others_go_the_way_of_aiohttp() -> None:
    """A query, a path that is written in another way, a variable, another method, a client that
    waits before it sends its body."""
    for method, path in (
        ("POST", "/a?x=1"),
        ("POST", "/%61"),
        ("GET", "/a"),
        ("GET", "/other"),
        ("GET", "/c"),  # what takes all methods was there first
        ("POST", "/b"),
    ):
        assert ("otherwise", True) == await answered(method, path), (method, path)
    assert ("otherwise", True) == await answered("POST", "/a", Expect="100-continue")
