"""The places of one upstream: how many streams it may have open, and who waits for one."""

import asyncio
from collections import deque
from collections.abc import Callable


# it is a state, and the caller says what it means for the request
class Full(Exception):  # noqa: N818
    """No place, and no waiting for one (any more)."""


class Slots:
    """The streams open at one upstream. First come, first served; `most` None: no bound. `changed`
    hears how many more (or fewer) wait.
    """

    __slots__ = ("_changed", "_open", "_queue", "most", "most_waiting")

    def __init__(self, changed: Callable[[int], None]) -> None:
        self._changed = changed
        self._open = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self.most: int | None = None
        self.most_waiting = 0

    @property
    def open(self) -> int:
        return self._open

    def take(self) -> bool:
        """Take a place, if one is free and nobody waits for it; `leave` must follow."""
        taken = not self._queue and (self.most is None or self._open < self.most)
        if taken:
            self._open += 1
        return taken

    async def enter(self, wait_s: float) -> None:
        """The same. Raises Full when there is none within `wait_s`, or too many wait already."""
        if self.take():
            return
        if wait_s <= 0 or len(self._queue) >= self.most_waiting:
            raise Full
        await self._wait(wait_s)

    def leave(self) -> None:
        self._open -= 1
        self.serve()

    def serve(self) -> None:
        """Give the free places to those who wait: after a `leave`, or when there are more of
        them.
        """
        while self._queue and self._has_place():
            first = self._queue.popleft()
            if not first.done():
                self._open += 1
                first.set_result(None)

    def _has_place(self) -> bool:
        return self.most is None or self._open < self.most

    async def _wait(self, wait_s: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._changed(1)
        try:
            done, _ = await asyncio.wait((turn,), timeout=wait_s)
        except asyncio.CancelledError:
            if turn.done():  # the place was given in the moment in which the client left
                self.leave()
            raise
        finally:
            self._changed(-1)
            if not turn.done():
                turn.cancel()
                self._queue.remove(turn)
        if not done:
            raise Full
