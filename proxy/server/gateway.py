"""One process's share of the clients: what is configured, what is open, and how it all ends."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import structlog

from proxy.errors import Failure, Refused, failure
from proxy.observe.logs import stream_line
from proxy.observe.metrics import Metrics
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.counting import Counter
from proxy.relay.dear import DearProcess
from proxy.relay.passage import Passage
from proxy.relay.plan import Plan
from proxy.relay.states import UpstreamStates
from proxy.relay.won import Envelope, Won
from proxy.routing import Routed
from proxy.server.access.keys import Keyring
from proxy.server.begun import begun
from proxy.server.body import Bodies
from proxy.server.cors import CorsPolicy
from proxy.server.stays import Described, Stays
from proxy.settings.sections import OnDisconnect
from proxy.upstream.client import Upstreams

if TYPE_CHECKING:
    from proxy.observe.spans import Spans

_LAST_FRAMES_S = 2.0  # after the drain: for the shutdown errors to leave
_CANCELLED = "The operator of this proxy cancelled the stream."
_SHUTTING_DOWN = "This proxy is shutting down; send the request again."
_CUT_SHORT = failure("shutdown", _SHUTTING_DOWN)


class State(NamedTuple):
    """What a reload replaces as a whole. `keyring` None: anyone may call."""

    plan: Plan
    cors: CorsPolicy
    keyring: Keyring | None


class Gateway:
    """One process's share of the clients. Another `state` may be adopted at any time."""

    def __init__(
        self, state: State, upstreams: Upstreams, metrics: Metrics, *, playground: bool = False
    ) -> None:
        """`playground`: whether there is one, whose page may look at its streams' pieces."""
        self.playground = playground
        self._states = UpstreamStates(metrics)
        self.adopt(state)
        self.closing = False  # who is asked answers, and says that the connection ends
        self.draining = False  # nobody new is let in
        self._upstreams = upstreams
        self._metrics = metrics
        self._log = structlog.get_logger("mainstem")
        self._stays = Stays()
        self.spans: Spans | None = None
        self.dear: DearProcess | None = None  # where dear requests are read
        self._alone: set[asyncio.Task[None]] = set()
        self.bodies = Bodies()
        self._on_drain: set[Callable[[], None]] = set()

    def adopt(self, state: State) -> None:
        """What comes from now on has this one; what runs keeps what it began with."""
        self.state = state
        self._states.heed(state.plan.upstreams.values())

    @property
    def open_requests(self) -> int:
        return len(self._stays)

    def running(self) -> list[Described]:
        """What runs now, for the operator: see `Stay.described`."""
        return [stay.described() for stay in self._stays]

    def cancel(self, stream: str) -> bool:
        """The operator ends what has this id. False: nothing has, or it is ending already."""
        for stay in self._stays:
            if stay.record.stream == stream:
                stay.record.ended_by = "operator"
                return stay.end(failure("cancelled", _CANCELLED))
        return False

    def stop(self, name: str, owner: str, dialect: str, why: Failure) -> bool:
        """A client ends what is its own: see `Stay.known_as`. False: nothing such runs."""
        found = [stay for stay in self._stays if stay.known_as(name, owner, dialect)]
        return sum(stay.end(why) for stay in found) > 0

    def close(self) -> None:
        """From now on each answer is the last one on its connection. Requests are still taken."""
        if not self.closing:
            self.closing = True
            for tell in list(self._on_drain):
                tell()

    async def see_out(self, connections: Callable[[], int]) -> None:
        """Until nothing runs, and the last of those connections has had its last answer, or has
        been idle for too long: however long that takes.
        """
        self.close()
        while len(self._stays) or self._alone or connections():  # noqa: ASYNC110  as in `_idle`
            await asyncio.sleep(0.05)

    async def drain(self, drain_s: float, busy: Callable[[], bool] = lambda: False) -> None:
        """Give what runs `drain_s` to end, and what still comes on connections that are open, as
        long as one is `busy`: its client could not know. Then let nobody in, and end what runs with
        an in-band shutdown error.
        """
        self.close()
        await self._idle(drain_s, busy)
        self.draining = True
        for stay in self._stays:
            stay.end(self._shutdown() if stay.won is None else _CUT_SHORT)
        await self._idle(_LAST_FRAMES_S)

    async def _idle(self, most_s: float, busy: Callable[[], bool] = lambda: False) -> None:
        """Until nothing runs and no connection is busy, or `most_s` have passed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + most_s
        # rare, and simpler than an event
        while (len(self._stays) or self._alone or busy()) and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    # What a request in service tells the gateway.

    def check_room(self) -> None:
        """Raises Refused when there is no room for one more."""
        if self.draining:
            raise Refused(self._shutdown())
        most = self.state.plan.limits.max_streams
        if len(self._stays) >= most:
            raise Refused(
                failure(
                    "overloaded",
                    f"This proxy has {most} streams open, as many as it may; try again soon.",
                    retry_after_s=1,
                )
            )

    def entered(self, record: StreamRecord, owner: str, chat: str) -> None:
        """One more, of this owner, who calls it so. Raises Refused as `check_room` does."""
        self.check_room()
        self._stays.enter(record, owner, chat)

    def left(self, record: StreamRecord) -> None:
        self._stays.leave(record)

    def dismissed(self, record: StreamRecord) -> Failure | None:
        """Why the calling task, which looks for this one's answer, was cancelled, if it was because
        the drain is over, or by the operator.
        """
        return self._stays.why(record)

    @staticmethod
    def _shutdown() -> Failure:
        return failure("shutdown", _SHUTTING_DOWN, retry_after_s=1)

    def began(self, won: Won) -> None:
        """The answer is this one from now on; `ended` must follow."""
        self._stays.begin(won)
        self._metrics.opened(won.target.upstream)

    def looks_on(self, record: StreamRecord) -> None:
        """The calling task looks for an answer, or for one to go on with one that broke off: the
        end of the drain ends this too.
        """
        self._stays.look(record)

    def found(self, record: StreamRecord) -> None:
        """The search that `looks_on` told of is over, whatever it found."""
        self._stays.found(record)

    def ended(self, won: Won) -> None:
        """The answer is over, and its place at the upstream free."""
        self._stays.end(won)
        self._metrics.closed(won.target.upstream)
        won.slots.leave()

    def goes_on_alone(self, won: Won, over: Callable[[], None]) -> None:
        """The client has left, and the answer goes on without it; then `over` is called."""

        async def see_out() -> None:
            await won.generation.finished()
            if won.generation.log.interrupted is not None:
                won.generation.log.surrender(time.monotonic())
            self.ended(won)
            over()

        self.see_to(see_out())

    def see_to(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """What is to be done after a request, or beside it; the drain waits for it."""
        return self._outlasting(asyncio.create_task(work))

    def begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """The same; it has come to its first wait when this returns."""
        return self._outlasting(begun(work))

    def _outlasting(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._alone.add(task)
        task.add_done_callback(self._alone.discard)
        return task

    def attempts(
        self,
        plan: Plan,
        record: StreamRecord,
        routed: Routed,
        envelope: Envelope,
        wish: OnDisconnect | None,
    ) -> Attempts:
        """A request's way to an answer. `wish`: what the request itself says is to be done when its
        client leaves.
        """
        return Attempts(
            plan,
            self._upstreams,
            self._states,
            record,
            routed,
            envelope=envelope,
            on_disconnect=wish,
        )

    def counter(self, plan: Plan, envelope: Envelope) -> Counter:
        """A request's way to the number of its tokens."""
        return Counter(plan, self._upstreams, self._states, envelope)

    @contextmanager
    def tells_drain(self, tell: Callable[[], None]) -> Iterator[None]:
        """`tell` is called when this process is about to go, or at once if it is."""
        if self.closing:
            tell()
        self._on_drain.add(tell)
        try:
            yield
        finally:
            self._on_drain.discard(tell)

    def passage(self, plan: Plan, envelope: Envelope) -> Passage:
        """A request's way to a vendor's own path."""
        return Passage(plan, self._upstreams, self._states, envelope)

    @contextmanager
    def passing(self, upstream: str) -> Iterator[None]:
        """An answer that is passed on is open."""
        self._metrics.opened(upstream)
        try:
            yield
        finally:
            self._metrics.closed(upstream)

    def flush(self, record: StreamRecord) -> None:
        """The stream is over, for good."""
        self._metrics.flush(record)
        if self.spans is not None and record.span is not None:
            self.spans.end(record)
        stream_line(self._log, record)

    def report(self, record: StreamRecord) -> None:
        """A defect of ours: the one place where a traceback is logged."""
        self._log.exception("internal error", request_id=record.request_id)
