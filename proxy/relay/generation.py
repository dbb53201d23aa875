"""One upstream answer in service: where its source, which has no clock and no socket, meets both.

The upstream's bytes arrive by callback, and in the same call they go through the source and the log
to the client's transport; no task is woken for a chunk. One timer a generation watches every
deadline, those of its readers too; a chunk only writes down the time.
"""

import asyncio
from time import monotonic  # uvloop's own time() stands still while a chunk is relayed

import structlog

from proxy.errors import Failure, failure
from proxy.events import StreamStart, Usage, UsageEvent, Vendor
from proxy.relay.kept_log import KeptLog
from proxy.relay.log import Log
from proxy.relay.said import Said
from proxy.relay.source import Source
from proxy.relay.splice import spliced
from proxy.upstream.answer import Answer


class Generation:
    """Reads one upstream answer until it ends, fails or is no longer wanted.

    Life: `begin` (its log holds the events) -> `ready()` returns -> its readers follow the log, or
    it goes on with another one (`go_on`) -> it is `done`. `abandon` and `close` may come at any
    time. Whatever happens, the upstream's connection is closed or given back by the time the end
    is reached.
    """

    __slots__ = (
        "_begun",
        "_loop",
        "_paused",
        "_timer",
        "_until_end",
        "_wake",
        "answer",
        "log",
        "source",
    )

    def __init__(self, answer: Answer, source: Source, log: Log) -> None:
        """`source` writes into `log`."""
        self.answer = answer
        self.source = source
        self.log = log
        self._loop = asyncio.get_running_loop()
        self._begun = False
        self._paused = False
        self._until_end = False  # whoever waits is not waked by content
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def hopeless(self) -> Failure | None:
        """Why another target may be tried: the answer failed before it had any content. With
        content it is committed, however it ends, so that what a client sees does not hang on how
        the upstream's bytes were cut.
        """
        return None if self.source.content else self.source.failed

    @property
    def has_content(self) -> bool:
        return self.source.content

    def begin(self) -> None:
        """Start to read."""
        self.answer.attach(self._on_chunk, self._on_end)
        if not self.source.done:
            self._arm()

    async def ready(self) -> None:
        """Returns when there is content to commit to, or the answer has ended or failed."""
        while not self.source.ready:
            await self._sleep()

    async def finished(self) -> None:
        """Returns when the answer has ended or failed."""
        self._until_end = True
        while not self.source.done:
            await self._sleep()

    def begin_in(self, log: KeptLog, start: StreamStart, said: Said | None) -> None:
        """Its log is this one from now on, which begins with what was held: see `Log.begin`."""
        held, size = self.log.unread()
        self.log = self.source.log = log
        log.begin(start, said, held, monotonic(), size)

    def go_on(self, log: Log, announced: Vendor, earlier: Usage | UsageEvent | None) -> None:
        """It is the rest of an answer that was interrupted: it writes into that one's log.
        `announced` tells the readers so; `earlier` is what was used for the answer so far.
        """
        now = monotonic()
        held, size = self.log.unread()
        self.log = log
        self.source.log = spliced(log, announced, now)
        self.source.goes_on(earlier)
        self.source.log.write(held, now, size)

    def heed(self) -> None:
        """What the readers want has changed: more, no more for now, a sign of life."""
        if self.source.done:
            return
        if self.log.refusal is not None:
            self.abandon(self.log.refusal)
            return
        if self.log.full is not self._paused:
            self._paused = self.log.full
            if self._paused:
                self.source.paused()
                self.answer.pause()
            else:
                self.source.resumed(monotonic())
                self.answer.resume()
        self._arm()

    def abandon(self, why: Failure) -> None:
        """End it now with this error, which its readers are told in band."""
        if not self.source.done:
            self.source.fail(why, monotonic())
            self.close()

    def close(self) -> None:
        """Nothing more is read."""
        self.answer.close()
        self._stop()

    # What the upstream does. These run inside the event loop's read callback.

    def _on_chunk(self, data: bytes) -> None:
        source, log = self.source, self.log
        try:
            source.chunk(data, monotonic())
        except Exception:  # noqa: BLE001  whatever it is, it must not reach the transport
            self._defect()
            return
        if source.done:
            self._end()
        elif log.full:
            self.heed()
        if not self._begun and source.begun:
            self._begun = True
            if not source.done:
                # from now on idle_s holds, which may be sooner than what the timer waits for
                self._arm()
        if self._wake is not None and source.ready and not self._until_end:
            self._rouse()

    def _on_end(self, broken: Failure | None) -> None:
        source = self.source
        if source.done:
            return
        try:
            if broken is None:
                source.closed(monotonic())
            else:
                source.fail(broken, monotonic())
        except Exception:  # noqa: BLE001  as above
            self._defect()
            return
        self._end()

    def _defect(self) -> None:
        """A dialect raised, which none may. The stream fails, the server goes on, and the log has
        the traceback.
        """
        source = self.source
        structlog.get_logger("mainstem").exception(
            "internal error", request_id=source.record.request_id, upstream=source.upstream
        )
        why = failure("internal", "Something went wrong in this proxy; its log has the details.")
        try:
            source.fail(why, monotonic())
        except Exception:  # noqa: BLE001  the encoder itself is broken: the body just ends
            source.give_up(why)
        if not self.log.over:
            source.give_up(why)
            self.log.break_off(why)
        self.close()

    def _end(self) -> None:
        if self.source.failed is None:
            self.answer.finish()
            self._stop()
        else:
            self.close()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._rouse()

    # Time.

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wait(self._due(), monotonic())

    def _due(self) -> float:
        return min(self.source.due(), self.log.due())

    def _wait(self, until: float, now: float) -> None:
        self._timer = self._loop.call_later(until - now, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now, due = monotonic(), self._due()
        if now < due:  # as nearly every time: something has come meanwhile
            self._wait(due, now)
            return
        why = self.source.overdue(now) or self.log.deserted(now)
        if why is not None:
            self.abandon(why)
        else:
            self.log.tick(now)
            self._arm()

    # Sleeping and waking of the task that waits for it.

    async def _sleep(self) -> None:
        self._wake = self._loop.create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
