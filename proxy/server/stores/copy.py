"""A stream that another process generates, as far as this one has read it."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from proxy.errors import Failure, Refused, failure
from proxy.events import TERMINAL, Event, StreamError, StreamStart
from proxy.relay.kept_log import KeptLog
from proxy.server.lasting import Head, Lasting, Origin
from proxy.server.stores.layout import Batch, Past

_ANSWER_S = 2.0  # for the process that generates it to end it
_DEAF = "The process that generates this stream does not answer; try again soon."
_LOST = (
    "The rest of this answer cannot be had any more: the process that generated it is gone, or "
    "what was stored of it."
)


class Copy(Lasting):
    """Its log is written by whoever reads the store (`gain`), so that all clients of this process
    read it once. `process` is the one that generates it.
    """

    def __init__(
        self,
        origin: Origin,
        log: KeptLog,
        *,
        head: Head | None,
        process: str,
        request: bytes,
        attended: Callable[[], None],
        ask: "Callable[[Copy, Failure], Awaitable[None]]",
    ) -> None:
        """`attended` is called when a client begins to read it, `ask` has its process end it."""
        super().__init__(origin, log, request)
        self.head = head
        self.process = process
        self.idle = 0  # how often it was looked at since somebody read it
        self._has_reader = attended
        self._ask = ask

    def attend(self) -> None:
        super().attend()
        self._has_reader()

    def recall(self, past: Past) -> None:
        """What came before the entries that are stored was read."""
        if past.first <= self.log.next or self.log.end is not None:
            return
        if not self.decided:  # its readers wait for the head, which says so much
            self._begin(past.events[0] if past.events else lost())
        self.log.recall(past.first, past.events, past.order)

    def gain(self, batch: Batch, now: float) -> bool:
        """More of it was read. False: it is not taken, as something is missing before it."""
        log, events = self.log, batch.events
        known = log.next - batch.first
        if log.end is not None or not events:
            return True
        if known < 0:
            return False
        # An end that another process wrote may have a number that has been taken before.
        more = events[known:] or (events[-1:] if isinstance(events[-1], TERMINAL) else [])
        if more:
            self._write(more, now, batch.size)
        return True

    def lose(self, now: float) -> None:
        """The rest of it cannot be had: its readers are told."""
        if self.log.end is None:
            self._write([lost()], now, 0)

    def _write(self, events: list[Event], now: float, size: int) -> None:
        self._begin(events[0])
        self.log.lost = events[-1] == lost()
        self.log.write(events, now, size)
        if self.log.end is not None:
            self.log.weigh()

    def _begin(self, first: Event) -> None:
        self.log.begun = True
        if self.decided:
            return
        if isinstance(first, StreamStart):
            self.commit(Head(first.upstream, first.notes, {}))
        else:
            self.refuse(Refused(lost().error))

    async def cancel(self, why: Failure) -> None:
        if self.log.end is not None:
            return
        ending = _Ending()
        self.log.copy_to(ending)
        try:
            await self._ask(self, why)
            async with asyncio.timeout(_ANSWER_S):
                await ending.over.wait()
        except TimeoutError:
            raise Refused(failure("overloaded", _DEAF, retry_after_s=1)) from None
        finally:
            self.log.unfollow(ending)


class _Ending:
    """Waits for the end of a log. See `Follower`."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    def take(self, events: list[Event], now: float, size: int) -> None:
        """See `Follower`."""

    def stop(self) -> None:
        """See `Follower`."""
        self.over.set()

    def due(self) -> float:
        """See `Follower`."""
        return math.inf

    def tick(self, now: float) -> None:
        """See `Follower`."""

    def unsent(self) -> int:
        """See `Follower`: it is no client's."""
        return 0


def lost() -> StreamError:
    """The end of a stream whose process has died."""
    return StreamError(failure("upstream_truncated", _LOST))
