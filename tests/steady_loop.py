"""The event loop of the tests: its clock stands still while the system lets other processes run.

On a busy machine a process may have no core for a tenth of a second. To the loop that had waited, both
a timer and the bytes that would have made it needless are there after that, and the one that is served
first is a matter of luck: a test with a short timer would fail now and then. So the clock counts what
the test does itself: the processor time of its thread, and the waiting that the loop asked for, when
nothing was there to be read. Bytes that are there already come before any timer.
"""

import asyncio
import selectors
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Any

_Ready = list[tuple[selectors.SelectorKey, int]]


class _Waiting:
    """A selector that counts how long was waited: never longer than was asked for."""

    def __init__(self, inner: selectors.BaseSelector, now: Callable[[], float] = monotonic) -> None:
        self.waited_s = 0.0
        self._inner = inner
        self._now = now

    def select(self, timeout: float | None = None) -> _Ready:
        ready = self._inner.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        began = self._now()
        ready = self._inner.select(timeout)
        waited = self._now() - began
        self.waited_s += waited if timeout is None else min(waited, timeout)
        return ready

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class SteadyLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop with that clock. It is asked for the time by its own thread alone."""

    def __init__(self) -> None:
        self._waiting = _Waiting(selectors.DefaultSelector())
        super().__init__(self._waiting)  # type: ignore[arg-type]  # it has all that a selector has

    def time(self) -> float:
        return thread_time() + self._waiting.waited_s
