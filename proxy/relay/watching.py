"""One client's bytes of a log that is kept: it may come late, be slow, or come back for the rest,
and nobody else notices.
"""

import asyncio
import math
from collections.abc import Sequence
from time import monotonic

from proxy.codec.base import Encoder
from proxy.errors import Failure, failure
from proxy.events import Event, StreamError
from proxy.observe.record import StreamRecord
from proxy.relay.kept_log import KeptLog
from proxy.relay.missed import TOO_MUCH, Missed
from proxy.relay.reader import Reader
from proxy.relay.sink import Sink, emptied
from proxy.settings.limits import Limits
from proxy.settings.sections import Streams

_MOST_STEPS = 5  # of MOST_AT_ONCE events each, at a time


class Watching:
    """What a client gets of one kept log, from event `number` on. Life: `opening` -> `relay`.

    It gets a snapshot where that event is not kept any more, or where its dialect cannot begin in
    the middle. A client that has seen more than the log has gets what comes behind that, or, where
    the log ends before it, the end.
    """

    __slots__ = (
        "_ahead",
        "_behind",
        "_defect",
        "_encoder",
        "_failed",
        "_log",
        "_missed",
        "_most_unsent_bytes",
        "_number",
        "_reader",
        "_record",
        "_sink",
        "_stream",
        "_timer",
        "_wake",
    )

    def __init__(
        self,
        log: KeptLog,
        encoder: Encoder,
        *,
        record: StreamRecord,
        streams: Streams,
        limits: Limits,
        number: int = 0,
    ) -> None:
        self._log = log
        self._missed = Missed(log)
        self._encoder = encoder
        self._record = record
        self._number = number
        self._most_unsent_bytes = limits.write_buffer_bytes
        self._reader = Reader(
            encoder,
            monotonic(),
            heartbeat_s=streams.heartbeat_s,
            most_unsent_bytes=limits.write_buffer_bytes,
            most_gathered_bytes=limits.max_answer_bytes,
        )
        self._sink: Sink | None = None
        self._defect: Exception | None = None
        self._ahead = False  # its client has seen more than the log has
        self._stream = ""
        self._behind = False  # it has much to catch up with
        self._failed = False  # it has been told that it can have no more
        self._timer: asyncio.TimerHandle | None = None
        self._wake: asyncio.Future[None] | None = None

    @property
    def told(self) -> bool:
        """Whether it has the end, or was told why it does not get it."""
        ended = self._log.end is not None and self._number >= self._log.next
        return self._failed or (ended and not self._ahead)

    def opening(self, stream: str) -> bytes:
        """The first bytes: what came before, if it wants or needs it, and some of the rest."""
        log, encoder = self._log, self._encoder
        self._stream = stream
        if encoder.folds and 0 < self._number < log.first:
            # All but the last of these frames have the number that the client came with, so that
            # it gets all of them again if it is cut off in between.
            encoder.seek(stream, max(self._number - 1, 0), 0)
        elif self._number and not encoder.seek(stream, self._number):
            self._number = 0
        self._ahead = self._number > log.next - log.lost
        if self._number >= log.first or (not encoder.folds and log.order is not None):
            return self._more()
        events = log.folded() if encoder.folds else None
        self._number = log.first
        if events is None:
            return self._fail(failure("too_large", TOO_MUCH))
        return self._snapshot(stream, events) + self._more()

    async def relay(self, sink: Sink) -> None:
        """Returns when the last frame has been handed to the sink. Raises ConnectionError when the
        client has left, or must be cut because it takes nothing, or too little.
        """
        self._sink = sink
        self._log.follow(self, monotonic())
        try:
            self._arm()
            self._gain() if self._ahead else self._catch_up()
            while not self.told:
                if self._reader.full:
                    await self._drain(sink)
                    self._catch_up()
                elif self._behind:
                    await asyncio.sleep(0)
                    self._catch_up()
                else:
                    self._wake = asyncio.get_running_loop().create_future()
                    await self._wake
            if self._defect is not None:
                raise self._defect
            await emptied(sink, self._most_unsent_bytes, lambda: self._drain(sink))
        finally:
            self._log.unfollow(self)
            if self._timer is not None:
                self._timer.cancel()

    # What the log calls, within the event loop's read callback.

    def take(self, events: list[Event], now: float, size: int) -> None:
        """See `Follower`. It never raises: the others read on."""
        reader = self._reader
        if reader.full or self._behind or self._failed:
            return  # it reads from the log when it has taken what it has
        try:
            if self._ahead or self._log.lost:
                self._gain()
                return
            self._number += len(events)
            out = reader.take(events, size)
            if reader.refusal is not None:
                out = self._refused(out, reader.refusal)
            self._write(out, now)
        except Exception as error:  # noqa: BLE001  whatever it is, it is this reader's alone
            self._defect, self._failed = error, True
            self._rouse()
        self._record.relayed(0, monotonic() - now)  # `_write` has counted the bytes

    def stop(self) -> None:
        """See `Follower`."""
        self._behind = self._lags()
        self._rouse()

    def due(self) -> float:
        """See `Follower`. It has a timer of its own."""
        return math.inf

    def tick(self, now: float) -> None:
        """See `Follower`."""

    def unsent(self) -> int:
        """See `Follower`."""
        return 0 if self._sink is None else self._sink.unsent()

    def _more(self) -> bytes:
        """The next of what was missed. Raises ConnectionError as `Missed.since` does."""
        log = self._log
        events, size = self._missed.since(self._number)
        if log.lost and self._number == log.next - 1:
            self._encoder.seek(self._stream, log.last)
        self._number += len(events)
        out = self._reader.take(events, size) if events else b""
        why = self._reader.refusal
        return out if why is None else self._refused(out, why)

    def _gain(self) -> None:
        """The log has more: perhaps what its client has not seen, or the end."""
        log = self._log
        if log.end is not None and self._number > log.next - log.lost:
            # with its own number, so that a client that comes back behind it has no more to come
            self._number = log.next - 1
            self._encoder.seek(self._stream, self._number)
        if self._number <= log.next:
            self._ahead = False
            self._catch_up()

    def _catch_up(self) -> None:
        """Some of what was missed: others wait meanwhile."""
        for _ in range(_MOST_STEPS):
            if not self._lags():
                break
            self._write(self._more(), monotonic())
        self._behind = self._lags()
        if self._behind:
            self._rouse()

    def _lags(self) -> bool:
        return self._number < self._log.next and not self._reader.full and not self._failed

    def _refused(self, out: bytes, why: Failure) -> bytes:
        """What it gets last, unless it has the end."""
        return out if self.told else out + self._fail(why)

    def _snapshot(self, stream: str, events: Sequence[Event]) -> bytes:
        encode = self._encoder.encode
        frames = [encode(event) for event in events[:-1]]
        self._encoder.seek(stream, self._log.first - 1)
        return self._encoder.joined([*frames, encode(events[-1])])

    def _fail(self, why: Failure) -> bytes:
        self._failed = True
        return self._encoder.encode(StreamError(why))

    def _write(self, out: bytes, now: float) -> None:
        if out and self._sink is not None:
            self._sink.write(out)
            self._reader.wrote(now, self._sink.unsent())
            self._record.bytes_out += len(out)
        if self._reader.full or self.told:
            self._rouse()

    async def _drain(self, sink: Sink) -> None:
        await sink.drained()
        self._reader.drained()

    # Time, and the task that waits.

    def _arm(self) -> None:
        due = self._reader.due()
        if due < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(due - monotonic(), self._tick)

    def _tick(self) -> None:
        now = monotonic()
        if now >= self._reader.due() and (sign := self._reader.beat(now)) and self._sink:
            self._sink.write(sign)
            self._record.heartbeats += 1
        self._arm()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
