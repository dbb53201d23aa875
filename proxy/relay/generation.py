"""One upstream answer and its client, joined: the only place where time, sockets and the
translation meet.

The upstream's bytes arrive by callback and leave for the client's transport in the same call; the
task that serves the request sleeps, and is woken only for what is rare: the commit, a client that
is slow, the end. One timer a generation watches every deadline; a chunk costs it two attribute
writes.
"""

import asyncio
from time import monotonic  # uvloop's own time() stands still while a chunk is relayed

import structlog

from proxy.codec.base import Encoder
from proxy.errors import Failure, Kind, failure
from proxy.events import StreamStart, Vendor
from proxy.observe.record import StreamRecord
from proxy.relay.sink import Sink, drained_by
from proxy.relay.step import Translation
from proxy.settings.model import Streams, Timeouts
from proxy.upstream.answer import Answer


class Generation:
    """Reads one upstream answer until it ends, fails or is no longer wanted.

    Life: `begin` (events are held) -> `ready()` returns -> `commit` -> `relay(sink)` returns at the
    end. `abandon` and `client_left` may come at any time. Whatever happens, the upstream's
    connection is closed or given back by the time the end is reached.
    """

    __slots__ = (
        "_answer",
        "_begun",
        "_encoder",
        "_heartbeat",
        "_last_read",
        "_last_write",
        "_left_at",
        "_loop",
        "_paused_at",
        "_pending",
        "_record",
        "_sink",
        "_started",
        "_streams",
        "_timeouts",
        "_timer",
        "_translation",
        "_upstream",
        "_wake",
        "_write_buffer_bytes",
    )

    def __init__(
        self,
        answer: Answer,
        translation: Translation,
        record: StreamRecord,
        *,
        upstream: str,
        timeouts: Timeouts,
        streams: Streams,
        write_buffer_bytes: int,
        started: float,
    ) -> None:
        self._answer = answer
        self._translation = translation
        self._record = record
        self._upstream = upstream
        self._timeouts = timeouts
        self._streams = streams
        self._write_buffer_bytes = write_buffer_bytes
        # when the request went up: first_event_s and total_s count from here
        self._started = started
        self._loop = asyncio.get_running_loop()
        self._last_read = self._last_write = monotonic()
        self._paused_at: float | None = None
        self._left_at: float | None = None
        self._begun = False
        self._sink: Sink | None = None
        self._encoder: Encoder | None = None
        self._heartbeat = b""
        self._pending: list[bytes] = []
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def answer(self) -> Answer:
        return self._answer

    @property
    def failed(self) -> Failure | None:
        return self._translation.failed

    @property
    def hopeless(self) -> Failure | None:
        """Why another target may be tried: the answer failed before it had any content. With
        content it is committed, however it ends, so that what a client sees does not hang on how
        the upstream's bytes were cut.
        """
        return None if self._translation.content else self._translation.failed

    @property
    def has_content(self) -> bool:
        return self._translation.content

    @property
    def interrupted(self) -> Failure | None:
        """Why it broke off, if another target may go on with it and the client has not been
        told.
        """
        return self._translation.failed if self._translation.interrupted else None

    @property
    def text(self) -> str:
        """What the client has been sent so far, where another target may go on with it."""
        return self._translation.text

    @property
    def done(self) -> bool:
        return self._translation.done

    def begin(self) -> None:
        """Start to read. Chunks are decoded as they come, and their events held."""
        self._answer.attach(self._on_chunk, self._on_end)
        if not self.done:
            self._arm()

    async def ready(self) -> None:
        """Returns when there is content to commit to, or the answer has ended or failed."""
        while not self._translation.ready:
            await self._sleep()

    def commit(
        self, encoder: Encoder, start: StreamStart, max_answer_bytes: int, *, goes_on: bool = False
    ) -> bytes:
        """The client gets this answer. Gives the first bytes, which the caller sends after the head
        of the response; what arrives until `relay` takes over is kept in order. `max_answer_bytes`
        bounds an answer of which all is kept; with `goes_on` another target may go on with it (see
        `interrupted`).
        """
        self._encoder = encoder
        self._heartbeat = encoder.heartbeat
        self._last_write = now = monotonic()
        return self._translation.commit(encoder, start, now, max_answer_bytes, goes_on=goes_on)

    def go_on(self, before: "Generation", announced: Vendor) -> None:
        """The client gets this answer as the rest of the one before, which was interrupted. `relay`
        or `fold` must follow.
        """
        # of the same class
        self._encoder, self._heartbeat = before._encoder, before._heartbeat  # noqa: SLF001
        self._last_write = now = monotonic()
        out = self._translation.take_over(before._translation, announced, now)  # noqa: SLF001
        self._pending = [out] if out else []

    def surrender(self, why: Failure | None = None) -> None:
        """Nobody goes on with the interrupted answer: the client is told, in band."""
        out = self._translation.surrender(monotonic(), why)
        if out and self._sink is not None:
            self._write(out)

    def beat(self) -> None:
        """A heartbeat, while another target is looked for."""
        if self._heartbeat:
            self._beat(monotonic())

    def record_in(self, record: StreamRecord) -> None:
        """What follows is written there."""
        self._record = record
        self._translation.record_in(record)

    async def relay(self, sink: Sink) -> None:
        """Pass everything to the client until the end. Returns when the last frame has been handed
        to the sink. Raises ConnectionError when the client has left, or was cut because it takes
        nothing; `client_left` must follow.
        """
        pending = b"" if self._encoder is None else self._encoder.joined(self._pending)
        self._sink, self._pending = sink, []
        if pending:
            self._write(pending)
        if not self.done:
            self._arm()  # heartbeats begin
        while not self.done:
            if self._paused_at is None:
                await self._sleep()
            else:
                await self._drain(sink)
        while sink.unsent() > self._write_buffer_bytes:
            await self._drain(sink)
            await asyncio.sleep(0)  # let the loop write what it holds
        if sink.unsent():  # so that the end of the body waits for nobody
            await self._drain(sink)

    async def fold(self) -> None:
        """Read to the end with nobody to write to: the encoder keeps the events."""
        self._pending = []
        while not self.done:
            await self._sleep()

    def abandon(self, why: Failure) -> None:
        """End it now with this error, told to the client in band if the answer is committed."""
        if not self.done:
            self._emit(self._translation.fail(why, monotonic()))
            self._close()

    def client_left(self, *, gave_up: bool = False) -> bool:
        """Nobody reads any more. True: the generation goes on alone, by on_disconnect; False: it is
        closed.

        The outcome is then `client_gone` if nobody was to have the rest of a good answer; else it
        is how the answer ended.
        """
        if self.done:
            self._close()
            if self._streams.on_disconnect == "cancel" and self.failed is None:
                self._record.outcome = "client_gone"
            return False
        self._sink, self._pending = None, []
        if self._streams.on_disconnect == "cancel" or gave_up or self._encoder is None:
            self._leave()
            return False
        self._left_at = monotonic()
        self._resume()
        self._arm()
        return True

    def _leave(self) -> None:
        said = "The client left before the answer was complete."
        self._translation.fail(failure("client_gone", said), monotonic())
        self._close()

    # What the upstream does. These run inside the event loop's read callback.

    def _on_chunk(self, data: bytes) -> None:
        try:
            self._step(data)
        except Exception:  # noqa: BLE001  whatever it is, it must not reach the transport
            self._defect()

    def _defect(self) -> None:
        """A dialect raised, which none may. The stream fails, the server goes on, and the log has
        the traceback.
        """
        structlog.get_logger("mainstem").exception(
            "internal error", request_id=self._record.request_id, upstream=self._upstream
        )
        why = failure("internal", "Something went wrong in this proxy; its log has the details.")
        try:
            self._emit(self._translation.fail(why, monotonic()))
        except Exception:  # noqa: BLE001  the encoder itself is broken: the body just ends
            self._translation.done = self._translation.ready = True
            self._translation.failed = why
        self._close()

    def _step(self, data: bytes) -> None:
        self._last_read = now = monotonic()
        translation = self._translation
        out = translation.chunk(data, now)
        if self._sink is not None:
            if out:
                self._write(out)
                self._record.relayed(monotonic() - now)
        else:
            self._emit(out)
            if translation.ready:
                self._rouse()
            if translation.begun and not self._begun:
                # from now on idle_s holds, which may be sooner than what the timer waits for
                self._begun = True
                self._arm()
        if translation.done:
            self._end()

    def _on_end(self, broken: Failure | None) -> None:
        if self.done:
            return
        now = monotonic()
        self._emit(
            self._translation.closed(now) if broken is None else self._translation.fail(broken, now)
        )
        self._end()

    def _end(self) -> None:
        if self._translation.failed is None:
            self._answer.finish()
            self._stop()
        else:
            self._close()

    def _close(self) -> None:
        self._answer.close()
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._rouse()

    # Towards the client.

    def _emit(self, out: bytes) -> None:
        if not out:
            return
        if self._sink is not None:
            self._write(out)
        elif self._encoder is not None and self._left_at is None:
            self._pending.append(out)
            if sum(map(len, self._pending)) > self._write_buffer_bytes:
                self._pause()

    def _write(self, out: bytes) -> None:
        sink = self._sink
        assert sink is not None
        sink.write(out)
        self._last_write = self._last_read
        self._record.bytes_out += len(out)
        if sink.unsent() > self._write_buffer_bytes and self._paused_at is None and not self.done:
            self._pause()
            self._rouse()

    def _pause(self) -> None:
        if self._paused_at is None:
            self._paused_at = monotonic()
            self._answer.pause()

    def _resume(self) -> None:
        if self._paused_at is not None:
            self._paused_at = None
            self._last_read = monotonic()
            self._answer.resume()

    async def _drain(self, sink: Sink) -> None:
        await drained_by(sink, self._streams.write_timeout_s, lambda: self._record.bytes_out)
        self._resume()

    # Time.

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._next_deadline() - monotonic(), self._tick)

    def _deadlines(self) -> list[tuple[float, Kind]]:
        times = self._timeouts
        rows: list[tuple[float, Kind]] = [(self._started + times.total_s, "total_timeout")]
        if not self._translation.begun:
            rows.append((self._started + times.first_event_s, "first_event_timeout"))
        elif self._paused_at is None:
            rows.append((self._last_read + times.idle_s, "idle_timeout"))
        if self._left_at is not None and self._streams.on_disconnect == "grace":
            rows.append((self._left_at + self._streams.grace_s, "client_gone"))
        return rows

    def _overdue(self, kind: Kind) -> Failure:
        times, name = self._timeouts, self._upstream
        if kind == "client_gone":
            return failure(kind, "The client left and did not come back.")
        said = {
            "total_timeout": f"{name} was not done within {times.total_s:g} s.",
            "first_event_timeout": f"{name} sent no event within {times.first_event_s:g} s.",
            "idle_timeout": f"{name} sent nothing for {times.idle_s:g} s.",
        }
        return failure(kind, said[kind], upstream=name)

    def _next_deadline(self) -> float:
        soonest = min(when for when, _ in self._deadlines())
        if self._heartbeat and self._sink is not None:
            soonest = min(soonest, self._last_write + self._streams.heartbeat_s)
        return soonest

    def _tick(self) -> None:
        self._timer = None
        now = monotonic()
        for when, kind in self._deadlines():
            if now >= when:
                self.abandon(self._overdue(kind))
                return
        if (
            self._heartbeat
            and self._sink is not None
            and now >= self._last_write + self._streams.heartbeat_s
        ):
            self._beat(now)
        self._arm()

    def _beat(self, now: float) -> None:
        self._last_write = now
        if self._paused_at is None and self._sink is not None:
            self._sink.write(self._heartbeat)
            self._record.heartbeats += 1

    # Sleeping and waking of the serving task.

    async def _sleep(self) -> None:
        self._wake = self._loop.create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
