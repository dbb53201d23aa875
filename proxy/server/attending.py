"""One request at a kept stream: which it reads, whether it began it, and what it is sent."""

from collections.abc import Callable

from aiohttp import web

from proxy.codec.base import Parsed
from proxy.codec.halves import ClientHalf
from proxy.relay.plan import Plan
from proxy.server.access.keys import credential
from proxy.server.account import Account
from proxy.server.gateway import Gateway
from proxy.server.incoming import asked_by, read_head
from proxy.server.lasting import Lasting
from proxy.server.repeats import Again
from proxy.server.respond import cut
from proxy.server.returning import Onward, may_return, returned
from proxy.server.run import Run
from proxy.server.runs import Runs
from proxy.server.streamed import Streamed
from proxy.server.watched import Watched, documented


class Attending:
    """`own` is the stream if the request began it. After `read`, `leave` must follow."""

    __slots__ = ("_account", "_gateway", "_plan", "_record", "_request", "_run", "_runs", "own")

    def __init__(
        self, gateway: Gateway, runs: Runs, request: web.Request, account: Account, plan: Plan
    ) -> None:
        self._gateway = gateway
        self._runs = runs
        self._request = request
        self._account = account
        self._record = account.visit.record
        self._plan = plan
        self._run: Lasting | None = None
        self.own: Run | None = None

    def read(self, run: Lasting) -> None:
        """It reads this one, or waits to."""
        self._run = run
        run.attend()
        if self.own is None:
            self._account.reading = "unasked"
            self._record.model, self._record.model_label = run.origin.model, run.origin.label
            self._record.stream = run.id

    def leave(self) -> None:
        """It does no more."""
        if self._run is not None:
            self._run.leave()

    def settle(self) -> None:
        """All that it caused is over: how it ended, for the account."""
        account = self._account
        if self.own is not None and account.refusal is None:
            account.end = self.own.log.end
            # a run that has no end was cut off with its process
            account.reading = "left" if account.end is None else "whole"
        elif self._run is not None and self.own is None:
            account.reading = "unasked"
        # which know who is called at their end
        self._run = self.own = None

    async def go_on(self, half: ClientHalf) -> web.StreamResponse:
        """To a client that comes back with the id of what it had: the rest. It must never run a
        prompt again; where there is no more to send, 204 is what makes a browser's EventSource stop
        (HTML 9.2.3).
        """
        self._account.reading = "unasked"
        self._record.status = 204
        if self._runs.rules is None or not may_return(half):
            return web.Response(status=204)
        head = read_head(self._request)
        await self._account.visit.know(credential(head.headers, head.query))
        found = await returned(self._runs, half, asked_by(head), self._account.owner)
        if found is None:
            return web.Response(status=204)
        self.read(found.run)
        return await self.given(self.watching(found))

    async def announced(
        self, run: Lasting, started: Callable[[Lasting], web.Response]
    ) -> web.StreamResponse:
        """That it has begun, to a client that comes for it later, perhaps to another process."""
        await self._runs.store.kept(run)
        response = started(run)
        run.told(self._request.transport)
        self._record.status = response.status
        return response

    async def documented(self, run: Lasting, parsed: Parsed) -> web.StreamResponse:
        """All of it, as one document."""
        self._runs.metrics.reads(1)
        try:
            return await documented(self._request, run, parsed, self._record, self._plan)
        finally:
            self._runs.metrics.reads(-1)

    def watching(
        self, onward: Onward, early: Callable[[], Streamed | None] | None = None
    ) -> Watched:
        """What is left of it, for this request."""
        return Watched(
            self._gateway,
            self._request,
            onward.run,
            onward.encoder,
            record=self._record,
            plan=self._plan,
            headers=onward.headers,
            number=onward.number,
            early=early,
        )

    async def given(self, watched: Watched) -> web.StreamResponse:
        """The same, as it comes."""
        self._runs.metrics.reads(1)
        try:
            return await watched.given()
        except Exception as error:  # a defect, and too late for a status
            if isinstance(error, ConnectionError):
                raise
            self._gateway.report(self._record)
            cut(self._request)
            return web.Response(status=500)  # goes nowhere
        finally:
            self._runs.metrics.reads(-1)


def again(request: web.Request) -> Again:
    """Whether a request says that it is a repetition: an EventSource repeats its GET by itself, the
    SDKs made by Stainless count their retries.
    """
    if request.headers.get("x-stainless-retry-count", "0") not in ("", "0"):
        return "yes"
    return "maybe" if request.method == "GET" else "no"
