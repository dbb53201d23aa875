"""Looks at many connections, by one timer."""

import asyncio
from typing import Any

from proxy.server.rounds import _APART_S, _SHARE, Rounds


class Loop(asyncio.AbstractEventLoop):
    """One whose time is told; it notes what is to be called when."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Any, tuple[Any, ...]]] = []
        self.told: list[dict[str, Any]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        self.timers.append((when, callback, args))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.told.append(context)

    def run_until(self, now: float) -> None:
        self.now = now
        due = [each for each in self.timers if each[0] <= now]
        self.timers = [each for each in self.timers if each[0] > now]
        for _, callback, args in due:
            callback(*args)


def test_a_thousand_looks_take_as_many_timers_as_there_are_rounds() -> None:
    loop, looked = Loop(), []
    rounds = Rounds(loop)
    for number in range(1000):
        loop.now = 100 + number / 1000
        rounds.later(5, lambda number=number: looked.append(number))  # type: ignore[misc]
    assert len(loop.timers) <= 1 / _APART_S + 1

    loop.run_until(200)
    assert list(range(1000)) == sorted(looked)


def test_a_look_is_never_early_and_hardly_late() -> None:
    for delay_s in (0.01, 0.0625, 1.0, 3.75, 40.0):
        for begun in (100.0, 100.013, 100.05, 100.9999):
            loop = Loop()
            loop.now = begun
            Rounds(loop).later(delay_s, list)
            (when, _, _) = loop.timers[0]
            late = when - (begun + delay_s)
            assert -1e-9 <= late <= min(_APART_S, delay_s / _SHARE) + 1e-9


def test_a_look_that_looks_again_does_so_in_a_later_round() -> None:
    loop, looked = Loop(), []
    rounds = Rounds(loop)

    def look() -> None:
        looked.append(loop.now)
        rounds.later(1, look)

    rounds.later(1, look)
    for now in range(1, 6):
        loop.run_until(100 + now * (1 + _APART_S))
    assert len(looked) == 5


def test_a_look_that_fails_takes_no_other_with_it() -> None:
    loop, looked = Loop(), []
    rounds = Rounds(loop)
    rounds.later(1, lambda: 1 // 0)
    rounds.later(1, lambda: looked.append(1))

    loop.run_until(102)
    assert looked == [1]
    assert isinstance(loop.told[0]["exception"], ZeroDivisionError)
