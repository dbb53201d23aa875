"""A stream of this process, as the store has it."""

import asyncio
import math
from collections.abc import Callable, Sequence

from proxy.events import Event
from proxy.server.lasting import Lasting
from proxy.server.stores import layout
from proxy.server.stores.base import Generated


class Stored:
    """One stream of this process; Redis has all of its log before `number`. It follows the log (see
    `Follower`), but is no reader.
    """

    __slots__ = (
        "_hasten",
        "_mark",
        "announced",
        "closed",
        "digests",
        "folded",
        "generated",
        "headed",
        "keys",
        "known",
        "marked",
        "number",
        "renew_at",
        "run",
    )

    def __init__(
        self,
        run: Lasting,
        generated: Generated,
        digests: Sequence[bytes],
        mark: "Callable[[Stored], None]",
        hasten: Callable[[], None],
    ) -> None:
        """`hasten`: what is marked is to be written soon."""
        self.run = run
        self.generated = generated
        self.digests = digests  # by which requests find it
        self.keys = layout.keys_of(run.id)
        self.number = 0
        self.folded = 0  # before which Redis has its events only as they are folded
        self.announced = False  # Redis has what is known of it beside its log
        self.headed = False  # with what its head says
        self.closed = False  # Redis takes no more of it: others were told that this process died
        self.known = asyncio.Event()  # others can find it
        self.marked = False
        self.renew_at = 0.0
        self._mark = mark
        self._hasten = hasten

    def whole(self, number: int | None = None) -> bool:
        """Whether Redis has its end, with all before `number`."""
        log, known = self.run.log, self.number if number is None else number
        return self.closed or (log.end is not None and known >= log.next)

    def renew(self) -> None:
        """Redis may have lost some of it or all: everything is written again."""
        self.number = self.folded = 0
        self.announced = self.closed = False
        self.mark()

    def mark(self) -> None:
        """There is something to write."""
        if not self.marked:
            self.marked = True
            self._mark(self)

    def take(self, events: list[Event], now: float, size: int) -> None:  # noqa: ARG002  they lie in the log
        """See `Follower`."""
        if not self.marked:
            self.marked = True
            self._mark(self)

    def stop(self) -> None:
        """See `Follower`. A client that has the end may come back at once, elsewhere."""
        self._hasten()

    def due(self) -> float:
        """See `Follower`."""
        return math.inf

    def tick(self, now: float) -> None:
        """See `Follower`."""

    def unsent(self) -> int:
        """See `Follower`: it is no client's."""
        return 0
