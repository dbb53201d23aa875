"""The mocks that are upstreams of the proxy itself: played by a server of their own in this
process, over a real HTTP hop.

A reload that changes them starts another server. The one before goes on as long as a request can
still come to it, which is as long as somebody holds the plan that leads there, and then until what
it plays has ended.
"""

import asyncio
import contextlib
import weakref
from collections import Counter
from typing import TYPE_CHECKING

from proxy.mock.played import played, server_of
from proxy.relay.plan import Plan, make_plan
from proxy.settings.model import Settings

if TYPE_CHECKING:
    from proxy.mock.compose import MockSpec
    from proxy.mock.server import MockServer


class EmbeddedMocks:
    """The mock servers of one process. Make it inside a running event loop; `stop` it at the
    end.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._servers: list[MockServer] = []  # the newest last
        self._leading: Counter[MockServer] = Counter()  # plans that lead there
        self._finishing: dict[asyncio.Task[None], MockServer] = {}
        self._stopped = False

    @property
    def newest(self) -> "MockServer | None":
        """The server of the newest plan that has mocks."""
        return self._servers[-1] if self._servers else None

    async def plan(self, settings: Settings) -> Plan:
        """The plan, with its mocks started. Raises MockError, or OSError when they cannot
        listen.
        """
        mocks = await asyncio.to_thread(played, settings)
        if not mocks:
            return make_plan(settings, {})
        server = await self._server(mocks)
        self._leading[server] += 1
        try:
            plan = make_plan(settings, {name: server.base_url(name) for name in mocks})
        except BaseException:
            self._let_go(server)
            raise
        # A plan is a tuple, which nothing can watch; its router lives as long.
        weakref.finalize(plan.router, self._plan_gone, server).atexit = False
        return plan

    async def stop(self) -> None:
        """Stop all of them and cut what they play."""
        self._stopped = True
        servers = [*self._servers, *self._finishing.values()]
        for task in list(self._finishing):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for server in servers:  # a task that is cancelled before it has begun stops nothing
            await server.stop()

    async def _server(self, mocks: "dict[str, MockSpec]") -> "MockServer":
        """The newest, if it plays just these, else a new one, which carries the account on."""
        account = self.newest.account if self.newest is not None else None
        # raises MockError, also where the one that runs will do
        made = await asyncio.to_thread(server_of, mocks, account)
        if self.newest is not None and self.newest.mocks == made.mocks:
            return self.newest
        await made.start("127.0.0.1", 0)
        self._servers.append(made)
        return made

    def _plan_gone(self, server: "MockServer") -> None:
        """Called by whoever lets go of the plan, maybe in another thread."""
        if not self._stopped:
            self._loop.call_soon_threadsafe(self._let_go, server)

    def _let_go(self, server: "MockServer") -> None:
        self._leading[server] -= 1
        if self._leading[server] or self._stopped:
            return
        del self._leading[server]
        self._servers.remove(server)
        task = self._loop.create_task(server.finish())
        self._finishing[task] = server
        task.add_done_callback(self._finishing.pop)
