"""One process of the proxy: puts the parts together, listens, reloads, drains and stops."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import time
from collections.abc import Callable

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused
from proxy.mock.compose import MockSpec
from proxy.mock.script import MockError
from proxy.mock.server import MockServer
from proxy.observe import logs
from proxy.observe.metrics import Metrics, make_metrics
from proxy.relay.plan import Plan, make_plan
from proxy.server import health, site
from proxy.server.auth import Keyring, credential
from proxy.server.cors import CorsPolicy
from proxy.server.gateway import Gateway, State
from proxy.server.respond import whole
from proxy.settings.mistakes import ConfigError
from proxy.settings.model import Auth, Settings
from proxy.upstream import Upstreams

_LAG_PERIOD_S = 0.5
_KEEP_ALIVE_S = 75.0
_MAX_LINE_BYTES = 65_536  # of a request line: an EventSource has its prompt there, nine bytes a Chinese character; aiohttp takes 8190
Load = Callable[[], Settings]
_HTTP_LOG = logging.getLogger("mainstem.http")  # what aiohttp's server has to say
_REMEDIES = {
    errno.EADDRINUSE: "stop what uses the port, or choose another",
    errno.EACCES: "a port below 1024 takes privileges: choose another",
    errno.EADDRNOTAVAIL: "this machine has no such address: choose another host",
}


def _is_ours(record: logging.LogRecord) -> bool:
    """A request that is no HTTP is its sender's affair: it got its 400, and anybody could fill the log with its traces."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_HTTP_LOG.addFilter(_is_ours)


class ListenError(Exception):
    """A port that cannot be had, as one sentence. `where` says what sets host and port, for example "server.host, server.port"."""

    def __init__(self, host: str, port: int, error: OSError, where: str) -> None:
        named = isinstance(error, socket.gaierror) or not error.errno
        why = (error.strerror or str(error)) if named else os.strerror(error.errno or 0)
        remedy = _REMEDIES.get(error.errno or 0, "choose another host or port")
        super().__init__(f"Cannot listen on {_bracketed(host)}:{port} ({where}): {why}; {remedy}.")


class Process:
    """A running proxy. `load` reads the configuration again, for a reload; `reuse_port` lets several processes share the ports."""

    def __init__(self, settings: Settings, load: Load | None = None, *, reuse_port: bool = False) -> None:
        self._settings = settings
        self._load = load or (lambda: settings)
        self._reuse_port = reuse_port
        self._log = structlog.get_logger("mainstem")
        self._runners: list[web.AppRunner] = []
        self._mocks: list[MockServer] = []
        self._played: dict[str, MockSpec] = {}
        self._lag: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.urls: list[str] = []
        self.admin_url: str | None = None

    async def start(self) -> None:
        """Listen. Afterwards `urls` says where. Raises ListenError, or MockError for a mock that cannot be played."""
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
        self.urls = [await self._listen(app, settings.server.host, settings.server.port, "server")]
        if settings.admin is not None:
            admin = web.Application()
            health.add_routes(admin, self.gateway, self.metrics)
            self.admin_url = await self._listen(admin, settings.admin.host, settings.admin.port, "admin")
        self._lag = asyncio.create_task(self._watch_lag())

    async def plan(self) -> Plan:
        """The plan alone, with its mocks started: for a command that needs no listener."""
        return (await self._state(self._settings)).plan

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM, SIGINT or `end`, then drain and stop. SIGHUP reloads. `ready` is called once signals are heeded."""
        loop = asyncio.get_running_loop()
        reloads: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = asyncio.create_task(self.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        loop.add_signal_handler(signal.SIGHUP, reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # held back for a worker until now
        ready()
        await self._stopping.wait()
        for number in (signal.SIGTERM, signal.SIGINT):  # a second one ends it at once
            loop.remove_signal_handler(number)
        drain_s = self._settings.server.drain_s
        self._log.info("draining; a second signal ends it at once", streams=self.gateway.open_requests, drain_s=drain_s)
        await self.stop()

    def end(self) -> None:
        """Let `run` drain and return."""
        self._stopping.set()

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
        if settings.logs != self._settings.logs:
            logs.configure(settings.logs.format, settings.logs.level)
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

    async def _listen(self, app: web.Application, host: str, port: int, section: str) -> str:
        # handler_cancellation: without it a handler learns only at its next write that its client has left.
        runner = web.AppRunner(
            app,
            handler_cancellation=True,
            access_log=None,
            logger=_HTTP_LOG,
            keepalive_timeout=_KEEP_ALIVE_S,
            shutdown_timeout=2.0,
            max_line_size=_MAX_LINE_BYTES,
        )
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, host, port, reuse_port=self._reuse_port or None, backlog=1024).start()
        except OSError as error:
            raise ListenError(host, port, error, f"{section}.host, {section}.port") from error
        bound: int = runner.addresses[0][1]
        return f"http://{authority(host)}:{bound}"

    async def _state(self, settings: Settings) -> State:
        mocks = played(settings)
        urls: dict[str, str] = {}
        if mocks:
            mock = MockServer(mocks)  # raises MockError for what cannot be played, also where the one that runs will do
            if mocks != self._played:
                await mock.start("127.0.0.1", 0)
                self._mocks.append(mock)  # the one before plays on for the streams that it began
                self._played = mocks
            urls = {name: self._mocks[-1].base_url(name) for name in mocks}
        cors = CorsPolicy(settings.cors.allow_origins, settings.cors.allow_credentials, settings.cors.max_age_s)
        keyring = Keyring(settings.auth.keys) if isinstance(settings.auth, Auth) else None
        return State(make_plan(settings, urls), cors, keyring)

    async def _mock_requests(self, request: web.Request) -> web.StreamResponse:
        """What the mocks were asked. It holds prompts, so it is for those who may ask."""
        keyring = self.gateway.state.keyring
        if keyring is not None:
            try:
                await keyring.admit(credential({name.lower(): value for name, value in request.headers.items()}, request.query))
            except Refused as refused:
                return whole(CLIENTS["native"].render_error(refused.failure))
        return await self._mocks[-1].requests_handler(request)

    async def _watch_lag(self) -> None:
        while True:
            due = time.monotonic() + _LAG_PERIOD_S
            await asyncio.sleep(_LAG_PERIOD_S)
            self.metrics.lag(max(0.0, time.monotonic() - due))


def played(settings: Settings) -> dict[str, MockSpec]:
    """The upstreams that are mocks, as the mock server takes them."""
    return {
        name: MockSpec(upstream.dialect, upstream.mock.scenario, upstream.mock.tokens_per_s, upstream.mock.fault)
        for name, upstream in settings.upstreams.items()
        if upstream.mock is not None
    }


def authority(host: str) -> str:
    """The host as a URL has it; for a listener on every address, one that can be called from here."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  said, not bound
        return "127.0.0.1"
    return _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
