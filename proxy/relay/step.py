"""What one chunk does: bytes in, events, bytes out, what to record. A plain synchronous step with no I/O and no clock of its own."""

import msgspec

from proxy.dialects.base import Decoder, Encoder
from proxy.dialects.fold import Answer
from proxy.errors import Failure, failure
from proxy.events import (
    CONTENT,
    BlockStart,
    Event,
    StreamEnd,
    StreamError,
    StreamStart,
    Timing,
    UsageEvent,
    Vendor,
)
from proxy.observe.record import StreamRecord

_CONTENT = frozenset(CONTENT)


class Folder(Encoder):
    """Takes events instead of sending them, for a client that asked for one document."""

    content_type = ""
    heartbeat = b""

    def __init__(self) -> None:
        self.answer = Answer()

    def encode(self, event: Event) -> bytes:
        self.answer.add(event)
        return b""


class Translation:
    """One upstream answer on its way to one client.

    Until `commit` events are held, and `ready` turns true with the first content or terminal event; `commit` names the encoder and gives
    the first bytes; after it every `chunk` gives bytes at once. `failed` says how it failed, `content` whether it had any content.
    """

    __slots__ = (
        "_bytes",
        "_decoder",
        "_encoder",
        "_held",
        "_most_bytes",
        "_record",
        "_upstream",
        "begun",
        "content",
        "done",
        "failed",
        "ready",
    )

    def __init__(self, decoder: Decoder, record: StreamRecord, upstream: str, max_held_bytes: int) -> None:
        self._decoder = decoder
        self._record = record
        self._upstream = upstream
        self._encoder: Encoder | None = None
        self._held: list[Event] = []
        self._bytes = 0
        self._most_bytes: int | None = max_held_bytes
        self.begun = False  # an event has come
        self.content = False
        self.ready = False  # content or a terminal event has come
        self.done = False
        self.failed: Failure | None = None

    def chunk(self, data: bytes, now: float) -> bytes:
        """The upstream sent these bytes at `now` (monotonic seconds)."""
        self._record.chunk(len(data), now)
        events = self._decoder.feed(data)
        out = self._take(events, now) if events else b""
        if self._most_bytes is not None:
            self._bytes += len(data)
            waiting = self._encoder is not None or not self.ready
            if self._bytes > self._most_bytes and waiting and not self.done:
                return out + self.fail(self._too_long(), now)
        return out

    def closed(self, now: float) -> bytes:
        """The upstream's body ended cleanly."""
        if self.done:
            return b""
        events = self._decoder.close()
        if not self._decoder.done:  # a decoder that forgets to end is a defect; the client must not wait for it
            events = [*events, StreamError(failure("internal", "The decoder gave no end to the answer."), self._decoder.usage)]
        return self._take(events, now)

    def fail(self, why: Failure, now: float) -> bytes:
        """The stream ends here, in an error: of the upstream's connection, of time, or ours."""
        return b"" if self.done else self._take([StreamError(why, self._decoder.usage)], now)

    def commit(self, encoder: Encoder, start: StreamStart, now: float, most_bytes: int | None = None) -> bytes:
        """From now on the client gets this answer, in this encoder's form. `most_bytes` is given when the encoder gathers instead of
        sending.
        """
        self._encoder = encoder
        self._bytes, self._most_bytes = 0, most_bytes
        held, self._held = self._held, []
        first = encoder.encode(start)
        return encoder.joined([first, *(encoder.encode(self._finished(event, now)) for event in held)])

    def _take(self, events: list[Event], now: float) -> bytes:
        self.begun = True
        record = self._record
        counts = record.events
        encoder = self._encoder
        out: list[bytes] = []
        for event in events:
            kind = type(event)
            if kind is Vendor and event.data == {"model": record.upstream_model}:  # type: ignore[union-attr]
                continue  # it names the model that it was asked for: that says nothing
            counts[kind] = counts.get(kind, 0) + 1
            if kind in _CONTENT:
                record.content(now)
                self.content = self.ready = True
            elif kind is BlockStart:
                if event.kind == "tool_call":  # type: ignore[union-attr]  # a call without arguments has no delta
                    record.content(now)
                    self.content = self.ready = True
            elif kind is UsageEvent:
                record.usage = event  # type: ignore[assignment]  # `kind` says what it is
            elif kind is StreamEnd or kind is StreamError:
                self._end(event)
            if encoder is None:
                self._held.append(event)
            else:
                out.append(encoder.encode(self._finished(event, now) if self.done else event))
            if self.done:
                break
        if len(out) == 1:
            return out[0]
        return b"" if encoder is None else encoder.joined(out)

    def _end(self, event: Event) -> None:
        self.ready = self.done = True
        record = self._record
        if isinstance(event, StreamError):
            self.failed = self._named(event.error)
            record.outcome, record.usage = self.failed.kind, event.usage
        elif isinstance(event, StreamEnd):
            record.outcome, record.usage, record.finish = "completed", event.usage, event.finish

    def _too_long(self) -> Failure:
        if self._encoder is None:
            return failure("upstream_malformed", f"{self._upstream} sent {self._bytes} bytes without any content.")
        return failure(
            "upstream_error",
            f"The answer of {self._upstream} is longer than {self._most_bytes} bytes (limits.max_answer_bytes): ask for a stream.",
        )

    def _named(self, why: Failure) -> Failure:
        """A failure that a decoder found is the upstream's; only here is its name known."""
        if why.upstream is None and why.kind.startswith("upstream_"):
            return msgspec.structs.replace(why, upstream=self._upstream)
        return why

    def _finished(self, event: Event, now: float) -> Event:
        """The terminal event with what only the shell knows."""
        if isinstance(event, StreamEnd):
            record = self._record
            first = None if record.first_content_s is None else round(record.first_content_s * 1000, 3)
            return msgspec.structs.replace(event, timing=Timing(first, round((now - record.started) * 1000, 3)))
        if isinstance(event, StreamError):
            return msgspec.structs.replace(event, error=self._named(event.error))
        return event
