"""One process of the proxy: puts the parts together, listens, reloads, drains and stops."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
from collections.abc import Callable, Sequence

import structlog
from aiohttp import web

from proxy.dialects.registry import CLIENTS
from proxy.errors import failure
from proxy.mock.embedded import EmbeddedMocks
from proxy.net.authorities import load_waiting
from proxy.observe import logs
from proxy.observe.lag import watch_lag
from proxy.observe.metrics import Metrics, make_metrics
from proxy.relay.dear import DearProcess
from proxy.relay.plan import Plan
from proxy.reload import Load, Reloader, Renew
from proxy.server import health, operating, site
from proxy.server.access.keys import Keyring, Ledger
from proxy.server.body import REQUEST_BODY_S
from proxy.server.cors import cors_policy
from proxy.server.gateway import Gateway, State
from proxy.server.listen import listen, prepared, renew, tls_context
from proxy.server.listener import Listener
from proxy.server.playground import Mocks
from proxy.server.respond import whole
from proxy.server.runs import Runs
from proxy.server.siblings import Siblings
from proxy.server.stopping import Stopping
from proxy.server.stores.base import Nowhere, Store
from proxy.settings.access import has_playground
from proxy.settings.auth import Auth
from proxy.settings.files import Files
from proxy.settings.model import Settings
from proxy.settings.sections import Server
from proxy.upstream.client import Upstreams


class Process:
    """A running proxy. `load` reads the configuration again, for a reload; `files` are those that
    `settings` came from, which are watched. One of several processes is given the `sockets` that
    they share, the clients' and the admin's, and tells by `renew` that settings have changed which
    only a new process takes up. `local_key`: who sends it is the operator.
    """

    def __init__(
        self,
        settings: Settings,
        load: Load | None = None,
        files: Files | None = None,
        *,
        sockets: Sequence[socket.socket] = (),
        renew: Renew | None = None,
        local_key: str | None = None,
    ) -> None:
        self._begun_with = settings
        self._load = load or (lambda _: settings)
        self._files = files or Files()
        self._sockets = sockets
        self._renew = renew
        self._local_key = local_key
        self._log = structlog.get_logger("mainstem")
        self._runners: list[Listener] = []
        self._tls: ssl.SSLContext | None = None
        self._lag: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._retiring: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._ledger = Ledger()
        self._store: Store = Nowhere()
        self.mocks = EmbeddedMocks()
        self.urls: list[str] = []
        self.admin_url: str | None = None

    async def start(self) -> None:
        """Listen. Afterwards `urls` says where. Raises ListenError, or MockError for a mock that
        cannot be played.
        """
        settings = self._begun_with
        self.metrics: Metrics = make_metrics()
        self._upstreams = Upstreams()
        state = await self._state(settings)
        server = settings.server
        self.gateway = Gateway(
            state, self._upstreams, self.metrics, playground=has_playground(server)
        )
        self.gateway.dear = DearProcess()
        if settings.tracing is not None:
            from proxy.observe.spans import Spans  # noqa: PLC0415  an extra, mainstem[otel]

            self.gateway.spans = Spans(settings.tracing)
        if state.keyring is not None:
            await state.keyring.start()
        # Two MiB above the limit, so that our own refusal in the client's dialect comes first.
        app = web.Application(client_max_size=settings.limits.max_body_bytes + (2 << 20))
        app[REQUEST_BODY_S] = settings.server.request_body_s
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR") if self._sockets else None
        self._siblings = Siblings(folder)
        await self._siblings.listen(operating.answering_siblings(self.gateway))
        if settings.admin is None:
            health.add_routes(app, self.gateway, self.metrics, guarded=True)
            operating.add_routes(app, self.gateway, self._siblings, self._local_key)
        app.router.add_route("*", "/mock/requests", self._mock_requests)
        self._store = self._store_of(settings)
        await self._store.start()
        runs = Runs(self.gateway, self.metrics, self._store)
        stopping = Stopping(self.gateway, self._siblings)
        site.add_routes(app, self.gateway, runs, _mocks, stopping, get_streams=server.get_streams)
        if server.tls is not None:
            self._tls = tls_context(server.tls)
        self.urls = [await self._listen(app, server.host, server.port, "server", self._tls)]
        if settings.admin is not None:
            admin = web.Application()
            health.add_routes(admin, self.gateway, self.metrics)
            operating.add_routes(admin, self.gateway, self._siblings, self._local_key)
            self.admin_url = await self._listen(
                admin, settings.admin.host, settings.admin.port, "admin"
            )
        self.reloader = Reloader(
            settings, self._files, self._load, self._adopt, self.metrics, renew=self._renew
        )
        self._reloading = asyncio.create_task(self.reloader.run())
        self._lag = asyncio.create_task(watch_lag(self.metrics))
        if state.plan.table is not None:  # so that the first request need not wait for it
            self.gateway.see_to(state.plan.table.load())
        self._know_authorities(settings)

    async def plan(self) -> Plan:
        """The plan alone, with its mocks started: for a command that needs no listener."""
        return (await self._state(self._begun_with)).plan

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM, SIGINT or `end`, then drain and stop. SIGHUP reloads. `ready` is
        called once signals are heeded.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        loop.add_signal_handler(signal.SIGHUP, self.reloader.ask)
        # held back for a worker until now
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        ready()
        await self._stopping.wait()
        for number in (signal.SIGTERM, signal.SIGINT):  # a second one ends it at once
            loop.remove_signal_handler(number)
        if self._retiring is None:
            await self._announce(self.reloader.settings.server)
        await self.stop()

    async def _announce(self, server: Server) -> None:
        """The end is near: whoever balances has a moment to see it."""
        self._log.info(
            "draining; a second signal ends it at once",
            streams=self.gateway.open_requests,
            announce_s=server.announce_s,
            drain_s=server.drain_s,
        )
        self.gateway.close()
        await asyncio.sleep(server.announce_s)

    def end(self) -> None:
        """Let `run` drain and return."""
        self._stopping.set()

    def retire(self) -> None:
        """Let `run` take no more connections, see those out that are open, however long their
        streams last, and return. Another process has the port.
        """
        if self._retiring is None:
            self._log.info("replaced: its streams end here", streams=self.gateway.open_requests)
            self._retiring = asyncio.create_task(self._see_out())

    async def _see_out(self) -> None:
        await _ended(self._reloading)
        for runner in self._runners:
            await runner.deafen()
        await self.gateway.see_out(lambda: self._runners[0].connections)
        self.end()

    async def stop(self) -> None:
        """Stop accepting, drain, close everything. Safe after a failed start."""
        await _ended(self._reloading)
        await _ended(self._retiring)
        for runner in self._runners[:1]:
            await runner.close_soon()
        if hasattr(self, "gateway"):
            settings = self.reloader.settings if hasattr(self, "reloader") else self._begun_with
            await self.gateway.drain(
                settings.server.drain_s, lambda: any(runner.busy() for runner in self._runners[:1])
            )
        await self._store.close()
        await _ended(self._lag)
        for runner in self._runners:
            await runner.cleanup()
        if hasattr(self, "_siblings"):
            await self._siblings.close()
        if hasattr(self, "_upstreams"):
            await self._upstreams.close()
        if hasattr(self, "gateway") and self.gateway.spans is not None:
            await asyncio.to_thread(self.gateway.spans.close)
        if hasattr(self, "gateway") and self.gateway.dear is not None:
            await self.gateway.dear.close()
        await self._ledger.close()
        await self.mocks.stop()

    async def _listen(
        self,
        app: web.Application,
        host: str,
        port: int,
        section: str,
        tls: ssl.SSLContext | None = None,
    ) -> str:
        runner = await prepared(app, self._begun_with)
        taken = next(iter(self._sockets[len(self._runners) :]), None)
        self._runners.append(runner)
        handshake_s = self._begun_with.server.request_head_s
        return await listen(
            runner, host, port, section, taken=taken, tls=tls, handshake_s=handshake_s
        )

    async def _adopt(self, settings: Settings) -> None:
        """Put these settings in place of those in use; what runs keeps what it began with. Raises
        MockError.
        """
        state = await self._state(settings)
        if state.keyring is not None:
            await state.keyring.start()
        if self._tls is not None and settings.server.tls is not None:
            renew(self._tls, settings.server.tls)
        self.gateway.adopt(state)
        self._know_authorities(settings)
        for runner in self._runners:
            runner.change(settings.limits, settings.streams)
        if settings.logs != self.reloader.settings.logs:
            logs.configure(settings.logs.format, settings.logs.level)

    async def _state(self, settings: Settings) -> State:
        plan = await self.mocks.plan(settings)
        cors = cors_policy(settings)
        keyring = (
            Keyring(settings.auth, settings.limits.store, self._ledger)
            if isinstance(settings.auth, Auth)
            else None
        )
        return State(plan, cors, keyring)

    def _know_authorities(self, settings: Settings) -> None:
        """Beside what else is done, so that no request need wait for them."""
        urls = [upstream.base_url or "" for upstream in settings.upstreams.values()]
        if any(url.lower().startswith("https:") for url in urls):
            self.gateway.see_to(asyncio.to_thread(load_waiting))

    def _store_of(self, settings: Settings) -> Store:
        """Where streams are kept. It does not change by a reload."""
        resume = settings.streams.resume
        if resume is None or resume.store == "memory":
            return Nowhere()
        from proxy.server.stores.shared import Shared  # noqa: PLC0415  only where it is configured

        return Shared(
            resume.store, lambda: self.gateway.state.plan.streams.resume or resume, self.metrics
        )

    async def _mock_requests(self, request: web.Request) -> web.StreamResponse:
        """What the mocks were asked. It holds prompts, so it is the operator's."""
        refusal = await health.refusal(self.gateway, request)
        if refusal is not None:
            return refusal
        if self.mocks.newest is None:
            said = "There is nothing at '/mock/requests': no upstream is a mock."
            return whole(CLIENTS["native"].render_error(failure("bad_request", said, status=404)))
        return await self.mocks.newest.requests_handler(request)


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _mocks() -> Mocks:
    from proxy.mock.manual import choices  # noqa: PLC0415  not where nothing is played

    return Mocks(*choices())
