"""A log that is kept: readers in any number follow it, from its beginning or from any event in it,
each at its own pace, also after its end.
"""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from proxy.events import TERMINAL, Event, StreamStart
from proxy.relay.log import Follower, Log
from proxy.relay.said import Said
from proxy.relay.snapshot import Order, Snapshot

# What an event takes in memory beside the bytes that it came in.
_EVENT_BYTES = 100
# By which what a log takes may differ from what it has told, so that not each chunk tells it.
_UNTOLD_BYTES = 4096
# Of the events that are dropped, so that not each one moves all the others.
_DROPPED_SHARE = 4
# The number of the end of a log that was lost: of its source no event can have it.
_LOST = 10**11 - 1
# Handed to a reader at a time, which may have missed thousands.
MOST_AT_ONCE = 200
_NOTHING = Snapshot()  # of every log whose events are all kept, as most are


class Weighs(Protocol):
    """Who is told what a log takes in memory."""

    def __call__(self, more_bytes: int) -> None:
        """So many bytes more, or fewer if negative."""


class KeptLog(Log):
    """Events have numbers from 0, which is the `StreamStart`. Those from `first` on are kept one by
    one, up to `most_bytes`; what came before them is folded into a snapshot, as long as that is no
    larger either.

    `lost`: its end was written for a source that has died, of which readers may have had more. So
    it has a number of its own, and is read by itself: see `last`.

    A reader that is slow misses nothing: it reads from here when it can. So nobody slows the
    source, and `full` is never true.
    """

    __slots__ = (
        "_batches",
        "_copies",
        "_events",
        "_followers",
        "_most_bytes",
        "_snapshot",
        "_told_bytes",
        "_weighs",
        "_window_bytes",
        "bytes",
        "first",
        "lost",
    )

    def __init__(self, most_bytes: int, weighs: Weighs) -> None:
        super().__init__(sys.maxsize)
        self._held = None
        self._most_bytes = most_bytes
        self._weighs = weighs
        self._events: list[Event] = []
        # what was written at a time: how many events, and what they weigh
        self._batches: deque[tuple[int, int]] = deque()
        self._snapshot: Snapshot | None = _NOTHING
        self._followers: tuple[Follower, ...] = ()
        self._copies: tuple[Follower, ...] = ()
        self._window_bytes = 0
        # beyond which what it takes must be told
        self._told_bytes = min(_UNTOLD_BYTES, most_bytes)
        self.bytes = 0  # with those of the snapshot, as they were told last
        self.first = 0
        self.lost = False

    @property
    def next(self) -> int:
        """The number that the next event will have."""
        return self.first + len(self._events)

    @property
    def last(self) -> int:
        """The number of the newest event, as its readers know it."""
        return _LOST if self.lost else self.next - 1

    @property
    def readers(self) -> int:
        """How many follow it now."""
        return len(self._followers)

    def begin(
        self,
        start: StreamStart,
        said: Said | None = None,
        held: Sequence[Event] = (),
        now: float = 0.0,
        size: int = 0,
    ) -> None:
        """See `Log.begin`. Whoever follows already gets the start, and what was `held` elsewhere,
        of so many bytes of the upstream.
        """
        self.begun, self.said = True, said
        self.write([start, *held], now, size)

    def write(self, events: list[Event], now: float, size: int) -> None:
        """See `Writes`."""
        if self.said is not None:
            events = self._remembered(events, self.said)
        if events:
            weight = size + _EVENT_BYTES * len(events)
            self._events += events
            self._batches.append((len(events), weight))
            self._window_bytes += weight
            if type(events[-1]) in TERMINAL:
                self.end = events[-1]  # type: ignore[assignment]  # see there
            for follower in self._followers:
                follower.take(events, now, size)
            for follower in self._copies:
                follower.take(events, now, size)
            if self._window_bytes > self._told_bytes:  # after those who wait for the events
                self.weigh()
        if self.end is not None or self.interrupted is not None:
            self._stop()

    def since(self, number: int) -> tuple[list[Event], int] | None:
        """Events from this number on, some at a time, and about how many of the upstream's bytes
        they were. None: it is not kept any more.
        """
        at = number - self.first
        if at < 0:
            return None
        events = self._events[at : at + MOST_AT_ONCE]
        if self.lost and len(events) > 1 and at + len(events) == len(self._events):
            del events[-1]
        return events, self._window_bytes * len(events) // max(len(self._events), 1)

    def folded(self) -> list[Event] | None:
        """All events before `first`, as few as can say the same. None: they were too many to be
        kept even so.
        """
        return None if self._snapshot is None else self._snapshot.said()

    def follow(self, follower: Follower, now: float) -> None:  # noqa: ARG002  it asks for what it has missed
        """From now on it gets everything at once."""
        self._followers = (*self._followers, follower)

    def copy_to(self, follower: Follower) -> None:
        """Like `follow`, for one that is no client's."""
        self._copies = (*self._copies, follower)

    def unfollow(self, follower: Follower) -> None:
        """It gets nothing any more."""
        self._followers = tuple(each for each in self._followers if each is not follower)
        self._copies = tuple(each for each in self._copies if each is not follower)

    @property
    def order(self) -> Order | None:
        """How the events before `first` came one by one; None: that is not known."""
        return None if self._snapshot is None else self._snapshot.order

    def replayed(self, number: int = 0) -> Iterator[Event] | None:
        """The events before `first` one by one, from this number on; also those that come to be
        before it meanwhile. None: they are not kept so.
        """
        snapshot = self._own_snapshot()
        if snapshot is None or snapshot.order is None:
            return None
        return snapshot.replayed(number)

    def recall(self, first: int, folded: list[Event] | None, order: Order | None) -> None:
        """It goes on with event `first`, which it need not have reached yet; what came before is
        said by these, see `folded` and `order`. Who follows it reads that first.
        """
        self.first, self.begun = first, True
        self._events, self._window_bytes = [], 0
        self._batches.clear()
        self._snapshot = None if folded is None else Snapshot()
        if self._snapshot is not None and folded is not None:
            self._snapshot.recall(folded, order)
        self.weigh()
        for follower in self._followers:
            follower.stop()

    def forget(self) -> None:
        """It is not kept any more, but for those who read it now."""
        self._weighs(-self.bytes)
        self._weighs = _nobody

    def waiting(self) -> int:
        """See `Log.waiting`: of the reader that has most of them."""
        return max((follower.unsent() for follower in self._followers), default=0)

    def _fold(self) -> None:
        """Drop the oldest events, but for their meaning."""
        dropped, left = 0, self._most_bytes - self._most_bytes // _DROPPED_SHARE
        while self._window_bytes > left and len(self._batches) > 1:
            count, weight = self._batches.popleft()
            dropped += count
            self._window_bytes -= weight
        snapshot = self._own_snapshot()
        if snapshot is not None:
            snapshot.add(self._events[:dropped])
            if snapshot.bytes > self._most_bytes:
                self._snapshot = None
        del self._events[:dropped]
        self.first += dropped

    def _own_snapshot(self) -> Snapshot | None:
        if self._snapshot is _NOTHING:
            self._snapshot = Snapshot()
        return self._snapshot

    def weigh(self) -> None:
        """Tell what it takes now, which is no more than it may: also at its end, when whoever waits
        for that has it.
        """
        if self._window_bytes > self._most_bytes:
            self._fold()
        self._told_bytes = min(self._window_bytes + _UNTOLD_BYTES, self._most_bytes)
        weight = self._window_bytes + (0 if self._snapshot is None else self._snapshot.bytes)
        self._weighs(weight - self.bytes)
        self.bytes = weight

    def _stop(self) -> None:
        for follower in (*self._followers, *self._copies):
            follower.stop()


def _nobody(more_bytes: int) -> None:
    """It is not counted any more."""
