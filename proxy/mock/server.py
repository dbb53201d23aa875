"""The mock over HTTP: one server that plays any number of mocks, each under its own prefix, and
keeps the account.

    mock = MockServer({"demo": MockSpec("anthropic", "hello")})
    address = await mock.start("127.0.0.1")        # http://127.0.0.1:<port>
    mock.base_url("demo")     # http://127.0.0.1:<port>/demo: for an upstream of that dialect
    await mock.stop()

Any path below a prefix is answered in that mock's dialect, so the vendor's own path may be
appended, with or without /v1. Stand-alone (`every_dialect`), each dialect is also served on its own
paths at the root and below /<dialect>.
"""

import asyncio
import functools
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
from aiohttp import web

from proxy.codec.base import Incoming, Reply
from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused, bad_request
from proxy.events import StreamStart
from proxy.mock.account import MAX_ENTRIES, Account, Entry, bounded
from proxy.mock.asides import REQUESTS_PATH, allow_pages, count, models, preflight
from proxy.mock.check import check
from proxy.mock.compose import (
    DEFAULT_SCENARIO,
    FAULT,
    OVERRIDES,
    SCENARIO,
    MockSpec,
    compose,
    refusal,
    wish_for,
)
from proxy.mock.manual import index_text, recordings_text
from proxy.mock.player import play
from proxy.mock.replay import steps_for
from proxy.mock.routes import choose, counted, root_routes, variables
from proxy.mock.script import MockError, Steps, from_reply, nearest
from proxy.recording.shelf import Shelf
from proxy.relay.apart import apart

_MAX_BODY_BYTES = 32 << 20  # a vendor's own limit for a prompt with images
_BACKLOG = 1024
_STOP_S = 0.5
_FINISH_POLL_S = 0.05


