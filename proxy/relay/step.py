"""What one chunk does: bytes in, events, bytes out, what to record. A plain synchronous step with
no I/O and no clock of its own.
"""

from typing import get_args

import msgspec

from proxy.codec.base import Decoder, Encoder
from proxy.codec.fold import WholeAnswer
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
from proxy.relay.kept import Kept
from proxy.relay.redactor import Redactor
from proxy.relay.splice import GOES_ON, Joint, Said

_CONTENT = frozenset(CONTENT)


class Folder(Encoder):
    """Takes events instead of sending them, for a client that asked for one document."""

    content_type = ""
    heartbeat = b""
    gathers = frozenset(get_args(Event))

    def __init__(self) -> None:
        self.answer = WholeAnswer()

    def encode(self, event: Event) -> bytes:
        self.answer.add(event)
        return b""


class Translation:
    """One upstream answer on its way to one client.

    Until `commit` events are held, and `ready` turns true with the first content or terminal event;
    `commit` names the encoder and gives the first bytes; after it every `chunk` gives bytes at
    once. `failed` says how it failed, `content` whether it had any content.

    `interrupted`: it failed, and the client has not been told yet, because it was committed to with
    `goes_on`. Then either another translation takes over (`take_over`), or this one tells
    (`surrender`).
    """

    __slots__ = (
        "_decoder",
        "_encoder",
        "_held",
        "_joint",
        "_kept",
        "_record",
        "_said",
        "_upstream",
        "_veil",
        "begun",
        "content",
        "done",
        "failed",
        "interrupted",
        "ready",
    )

    def __init__(
        self,
        decoder: Decoder,
        record: StreamRecord,
        upstream: str,
        max_held_bytes: int,
        redactor: Redactor | None = None,
    ) -> None:
        self._decoder = decoder
        self._record = record
        self._upstream = upstream
        self._veil = redactor
        self._encoder: Encoder | None = None
        self._held: list[Event] = []
        self._kept: Kept | None = Kept(max_held_bytes)
        self._said: Said | None = None
        self._joint: Joint | None = None
        self.begun = False  # an event has come
        self.content = False
        self.ready = False  # content or a terminal event has come
        self.done = False
        self.failed: Failure | None = None
        self.interrupted = False

    def chunk(self, data: bytes, now: float) -> bytes:
        """The upstream sent these bytes at `now` (monotonic seconds)."""
        self._record.chunk(len(data), now)
        events = self._decoder.feed(data)
        out = self._take(events, now) if events else b""
        kept = self._kept
        if (
            kept is not None
            and kept.too_much(len(data), events)
            and not self.done
            and (self._encoder is not None or not self.ready)
        ):
            return out + self.fail(self._too_long(kept), now)
        return out

    def closed(self, now: float) -> bytes:
        """The upstream's body ended cleanly."""
        if self.done:
            return b""
        events = self._decoder.close()
        # a decoder that forgets to end is a defect; the client must not wait for it
        if not self._decoder.done:
            events = [
                *events,
                StreamError(
                    failure("internal", "The decoder gave no end to the answer."),
                    self._decoder.usage,
                ),
            ]
        return self._take(events, now)

    def fail(self, why: Failure, now: float) -> bytes:
        """The stream ends here, in an error: of the upstream's connection, of time, or ours."""
        return b"" if self.done else self._take([StreamError(why, self._decoder.usage)], now)

    def commit(
        self,
        encoder: Encoder,
        start: StreamStart,
        now: float,
        max_answer_bytes: int,
        *,
        goes_on: bool = False,
    ) -> bytes:
        """From now on the client gets this answer, in this encoder's form. `max_answer_bytes`
        bounds what the encoder gathers, and, in code points, what is remembered because the answer
        `goes_on` elsewhere when it breaks off.
        """
        if goes_on:
            self._said = Said(max_answer_bytes)
        self._kept = Kept(max_answer_bytes, encoder.gathers) if encoder.gathers else None
        first = encoder.encode(start)
        return encoder.joined([first, *self._committed(encoder, now)])

    def take_over(self, before: "Translation", announced: Vendor, now: float) -> bytes:
        """The client gets this answer as the rest of one that was interrupted. `announced` tells it
        so.
        """
        encoder, said = before._encoder, before._said  # noqa: SLF001  of the same class
        assert encoder is not None
        assert said is not None
        self._said, self._joint = said, Joint(said, before._decoder.usage)  # noqa: SLF001
        self._kept = before._kept  # noqa: SLF001
        record = self._record
        record.usage = self._joint.counted(record.usage)
        return encoder.joined([encoder.encode(announced), *self._committed(encoder, now)])

    def surrender(self, now: float, why: Failure | None = None) -> bytes:
        """No other target takes over: the client is told what interrupted this one, or `why` nobody
        goes on.
        """
        self.interrupted = False
        assert self._encoder is not None
        assert self.failed is not None
        self.failed = why or self.failed
        self._record.outcome = self.failed.kind
        usage = self._decoder.usage
        event: Event = StreamError(self.failed, usage)
        if self._joint is not None:
            event = next(self._joint.events(event))
        return self._encoder.encode(self._finished(event, now))

    @property
    def text(self) -> str:
        """What the client has been sent so far, of all answers together. Only with `goes_on`."""
        return self._said.text if self._said is not None else ""

    def record_in(self, record: StreamRecord) -> None:
        """What follows is written there."""
        self._record = record

    def _committed(self, encoder: Encoder, now: float) -> list[bytes]:
        """The frames of what was held."""
        held, self._held = self._held, []
        self._encoder = encoder
        if self._said is None:
            return [encoder.encode(self._finished(event, now)) for event in held]
        frames = []
        for event in held:
            if isinstance(event, StreamError) and self._interrupts(event):
                self.interrupted = True
            else:
                frames += self._remembered(encoder, event, now)
        return frames

    def _remembered(self, encoder: Encoder, event: Event, now: float) -> list[bytes]:
        """The frames of an event of an answer that may go on elsewhere, or that goes on from
        another one.
        """
        said = self._said
        assert said is not None
        frames = []
        for seen in (event,) if self._joint is None else self._joint.events(event):
            if not isinstance(seen, StreamEnd | StreamError):
                said.add(seen)
            frames.append(encoder.encode(self._finished(seen, now)))
        return frames

    def _interrupts(self, event: StreamError) -> bool:
        return self._said is not None and event.error.kind in GOES_ON and self._said.may_go_on

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
                # # a call without arguments has no delta
                if event.kind == "tool_call":  # type: ignore[union-attr]
                    record.content(now)
                    self.content = self.ready = True
            elif kind is UsageEvent:
                # # see `kind`
                record.usage = event if self._joint is None else self._joint.counted(event)  # type: ignore[assignment, arg-type]
            elif kind is StreamEnd or kind is StreamError:
                self._end(event)  # type: ignore[arg-type]  # `kind` says what it is
            if encoder is None:
                self._held.append(event)
            elif self._said is None:
                out.append(encoder.encode(self._finished(event, now) if self.done else event))
            elif kind is StreamError and self._interrupts(event):  # type: ignore[arg-type]  # `kind` says what it is
                self.interrupted = True
            else:
                out += self._remembered(encoder, event, now)
            if self.done:
                break
        if len(out) == 1:
            return out[0]
        return b"" if encoder is None else encoder.joined(out)

    def _end(self, event: StreamEnd | StreamError) -> None:
        self.ready = self.done = True
        record = self._record
        if isinstance(event, StreamError):
            self.failed = self._named(event.error)
            record.outcome = self.failed.kind
        else:
            record.outcome, record.finish = "completed", event.finish
        record.usage = event.usage if self._joint is None else self._joint.counted(event.usage)

    def _too_long(self, kept: Kept) -> Failure:
        if self._encoder is None:
            return failure(
                "upstream_malformed",
                f"{self._upstream} sent {kept.bytes} bytes without any content.",
            )
        advice = (
            "ask for a stream"
            if isinstance(self._encoder, Folder)
            else "native streams keep nothing"
        )
        said = (
            f"What must be kept of the answer of {self._upstream} is more than "
            f"limits.max_answer_bytes allows: {advice}."
        )
        return failure("upstream_error", said)

    def _named(self, why: Failure) -> Failure:
        """A failure that a decoder found is the upstream's; only here is its name known, and what
        it must not say.
        """
        if self._veil is not None:
            why = self._veil.over(why)
        if why.upstream is None and why.kind.startswith("upstream_"):
            return msgspec.structs.replace(why, upstream=self._upstream)
        return why

    def _finished(self, event: Event, now: float) -> Event:
        """The terminal event with what only the shell knows."""
        if isinstance(event, StreamEnd):
            record = self._record
            first = (
                None if record.first_content_s is None else round(record.first_content_s * 1000, 3)
            )
            return msgspec.structs.replace(
                event, timing=Timing(first, round((now - record.started) * 1000, 3))
            )
        if isinstance(event, StreamError):
            return msgspec.structs.replace(event, error=self._named(event.error))
        return event
