"""A stream that lives by itself: clients may leave it, come back and read along."""

import asyncio
import time
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from proxy.codec.base import Parsed
from proxy.codec.halves import ClientHalf
from proxy.errors import Failure, Refused, failure
from proxy.events import Note, StreamError, StreamStart
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.kept_log import KeptLog
from proxy.relay.said import Said
from proxy.relay.won import Won
from proxy.server.continuation import Continuation
from proxy.server.gateway import Gateway
from proxy.server.intake import Asked
from proxy.server.lasting import Head, Lasting, Origin
from proxy.settings.sections import OnDisconnect, Streams

_INTERNAL = "Something went wrong in this proxy; its log has the details."
_LOOK_S = 1.0  # between looks whether somebody reads it elsewhere
_DESERTED = "Every client has left, and none came back in time."


class Keeper(Protocol):
    """Who keeps runs."""

    def was_told(self, run: "Run") -> None:
        """Somebody was sent all of it."""

    def has_ended(self, run: "Run") -> None:
        """It can only be read any more."""

    async def read_elsewhere(self, run: Lasting) -> bool | None:
        """Whether clients of other processes read it now; None: that cannot be told."""


class Run(Lasting):
    """One stream, generated here. It ends with its answer, by `stop`, or when `grace_s` have passed
    in which nobody attended it.
    """

    def __init__(
        self,
        gateway: Gateway,
        attempts: Attempts,
        asked: Asked,
        half: ClientHalf,
        *,
        record: StreamRecord,
        owner: str,
        log: KeptLog,
        kept_bytes: int,
        keeper: Keeper,
    ) -> None:
        """`owner` says whose it is: nobody else may know of it. Its options hold `kept_bytes` of
        the request.
        """
        parsed = asked.parsed
        origin = Origin(
            id=record.stream,
            owner=owner,
            half=half,
            options=parsed.options,
            chat=parsed.chat,
            model=record.model,
            label=record.model_label,
            created=int(time.time()),
            rewrites=attempts.may_rewrite,
        )
        super().__init__(origin, log, asked.digest)
        self.key = asked.key
        self.kept_bytes = kept_bytes
        self._takes_rewrites = half.rewrites or not parsed.request.stream
        self.record = record
        self.pieces = asked.envelope.pieces
        self._gateway = gateway
        self._attempts = attempts
        self._grace_s = _grace_s(attempts.streams, asked.wish)
        self._deserted: asyncio.TimerHandle | None = None
        self._won: Won | None = None
        self._why: Failure | None = None
        self._keeper = keeper
        self._over: Callable[[], None] | None = None
        self._done = False
        self._task: asyncio.Task[None]  # from `begin` on

    def begin(self, parsed: Parsed) -> None:
        """Ask for the answer: it has been asked for when this returns."""
        self._task = self._gateway.begin(self._drive(parsed))

    def attend(self) -> None:
        super().attend()
        if self._deserted is not None:
            self._deserted.cancel()
            self._deserted = None

    def leave(self) -> None:
        super().leave()
        self.await_readers()

    def told(self, transport: asyncio.Transport | None) -> None:
        super().told(transport)
        self._keeper.was_told(self)

    async def cancel(self, why: Failure) -> None:
        self.stop(why)
        if self.log.end is None:
            await asyncio.wait((self._task,))

    def await_readers(self) -> None:
        """If nobody attends it, it goes on for its grace."""
        if self._attended or self._done or self._grace_s is None:
            return
        self._desert_after(self._grace_s)

    def _desert_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._deserted = loop.call_later(seconds, lambda: self._gateway.see_to(self._desert()))

    async def _desert(self) -> None:
        """Nobody here has attended it for its grace: it ends, unless somebody does elsewhere."""
        read = await self._keeper.read_elsewhere(self)
        if self._attended or self._done:
            return
        # where that cannot be told it goes on, but for a client that wanted no grace
        if read or (read is None and self._grace_s):
            self._desert_after(max(self._grace_s or 0, _LOOK_S))
        else:
            self.stop(failure("client_gone", _DESERTED))

    def stop(self, why: Failure) -> None:
        """End it now; whoever reads it is told why."""
        if self.log.end is not None:
            return
        self._why = why
        if self._won is not None:
            self._won.generation.abandon(why)
        if self.log.end is None:  # a target is being looked for
            self._task.cancel()

    def when_over(self, over: Callable[[], None]) -> None:
        """Call this when it has ended."""
        if self._done:
            over()
        else:
            self._over = over

    async def _drive(self, parsed: Parsed) -> None:
        """From the request to the end of its answer."""
        try:
            won = await self._first(parsed)
            onward = None
            if self._attempts.policy.continue_after_commit:
                onward = Continuation(
                    self._gateway,
                    self._attempts,
                    parsed,
                    self.record,
                    client_rewrites=self._takes_rewrites,
                )
            del parsed
            await self._answer(won, onward)
        except Refused as refused:
            self._unanswered(refused)
        except Exception:  # noqa: BLE001  whatever it is, its readers get a sentence and the server goes on
            self._gateway.report(self.record)
            self._unanswered(Refused(failure("internal", _INTERNAL)))
        finally:
            self._done = True
            if self._deserted is not None:
                self._deserted.cancel()
            self._keeper.has_ended(self)
            if self._over is not None:
                self._over()
                self._over = None

    async def _first(self, parsed: Parsed) -> Won:
        """The target that has an answer. Raises Refused, also when it was stopped."""
        self._gateway.looks_on(self.record)
        try:
            return await self._attempts.first(parsed, client_rewrites=self._takes_rewrites)
        except asyncio.CancelledError:
            raise Refused(self._cancelled()) from None
        finally:
            self._gateway.found(self.record)

    def _cancelled(self) -> Failure:
        """Why this task was cancelled. Raises CancelledError if it was by neither of ours."""
        why = self._gateway.dismissed(self.record) or self._why
        task = asyncio.current_task()
        if why is None:
            raise asyncio.CancelledError
        if why is self._why and task is not None:
            task.uncancel()
        return why

    async def _answer(self, won: Won, onward: Continuation | None) -> None:
        self._won = won
        self.record.notes = won.notes
        self._gateway.began(won)
        try:
            said = None if onward is None else Said(self._attempts.limits.max_answer_bytes)
            start = self._start(won.target.upstream, won.target.model, won.notes)
            won.generation.begin_in(self.log, start, said)
            self.commit(Head(won.target.upstream, won.notes, won.returned))
            await self._to_the_end(onward)
        finally:
            if not self._won.generation.source.done:  # a defect: nobody reads it
                self._won.generation.close()
            self._gateway.ended(self._won)

    async def _to_the_end(self, onward: Continuation | None) -> None:
        """Until its answer is over, and where it breaks off the one that goes on with it."""
        assert self._won is not None
        await self._won.generation.finished()
        while onward is not None and self.log.interrupted is not None:
            try:
                more = await onward.after(self._won, self.log, lambda: None)
            except asyncio.CancelledError:
                self.log.surrender(monotonic(), self._cancelled())
                return
            if more is not None:
                self._gateway.ended(self._won)
                self._won = more
                self._gateway.began(more)
                await more.generation.finished()

    def _start(self, upstream: str, model: str, notes: list[Note]) -> StreamStart:
        return StreamStart(
            stream=self.id,
            model=self.record.model,
            upstream=upstream,
            upstream_model=model,
            created=self.origin.created,
            notes=notes,
        )

    def _unanswered(self, refused: Refused) -> None:
        """No target has an answer: whoever waits for one is told, and who comes later too."""
        if not self.log.begun:
            self.log.begin(self._start(self.record.upstream, self.record.upstream_model, []))
        if not self.log.over:
            self.log.write([StreamError(refused.failure)], monotonic(), 0)
        if self.head is None:
            self.refuse(refused)


def _grace_s(streams: Streams, wish: OnDisconnect | None) -> float | None:
    """How long a run goes on with nobody; None: to its end. `cancel` is heeded only as a request's
    own wish: that a client may come back is what runs are for.
    """
    if wish == "cancel":
        return 0
    return None if streams.on_disconnect == "finish" else streams.grace_s
