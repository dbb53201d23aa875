"""Looks at many connections, in rounds: those that are due at nearly the same time are made one
after the other, by one timer. With thousands of connections a timer for each would cost more than
what is done when it is over, and would wake the process a thousand times a second.
"""

import asyncio
import math
from collections.abc import Callable

Look = Callable[[], None]

_APART_S = 0.05  # rounds, at most: in between, all that came due takes well under a millisecond
_SHARE = 16  # of a delay: no look is later than by so much


class Rounds:
    """Those of one event loop."""

    __slots__ = ("_due", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._due: dict[float, list[Look]] = {}

    def later(self, delay_s: float, look: Look) -> None:
        """Look once, in the first round after this many seconds. It cannot be taken back."""
        apart = min(_APART_S, delay_s / _SHARE)
        when = math.ceil((self.loop.time() + delay_s) / apart) * apart
        looks = self._due.get(when)
        if looks is None:
            self._due[when] = [look]
            self.loop.call_at(when, self._round, when)
        else:
            looks.append(look)

    def _round(self, when: float) -> None:
        for look in self._due.pop(when):
            try:
                look()
            except Exception as error:  # noqa: BLE001  the others are looked at all the same
                self.loop.call_exception_handler({"message": "a look failed", "exception": error})
