"""Hedging: a second target is asked when the first is slow. The first content wins; an error or an
empty answer never does while another target may still do better. Those that lose are cancelled, and
their connections closed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from proxy.errors import KINDS, Failure, Refused, failure
from proxy.observe.record import StreamRecord
from proxy.relay.won import NotSentError, Won
from proxy.routing import Target

Ask = Callable[[Target, StreamRecord], Awaitable[Won]]


async def race(
    targets: Sequence[Target],
    ask: Ask,
    may_hedge: Callable[[Target], bool],
    after_s: float,
    record: StreamRecord,
) -> Won:
    """The winner. `after_s`: how long a target may be silent before the next one is asked beside
    it, if `may_hedge` allows; one that fails is followed at once. Each target writes into a record
    of its own, and the winner's becomes part of `record`. Raises Refused.
    """
    runners = _Race(targets, ask, may_hedge, record)
    won: Won | None = None
    try:
        won = await runners.run(after_s)
    finally:
        try:
            await runners.cancel()
        except asyncio.CancelledError:  # the client left while the losers were being cancelled
            if won is not None:
                won.drop()
            raise
    if won is None:
        raise runners.refusal
    return won


def cancel_or_drop(asking: "asyncio.Task[Won]") -> None:
    """Nobody waits for this target any more, not even for its end. An answer that comes all the
    same, in this very moment, is dropped.
    """

    def ended(task: "asyncio.Task[Won]") -> None:
        if not task.cancelled() and task.exception() is None:
            task.result().drop()

    asking.add_done_callback(ended)
    asking.cancel()


class _Race:
    def __init__(
        self,
        targets: Sequence[Target],
        ask: Ask,
        may_hedge: Callable[[Target], bool],
        record: StreamRecord,
    ) -> None:
        self._waiting = list(targets)
        self._ask = ask
        self._may_hedge = may_hedge
        self._record = record
        self._running: dict[asyncio.Task[Won], tuple[Target, StreamRecord]] = {}
        self._hedged: set[str] = set()
        self._empty: tuple[Won, StreamRecord] | None = None
        # Of the exception only what it says: its traceback would hold the frames and tasks of this
        # race, and they it, until a collection.
        self._said: tuple[Failure, Mapping[str, str]] | None = None
        self._over = False  # the request is at fault: no other target can mend that

    @property
    def refusal(self) -> Refused:
        """Why nobody has won."""
        return (
            Refused(*self._said)
            if self._said is not None
            else Refused(failure("model_not_found", "This model has no target."))
        )

    async def run(self, after_s: float) -> Won | None:
        self._start()
        while self._running and not self._over:
            silent_s = after_s if self._waiting else None
            done, _ = await asyncio.wait(
                self._running, timeout=silent_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not done and self._may_hedge(self._waiting[0]):
                self._hedged.add(self._start().upstream)
            elif not done:
                self._waiting.clear()  # no more than the budget: the ones that run may still answer
            for task in done:
                won = self._finished(task)
                if won is not None:
                    return won
        if self._empty is None or self._over:
            return None
        won, own = self._empty
        self._empty = None
        return self._take(won, own)

    async def cancel(self) -> None:
        """Everything that still runs, and an empty answer that was not needed."""
        if self._empty is not None:
            self._empty[0].drop()
        for task in self._running:
            cancel_or_drop(task)
        if self._running:
            await asyncio.wait(self._running)
        for target, own in self._running.values():
            self._lose(target, own)

    def _start(self) -> Target:
        target = self._waiting.pop(0)
        own = self._record.fork()

        async def run() -> Won:
            return await self._ask(target, own)

        self._running[asyncio.create_task(run())] = target, own
        return target

    def _finished(self, task: "asyncio.Task[Won]") -> Won | None:
        target, own = self._running.pop(task)
        try:
            won = task.result()
        except Refused as refused:
            # the task keeps it, and it would keep this frame, which has the task
            refused.__traceback__ = None
            self._lose(target, own)
            if not (self._said is not None and isinstance(refused, NotSentError)):
                self._said = refused.failure, refused.returned
                self._record.upstream, self._record.upstream_dialect = (
                    own.upstream,
                    own.upstream_dialect,
                )
                self._record.upstream_model = own.upstream_model
                self._record.asked, self._record.upstream_status = own.asked, own.upstream_status
                self._record.error, self._record.error_code = own.error, own.error_code
            if not KINDS[refused.failure.kind].next_target:
                self._waiting.clear()
                self._over = True
            if self._waiting:
                self._record.fallbacks.append(
                    (target.upstream, self._start().upstream, refused.failure.kind)
                )
            return None
        if won.generation.has_content or not (self._running or self._waiting):
            return self._take(won, own)
        if self._empty is None:
            self._empty = won, own
        else:
            won.drop()
            self._lose(target, own)
        if self._waiting:
            self._start()
        return None

    def _take(self, won: Won, own: StreamRecord) -> Won:
        won.generation.source.record = self._record
        self._record.adopt(own)
        if won.target.upstream in self._hedged:
            self._record.hedges = [*self._record.hedges, (won.target.upstream, "won")]
        return won

    def _lose(self, target: Target, own: StreamRecord) -> None:
        self._record.add(own)
        if target.upstream in self._hedged:
            self._record.hedges = [*self._record.hedges, (target.upstream, "lost")]
