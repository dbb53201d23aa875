"""The events of one stream, in order: its source writes them, its readers follow. Plain state;
`now` is the caller's monotonic clock, in seconds.

What nobody has read yet is held, and that is all that "held before commit" means; what a reader has
taken is forgotten at once.
"""

import math
from typing import Protocol

from proxy.errors import Failure, failure
from proxy.events import TERMINAL, Event, StreamEnd, StreamError, StreamStart
from proxy.relay.said import Said


class Writes(Protocol):
    """What a source writes into."""

    def write(self, events: list[Event], now: float, size: int) -> None:
        """More events, of so many bytes of the upstream. A terminal event comes last, and once."""


class Follower(Protocol):
    """Who follows a log: a reader, and what it writes to."""

    def take(self, events: list[Event], now: float, size: int) -> None:
        """More events, of so many bytes of the upstream."""

    def stop(self) -> None:
        """Nothing more comes: the log has ended, or was interrupted. Or what came is to be read
        from the log: see `KeptLog.recall`.
        """

    def due(self) -> float:
        """When `tick` must be called, unless something was taken before."""

    def tick(self, now: float) -> None:
        """It is time to see what is due."""

    def unsent(self) -> int:
        """Bytes that it was given and has not sent."""


class Log:
    """One stream's events. Life: `write` (events are held) -> `begin` -> `follow` -> an `end`, or
    `interrupted` (see there), after which it either goes on or is given up (`surrender`).

    `end` is its terminal event. `interrupted` is the error that broke it off, while another source
    may still go on with it: no reader has seen that. `full`: its reader takes nothing for now, or,
    with `refusal`, nothing any more.
    """

    __slots__ = (
        "_follower",
        "_held",
        "_held_bytes",
        "_most_unread_bytes",
        "_until",
        "begun",
        "end",
        "full",
        "interrupted",
        "refusal",
        "said",
    )

    def __init__(self, most_unread_bytes: int) -> None:
        """`most_unread_bytes`, as the upstream sent them, are held for a reader that has begun."""
        self._most_unread_bytes = most_unread_bytes
        self._follower: Follower | None = None
        self._held: list[Event] | None = []
        self._held_bytes = 0
        self._until = math.inf
        self.begun = False
        self.end: StreamEnd | StreamError | None = None
        self.full = False
        self.interrupted: StreamError | None = None
        self.refusal: Failure | None = None
        self.said: Said | None = None

    @property
    def over(self) -> bool:
        """Nothing more comes, unless another source goes on with it."""
        return self.end is not None or self.interrupted is not None

    def write(self, events: list[Event], now: float, size: int) -> None:
        """See `Writes`."""
        if self.said is not None:
            events = self._remembered(events, self.said)
        follower = self._follower
        if follower is not None:
            follower.take(events, now, size)
        elif self._held is not None:
            self._held += events
            self._held_bytes += size
            self.full = self.begun and self._held_bytes > self._most_unread_bytes
        if events and type(events[-1]) in TERMINAL:
            self.end = events[-1]  # type: ignore[assignment]  # see there
            self._stop()
        elif self.interrupted is not None:
            self._stop()

    def begin(self, start: StreamStart, said: Said | None = None) -> None:
        """The answer is for the client: there is no way back. `said` remembers it, where another
        source may go on with it.
        """
        self.begun = True
        held = self._held or []
        if said is not None:
            self.said, self.end = said, None
            held = self._remembered(held, said)
            self.end = held[-1] if held and isinstance(held[-1], TERMINAL) else None
        self._held = [start, *held]

    def unread(self) -> tuple[list[Event], int]:
        """What nobody has read, and of how many of the upstream's bytes it is. Now it is read."""
        held, size = self._held or [], self._held_bytes
        self._held, self._held_bytes, self.full = [], 0, False
        return held, size

    def follow(self, follower: Follower, now: float) -> None:
        """Hand it what nobody has read, and from now on everything at once."""
        events, size = self.unread()
        self._held, self._follower = None, follower
        if events:
            follower.take(events, now, size)

    def leave(self, until: float = math.inf) -> None:
        """Nobody follows any more: what comes is forgotten. If nobody has come back `until` then,
        it is `deserted`.
        """
        self._follower = self._held = None
        self.full, self._until = False, until

    def surrender(self, now: float, why: Failure | None = None) -> None:
        """No source goes on: the readers are told what interrupted it, or `why` nobody goes on."""
        event, self.interrupted, self.said = self.interrupted, None, None
        assert event is not None
        self.write([event if why is None else StreamError(why, event.usage)], now, 0)

    def break_off(self, why: Failure) -> None:
        """It ends here, and its readers cannot be told."""
        self.end = StreamError(why)
        self._stop()

    def due(self) -> float:
        """When `tick` must be called, unless something is written before."""
        return self._until if self._follower is None else min(self._until, self._follower.due())

    def deserted(self, now: float) -> Failure | None:
        """Why it goes on for nobody, if nobody has come back in time."""
        if now < self._until:
            return None
        return failure("client_gone", "The client left and did not come back.")

    def tick(self, now: float) -> None:
        """It is time to see what is due."""
        if self._follower is not None:
            self._follower.tick(now)

    def waiting(self) -> int:
        """Bytes that wait for a reader, of the upstream's or of its own."""
        return self._held_bytes if self._follower is None else self._follower.unsent()

    def _remembered(self, events: list[Event], said: Said) -> list[Event]:
        for event in events:
            if isinstance(event, StreamError) and said.may_go_on(event.error):
                self.interrupted = event
                return events[:-1]
            if not isinstance(event, TERMINAL):
                said.add(event)
        return events

    def _stop(self) -> None:
        if self._follower is not None:
            self._follower.stop()
