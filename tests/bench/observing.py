"""What metrics and log lines cost a chunk: the relay's step with the record that they are made of,
and with one that notes nothing, in turns in one process.
"""

from collections.abc import Callable
from time import monotonic

from proxy.events import Event
from proxy.observe.record import StreamRecord
from proxy.relay.reader import Reader
from tests.bench.matrix import REFERENCE
from tests.bench.micro import Taking, Turns

AIM_US = 2.0


class Unseen(StreamRecord):
    """Notes nothing of a chunk."""

    def chunk(self, size: int, now: float) -> None:
        pass

    def content(self, now: float) -> None:
        pass

    def piece(self, size: int, now: float) -> None:
        pass


class Noting(Taking):
    """A client whose deliveries are noted, as `proxy/relay/delivery.py` does it."""

    def __init__(self, reader: Reader, record: StreamRecord) -> None:
        super().__init__(reader)
        self._record = record

    def take(self, events: list[Event], now: float, size: int) -> None:
        super().take(events, now, size)
        self._record.relayed(size, monotonic() - now)


def cost_us(pieces: int = 1000, rounds: int = 40) -> float:
    """Of one chunk. Of each kind the fastest turn counts: what disturbs one only makes it
    slower."""
    unseen: Callable[[Reader, StreamRecord], Taking] = lambda reader, _: Taking(reader)  # noqa: E731
    without = Turns(REFERENCE, pieces, record=Unseen, taking=unseen)
    noted = Turns(REFERENCE, pieces, taking=Noting)
    for _ in range(rounds):
        without.turn()
        noted.turn()
    return noted.cost_us - without.cost_us


def text() -> str:
    """As a line under a table."""
    cost = cost_us()
    kept = "within" if cost <= AIM_US else "OVER"
    return (
        f"Observing (what metrics and log lines need of a chunk, {REFERENCE}): {cost:.2f} µs a "
        f"chunk ({kept} the aim of {AIM_US:g} µs)."
    )
