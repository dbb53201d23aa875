"""The parts of a stream without a socket, a clock or a wait: what is said, and who takes it."""

import math
from typing import Any

from proxy.codec.base import Decoder, Encoder
from proxy.events import BlockStart, Event, StreamStart, TextDelta, Usage
from proxy.observe.record import StreamRecord
from proxy.relay.log import Log
from proxy.relay.source import Source
from proxy.settings.sections import Timeouts

START = StreamStart("s1", "asked", "far", "theirs", 1_700_000_000)
HELLO: list[Event] = [BlockStart(0, "text"), TextDelta(0, "Hel")]


class Saying(Decoder):
    """Gives the events that it is told to, a list for each chunk; a chunk beyond them gives none."""

    def __init__(self, *said: list[Event], end: list[Event] | None = None) -> None:
        self._said = list(said)
        self._end = end or []
        self.counted = Usage()

    def feed(self, data: bytes) -> list[Event]:
        return self._said.pop(0) if self._said else []

    def close(self) -> list[Event]:
        self.done = bool(self._end)
        return self._end

    @property
    def usage(self) -> Usage:
        return self.counted


class Taking:
    """A follower that writes down what it is given."""

    def __init__(self, due: float = math.inf) -> None:
        self.taken: list[Event] = []
        self.sizes: list[int] = []
        self.stopped = 0
        self.ticks: list[float] = []
        self._due = due

    def take(self, events: list[Event], now: float, size: int) -> None:
        self.taken += events
        self.sizes.append(size)

    def stop(self) -> None:
        self.stopped += 1

    def due(self) -> float:
        return self._due

    def tick(self, now: float) -> None:
        self.ticks.append(now)

    def unsent(self) -> int:
        return sum(self.sizes)


class Words(Encoder):
    """The types of events, in brackets."""

    heartbeat = b"beat"

    def __init__(self, gathers: frozenset[Any] = frozenset()) -> None:
        self.gathers = gathers

    def encode(self, event: Event) -> bytes:
        return b"<%b>" % type(event).__name__.encode()


def source_of(decoder: Decoder, log: Log | None = None, **more: Any) -> Source:
    """One whose request went up at 100 s: 10 s for the first event, 5 s of silence, 60 s in all."""
    how: dict[str, Any] = {
        "upstream": "far",
        "timeouts": Timeouts(first_event_s=10, idle_s=5, total_s=60),
        "most_silent_bytes": 1000,
        "started": 100.0,
    }
    record = StreamRecord("r", "native", 100.0)
    record.upstream_model = "theirs"
    return Source(decoder, record, log or Log(1000), **how | more)