class MockServer:
    """See the module. Raises MockError when a mock's dialect, scenario or fault does not exist.

    `scripts` is the folder from which a request's own header may choose a script or recording;
    without it, none. `account` is one to go on with. `root` names a mock, of recordings, that is
    asked on every path. `scenario` is what the mocks of `every_dialect` play.
    """

    def __init__(
        self,
        mocks: Mapping[str, MockSpec],
        *,
        every_dialect: bool = False,
        scripts: Path | None = None,
        account: Account | None = None,
        root: str | None = None,
        scenario: str = DEFAULT_SCENARIO,
    ) -> None:
        self.account = account or Account()
        self._scripts = scripts
        self.mocks = {
            **({name: MockSpec(name, scenario) for name in CLIENTS} if every_dialect else {}),
            **mocks,
        }
        self._shelves = {name: Shelf(spec.shelf) for name, spec in mocks.items() if spec.shelf}
        self._root = root
        self._roots = root_routes() if every_dialect else {}
        self.address = ""  # once started
        self._playing: set[asyncio.Task[object]] = set()
        self._runner: web.AppRunner | None = None
        for name, spec in self.mocks.items():
            check(name, spec)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; answers the base address. Port 0 lets the system choose."""
        # Without handler_cancellation a client that leaves during a pause would be noticed only at
        # the next write.
        self._runner = web.AppRunner(
            self._app(), handler_cancellation=True, access_log=None, shutdown_timeout=_STOP_S
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, backlog=_BACKLOG).start()
        bound = self._runner.addresses[0][1]
        self.address = f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
        return self.address

    async def finish(self) -> None:
        """Stop listening, and stop when all that is played has been played to its end."""
        if self._runner is None:
            return
        try:
            for listening in list(self._runner.sites):
                await listening.stop()
            while self._playing:  # noqa: ASYNC110  rare: once a reload
                await asyncio.sleep(_FINISH_POLL_S)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Stop listening and cut every answer that is still played."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for task in self._playing.copy():
            task.cancel()
        await runner.cleanup()

    def base_url(self, name: str) -> str:
        """Where a mock is to be called: a base_url for an upstream of its dialect."""
        assert self.address, "start the server first"
        return f"{self.address}/{quote(name, safe='')}"

    async def requests_handler(self, request: web.Request) -> web.StreamResponse:
        """`GET /mock/requests?limit=` lists what was asked, newest first; `DELETE` forgets it."""
        if request.method == "DELETE":
            self.account.clear()
            return web.Response(status=204)
        limit = request.query.get("limit", str(MAX_ENTRIES))
        if not (limit.isascii() and limit.isdecimal() and len(limit) < 10):
            return web.json_response(
                {"error": f"limit must be a number from 0 to {MAX_ENTRIES}, not {limit!r}"},
                status=400,
            )
        body = await apart(
            self.account.kept_bytes, lambda: json.dumps(self.account.newest(int(limit)))
        )
        return web.json_response(text=body)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.on_response_prepare.append(allow_pages)
        app.router.add_get("/", self._index)
        app.router.add_get(REQUESTS_PATH, self.requests_handler)
        app.router.add_delete(REQUESTS_PATH, self.requests_handler)
        app.router.add_route("OPTIONS", "/{tail:.*}", preflight)
        for (method, path), dialects in self._roots.items():
            app.router.add_route(method, path, functools.partial(self._at_root, dialects))
        for path in ("/{mock}", "/{mock}/{tail:.*}"):
            handler = self._below_prefix if self._root is None else self._anywhere
            app.router.add_get(path, handler)
            app.router.add_post(path, handler)
        return app

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        if self._root is not None:
            return web.Response(text=recordings_text(self.mocks[self._root].shelf))
        routes = [f"{method} {path}" for method, path in self._roots]
        return web.Response(text=index_text(self.address, list(self.mocks), routes))

    async def _at_root(self, dialects: Sequence[str], request: web.Request) -> web.StreamResponse:
        body = await request.read()
        incoming = Incoming(
            request.method, request.match_info, request.query, request.headers, body
        )
        name = await apart(len(body), lambda: choose(dialects, incoming))
        return await self._answer(request, body, name, request.match_info)

    async def _anywhere(self, request: web.Request) -> web.StreamResponse:
        assert self._root is not None
        return await self._answer(request, await request.read(), self._root, {})

    async def _below_prefix(self, request: web.Request) -> web.StreamResponse:
        name, tail = request.match_info["mock"], request.match_info.get("tail", "")
        spec = self.mocks.get(name)
        if spec is None:
            known = ", ".join(f"/{known}" for known in self.mocks)
            return web.json_response(
                {
                    "error": (
                        f"nothing is mocked at /{name}{nearest(name, self.mocks)}; mocks: {known}"
                    )
                },
                status=404,
            )
        if name in self._shelves:
            return await self._answer(request, await request.read(), name, {})
        if request.method == "GET" and tail.rpartition("/")[2] == "models":
            return models(spec)
        body, client = await request.read(), CLIENTS[spec.dialect]
        if request.method == "POST" and (path := counted(client, tail)) is not None:
            return self._count(request, body, name, path)
        return await self._answer(request, body, name, variables(client, tail))

    def _count(
        self, request: web.Request, body: bytes, name: str, path: Mapping[str, str]
    ) -> web.Response:
        headers = {key.lower(): value for key, value in request.headers.items()}
        incoming = Incoming(request.method, path, request.query, headers, body)
        entry = self._entered(request, body, name, headers)
        reply = count(CLIENTS[self.mocks[name].dialect], incoming)
        entry.status, entry.ended = reply.status, "complete"
        return web.Response(
            status=reply.status,
            body=reply.body,
            headers={**reply.headers, "Content-Type": reply.content_type},
        )

    async def _answer(
        self, request: web.Request, body: bytes, name: str, path: Mapping[str, str]
    ) -> web.StreamResponse:
        spec = self.mocks[name]
        headers = {key.lower(): value for key, value in request.headers.items()}
        overrides = {
            key: value
            for key in OVERRIDES
            if (value := headers.get(key, request.query.get(key))) is not None
        }
        query = {key: value for key, value in request.query.items() if key not in OVERRIDES}
        entry = self._entered(request, body, name, headers)
        entry.query = query
        entry.scenario = overrides.get(SCENARIO, spec.scenario)
        entry.fault = overrides.get(FAULT, spec.fault)
        incoming = Incoming(request.method, path, query, headers, body)
        steps = await apart(
            len(body),
            lambda: (
                self._replayed(request, name, overrides, body)
                if name in self._shelves
                else self._steps(spec, overrides, incoming, entry)
            ),
        )
        task = asyncio.current_task()
        assert task is not None
        self._playing.add(task)
        try:
            return await play(request, steps, entry)
        finally:
            self._playing.discard(task)

    def _entered(
        self, request: web.Request, body: bytes, name: str, headers: Mapping[str, str]
    ) -> Entry:
        """The request in the account."""
        entry = Entry(
            id=self.account.next_id(),
            time=round(time.time(), 3),
            dialect=self.mocks[name].dialect,
            upstream=name,
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=headers,
            raw_body=bounded(body),
        )
        self.account.add(entry)
        return entry

    def _replayed(
        self, request: web.Request, name: str, overrides: Mapping[str, str], body: bytes
    ) -> Steps:
        """What is to be played of a mock's recordings."""
        try:
            return steps_for(
                self._shelves[name],
                self.mocks[name],
                overrides,
                method=request.method,
                path=request.rel_url.raw_path,
                body=body,
            )
        except MockError as error:
            return from_reply(Reply(400, msgspec.json.encode({"error": {"message": str(error)}})))

    def _steps(
        self, spec: MockSpec, overrides: Mapping[str, str], incoming: Incoming, entry: Entry
    ) -> Steps:
        """What is to be played; a request that cannot be read, or wishes for what there is not, is
        refused in the vendor's shape.
        """
        client = CLIENTS[spec.dialect]
        try:
            wish = wish_for(spec, overrides, self._scripts)
            parsed = client.parse_request(incoming)
            model = parsed.request.model
            return compose(
                client,
                parsed,
                wish,
                StreamStart(entry.id, model, entry.upstream, model, int(entry.time)),
            )
        except Refused as refused:
            return refusal(client, refused.failure)
        except MockError as error:
            return refusal(client, bad_request(str(error)).failure)
