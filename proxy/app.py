"""One process of the proxy: puts the parts together, listens, reloads, drains and stops."""

import asyncio
import contextlib
import signal
from collections.abc import Callable

import structlog
from aiohttp import web

from proxy.mock.compose import MockSpec
from proxy.mock.script import MockError
from proxy.mock.server import MockServer
from proxy.observe.metrics import Metrics, make_metrics
from proxy.relay.plan import Plan, make_plan
from proxy.server import health, site
from proxy.server.auth import Keyring
from proxy.server.cors import CorsPolicy
from proxy.server.gateway import Gateway, State
from proxy.settings.mistakes import ConfigError
from proxy.settings.model import Auth, Settings
from proxy.upstream import Upstreams

_LAG_PERIOD_S = 0.5
_KEEP_ALIVE_S = 75.0
Load = Callable[[], Settings]


class Process:
    """A running proxy. `load` reads the configuration, now and at every reload; `reuse_port` lets several processes share the ports."""

    def __init__(self, load: Load, *, reuse_port: bool = False) -> None:
        self._load = load
        self._reuse_port = reuse_port
        self._settings = load()
        self._log = structlog.get_logger("mainstem")
        self._runners: list[web.AppRunner] = []
        self._mocks: list[MockServer] = []
        self._lag: asyncio.Task[None] | None = None
        self.urls: list[str] = []
        self.admin_url: str | None = None

    async def start(self) -> None:
        """Listen. Afterwards `urls` says where. Raises OSError when a port cannot be had, MockError for a mock that cannot be played."""
        settings = self._settings
        self.metrics: Metrics = make_metrics()
        self._upstreams = Upstreams()
        self.gateway = Gateway(await self._state(settings), self._upstreams, self.metrics)
        # Two MiB above the limit, so that our own refusal in the client's dialect comes first.
        app = web.Application(client_max_size=settings.limits.max_body_bytes + (2 << 20))
        if settings.admin is None:
            health.add_routes(app, self.gateway, self.metrics)
        if self._mocks:
            app.router.add_route("*", "/mock/requests", self._mock_requests)
        site.add_routes(app, self.gateway)
        self.urls = [await self._listen(app, settings.server.host, settings.server.port)]
        if settings.admin is not None:
            admin = web.Application()
            health.add_routes(admin, self.gateway, self.metrics)
            self.admin_url = await self._listen(admin, settings.admin.host, settings.admin.port)
        self._lag = asyncio.create_task(self._watch_lag())

    async def plan(self) -> Plan:
        """The plan alone, with its mocks started: for a command that needs no listener."""
        return (await self._state(self._settings)).plan

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain and stop. SIGHUP reloads."""
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        reloads: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = asyncio.create_task(self.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload)
        await stop.wait()
        for number in (signal.SIGTERM, signal.SIGINT):  # a second one ends it at once
            loop.remove_signal_handler(number)
        await self.stop()

    async def reload(self) -> None:
        """Read the configuration again. A bad one changes nothing and is logged; running streams keep theirs."""
        try:
            settings = self._load()
            state = await self._state(settings)
        except (ConfigError, MockError, OSError) as error:
            problems = getattr(error, "problems", [str(error)])
            self._log.error("configuration not reloaded: nothing was changed", problems=problems)
            self.metrics.reloaded(ok=False)
            return
        fixed = [name for name in ("server", "admin") if getattr(settings, name) != getattr(self._settings, name)]
        if fixed:
            self._log.warning("these settings need a restart to take effect", settings=fixed)
        self._settings, self.gateway.state = settings, state
        self.metrics.reloaded(ok=True)
        self._log.info("configuration reloaded")

    async def stop(self) -> None:
        """Stop accepting, drain, close everything. Safe after a failed start."""
        for runner in self._runners[:1]:
            for listening in list(runner.sites):
                await listening.stop()
        if hasattr(self, "gateway"):
            self._log.info("draining", streams=self.gateway.open_requests, drain_s=self._settings.server.drain_s)
            await self.gateway.drain(self._settings.server.drain_s)
        if self._lag is not None:
            self._lag.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._lag
        for runner in self._runners:
            await runner.cleanup()
        if hasattr(self, "_upstreams"):
            await self._upstreams.close()
        for mock in self._mocks:
            await mock.stop()

    async def _listen(self, app: web.Application, host: str, port: int) -> str:
        # handler_cancellation: without it a handler learns only at its next write that its client has left.
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, keepalive_timeout=_KEEP_ALIVE_S, shutdown_timeout=2.0)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, host, port, reuse_port=self._reuse_port or None, backlog=1024).start()
        bound: int = runner.addresses[0][1]
        return f"http://{_authority(host)}:{bound}"

    async def _state(self, settings: Settings) -> State:
        mocks = played(settings)
        urls: dict[str, str] = {}
        if mocks:
            mock = MockServer(mocks)
            await mock.start("127.0.0.1", 0)
            self._mocks.append(mock)
            urls = {name: mock.base_url(name) for name in mocks}
        cors = CorsPolicy(settings.cors.allow_origins, settings.cors.allow_credentials, settings.cors.max_age_s)
        keyring = Keyring(settings.auth.keys) if isinstance(settings.auth, Auth) else None
        return State(make_plan(settings, urls), cors, keyring)

    async def _mock_requests(self, request: web.Request) -> web.StreamResponse:
        return await self._mocks[-1].requests_handler(request)

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_PERIOD_S
            await asyncio.sleep(_LAG_PERIOD_S)
            self.metrics.lag(max(0.0, loop.time() - due))


def played(settings: Settings) -> dict[str, MockSpec]:
    """The upstreams that are mocks, as the mock server takes them."""
    return {
        name: MockSpec(upstream.dialect, upstream.mock.scenario, upstream.mock.tokens_per_s, upstream.mock.fault)
        for name, upstream in settings.upstreams.items()
        if upstream.mock is not None
    }


def _authority(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  said, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
