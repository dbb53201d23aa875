"""One client that reads a log: what it gets, when it must get a sign of life, when it takes too
little, and what becomes of the answer when it leaves. Plain state; `now` is the caller's monotonic
clock, in seconds.
"""

import math

from proxy.codec.base import Encoder
from proxy.errors import Failure, failure
from proxy.events import Event
from proxy.relay.folder import Folder
from proxy.relay.kept import Kept
from proxy.settings.sections import Streams


class Reader:
    """Turns a log's events into a client's bytes.

    `full`: so much is unsent that nothing more should come. `refusal`: why it can have no more, if
    what its encoder gathers has become too much.
    """

    __slots__ = (
        "_encoder",
        "_heartbeat",
        "_heartbeat_s",
        "_kinds",
        "_last_write",
        "_most_unsent_bytes",
        "_too_much",
        "full",
        "refusal",
    )

    def __init__(
        self,
        encoder: Encoder,
        now: float,
        *,
        heartbeat_s: float,
        most_unsent_bytes: int,
        most_gathered_bytes: int,
    ) -> None:
        """`most_gathered_bytes` bounds what the encoder gathers, as the upstream sent it."""
        self._encoder = encoder
        self._heartbeat = encoder.heartbeat
        self._heartbeat_s = heartbeat_s
        self._kinds = encoder.gathers
        self._too_much = Kept(most_gathered_bytes, encoder.gathers).too_much
        self._last_write = now
        self._most_unsent_bytes = most_unsent_bytes
        self.full = False
        self.refusal: Failure | None = None

    def take(self, events: list[Event], size: int) -> bytes:
        """The bytes to write for these events, of so many bytes of the upstream."""
        if len(events) == 1:
            event = events[0]
            if type(event) in self._kinds and self._too_much(size, events):
                self.refusal = self._too_long()
            return self._encoder.encode(event)
        if self._kinds and self._too_much(size, events):
            self.refusal = self._too_long()
        return self._encoder.encode_all(events)

    def wrote(self, now: float, unsent_bytes: int) -> None:
        """Something was written, and so much of all that was is unsent."""
        self._last_write = now
        if unsent_bytes > self._most_unsent_bytes:
            self.full = True

    def drained(self) -> None:
        """It has taken most of what was written."""
        self.full = False

    def due(self) -> float:
        """When `beat` must be called, unless something is written before."""
        return self._last_write + self._heartbeat_s if self._heartbeat else math.inf

    def beat(self, now: float) -> bytes:
        """The sign of life to write now."""
        self._last_write = now
        return b"" if self.full else self._heartbeat

    def _too_long(self) -> Failure:
        advice = (
            "ask for a stream"
            if isinstance(self._encoder, Folder)
            else "native streams keep nothing"
        )
        said = (
            "What must be kept of this answer is more than limits.max_answer_bytes allows: "
            f"{advice}."
        )
        return failure("upstream_error", said)


def waits_until(streams: Streams, now: float) -> float:
    """How long an answer goes on when its client leaves now, by `on_disconnect`: not after `now`
    where it does not go on at all.
    """
    return {"cancel": now, "grace": now + streams.grace_s, "finish": math.inf}[
        streams.on_disconnect
    ]
