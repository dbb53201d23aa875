"""One upstream answer: its bytes to events in a log, and how long it may take for them. It knows no
client, no socket and no clock: every `now` is the caller's monotonic clock, in seconds.
"""

from itertools import groupby
from typing import Any

import msgspec

from proxy.codec.base import Decoder
from proxy.errors import Failure, Kind, failure
from proxy.events import (
    CONTENT,
    BlockStart,
    Event,
    StreamEnd,
    StreamError,
    Timing,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.observe.record import StreamRecord
from proxy.relay.deadlines import deadlines, late
from proxy.relay.log import Writes
from proxy.relay.prices import Priced, unpriced
from proxy.relay.redactor import Redactor, named
from proxy.relay.splice import spent
from proxy.settings.sections import Timeouts

_CONTENT = frozenset(CONTENT)
# Of the others, those that tell the record something, or are told something by the shell.
_NOTED = frozenset({BlockStart, StreamEnd, StreamError, UsageEvent, Vendor})


class Source:
    """Writes what an upstream says into `log`, and what is to be observed into `record`; both may
    be exchanged for others at any time.

    `begun`: an event has come. `content`: there was content. `ready`: content or a terminal event
    has come. `done`: the terminal event has been written; `failed` says why, if it was an error.
    """

    __slots__ = (
        "_decoder",
        "_earlier",
        "_last_read",
        "_most_silent_bytes",
        "_paused",
        "_priced",
        "_redactor",
        "_silent_bytes",
        "_started",
        "_timeouts",
        "_unread_bytes",
        "begun",
        "content",
        "done",
        "failed",
        "log",
        "ready",
        "record",
        "upstream",
    )

    def __init__(
        self,
        decoder: Decoder,
        record: StreamRecord,
        log: Writes,
        *,
        upstream: str,
        timeouts: Timeouts,
        most_silent_bytes: int,
        started: float,
        redactor: Redactor | None = None,
        priced: Priced = unpriced,
    ) -> None:
        """`started` is when the request went up: first_event_s and total_s count from there.
        `most_silent_bytes`: how much may come without any content.
        """
        self._decoder = decoder
        self.record = record
        self.log = log
        self.upstream = upstream
        self._timeouts = timeouts
        self._most_silent_bytes = most_silent_bytes
        self._started = self._last_read = started
        self._redactor = redactor
        self._priced = priced
        self._earlier: Usage | UsageEvent | None = None
        self._paused = False
        self._silent_bytes = 0
        # that came since the last event: they may be the beginning of the next one
        self._unread_bytes = 0
        self.begun = self.content = self.ready = self.done = False
        self.failed: Failure | None = None

    def chunk(self, data: bytes, now: float) -> None:
        """The upstream sent these bytes."""
        self._last_read = now
        size = len(data)
        record = self.record
        events = self._decoder.feed(data)
        if self.content and len(events) == 1 and (kind := type(events[0])) in _CONTENT:
            # nearly every chunk: what is done below with it, without the questions
            record.piece(size, now)
            record.events[kind] = record.events.get(kind, 0) + 1
            self.log.write(events, now, size + self._unread_bytes)
            self._unread_bytes = 0
            return
        record.chunk(size, now)
        self._unread_bytes += size
        if events:
            self._write(events, now)
        if not self.ready:
            self._silent_bytes += size
            if self._silent_bytes > self._most_silent_bytes:
                said = f"{self.upstream} sent {self._silent_bytes} bytes without any content."
                self.fail(failure("upstream_malformed", said), now)

    def closed(self, now: float) -> None:
        """The upstream's body ended cleanly."""
        if self.done:
            return
        events = self._decoder.close()
        # a decoder that forgets to end is a defect; the client must not wait for it
        if not self._decoder.done:
            why = failure("internal", "The decoder gave no end to the answer.")
            events = [*events, StreamError(why, self._decoder.usage)]
        self._write(events, now)

    def fail(self, why: Failure, now: float) -> None:
        """The answer ends here, in an error: of the upstream's connection, of time, or ours."""
        if not self.done:
            self._write([StreamError(why, self._decoder.usage)], now)

    def give_up(self, why: Failure) -> None:
        """It ends without a word into the log."""
        self.failed, self.done, self.ready = why, True, True

    def goes_on(self, earlier: Usage | UsageEvent | None) -> None:
        """It is the rest of an answer that broke off, for which so many tokens were used."""
        self._earlier = earlier
        self.record.usage = spent(earlier, self.record.usage)

    def paused(self) -> None:
        """The upstream is not read, because its reader takes nothing: it may be silent."""
        self._paused = True

    def resumed(self, now: float) -> None:
        """It is read again."""
        self._paused = False
        self._last_read = now

    def due(self) -> float:
        """When `overdue` must be asked, unless something comes before."""
        return min(self._deadlines())[0]

    def overdue(self, now: float) -> Failure | None:
        """Why it has taken too long, if it has."""
        missed = next((kind for when, kind in self._deadlines() if now >= when), None)
        return None if missed is None else late(missed, self._timeouts, self.upstream)

    def _deadlines(self) -> list[tuple[float, Kind]]:
        read = None if self._paused else self._last_read
        return deadlines(self._timeouts, self._started, read, begun=self.begun)

    def _write(self, events: list[Event], now: float) -> None:
        self.begun = True
        record = self.record
        counts = record.events
        given: list[Event] = []
        contents = 0
        for kind, same in groupby(events, type):
            run = list(same)
            if kind in _CONTENT:
                if not contents:  # the others come at the same time
                    self._content(now)
                contents += len(run)
            elif kind in _NOTED:
                run = self._noted(kind, run, now)
                if not run:
                    continue
            counts[kind] = counts.get(kind, 0) + len(run)
            given += run
            if self.done:
                break
        if contents > 1:
            record.content_beside(contents - 1)
        if given:
            size, self._unread_bytes = self._unread_bytes, 0
            self.log.write(given, now, size)

    def _content(self, now: float) -> None:
        self.record.content(now)
        self.content = self.ready = True

    def _noted(self, kind: type[Any], run: list[Any], now: float) -> list[Event]:
        """Events of one kind, in the record, with what only the shell knows and without those that
        say nothing.
        """
        if kind is Vendor:  # it may name the model that it was asked for
            asked = {"model": self.record.upstream_model}
            return [event for event in run if event.data != asked]
        if kind is BlockStart:
            for event in run:
                if event.kind == "tool_call":  # a call without arguments has no delta
                    self._content(now)
            return run
        if kind is UsageEvent:
            self._count(run[-1])
            return run
        return [self._terminal(run[0], now)]

    def _terminal(self, event: StreamEnd | StreamError, now: float) -> Event:
        self.ready = self.done = True
        if isinstance(event, StreamEnd):
            self.record.finish = event.finish
            usage = self._closed(event.usage)
            return msgspec.structs.replace(event, usage=usage, timing=self._timing(now))
        self.failed = named(event.error, self._redactor, self.upstream)
        usage = self._closed(event.usage)
        return msgspec.structs.replace(event, usage=usage, error=self.failed)

    def _count(self, usage: Usage | UsageEvent) -> None:
        self.record.usage = usage if self._earlier is None else spent(self._earlier, usage)

    def _closed(self, usage: Usage) -> Usage:
        """At the end all is known that will be: what it cost, and what the vendor calls it."""
        cost = self._priced(usage)
        if cost != usage.cost:
            usage = msgspec.structs.replace(usage, cost=cost)
        self._count(usage)
        named = self._decoder.answer_id
        if self._redactor is None or not self._redactor.is_in(named):
            self.record.response_id = named
        return usage

    def _timing(self, now: float) -> Timing:
        first = self.record.first_content_s
        first_ms = None if first is None else round(first * 1000, 3)
        return Timing(first_ms, round((now - self.record.started) * 1000, 3))
