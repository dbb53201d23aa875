"""What is read of other processes' streams: one that cannot be read costs none of the others."""

from typing import Any

from proxy.errors import failure
from proxy.events import Event, StreamError, TextDelta
from proxy.server.stores import layout
from proxy.server.stores.copy import lost
from proxy.server.stores.tail import Tail
from tests.relay.parts import Taking
from tests.server.stores.test_copy import EVENTS, made


class Broken(Taking):
    """A reader whose encoder knows no such order of events."""

    def take(self, events: list[Event], now: float, size: int) -> None:
        if isinstance(events[0], TextDelta):
            raise KeyError(events[0].block)
        super().take(events, now, size)


def entry(first: int, *events: Event) -> tuple[str, dict[bytes, bytes]]:
    said: tuple[Any, ...] = layout.entry(first, events)
    return said[0], {b"n": said[2].encode(), b"e": said[4]}


async def test_events_that_break_a_reader_end_their_stream_alone() -> None:
    (one, reader), (other, others) = made(), made()
    broken = Broken()
    one.log.follow(broken, 0.0)
    tail = Tail(None, "p", lambda _stream, _why: None)  # type: ignore[arg-type]  # nothing is asked
    end = StreamError(failure("cancelled", "Somebody asked."))
    await tail._gain(one, [entry(0, *EVENTS[:2]), entry(2, TextDelta(99, "x"))])
    await tail._gain(other, [entry(0, *EVENTS[:2]), entry(2, end)])
    assert [*EVENTS[:2], TextDelta(99, "x"), lost()] == reader.taken
    assert [*EVENTS[:2], lost()] == broken.taken
    assert [*EVENTS[:2], end] == others.taken
