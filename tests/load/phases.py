"""Times with and times without clients that mean harm, one after the other in one run: the machine
may have other work, which then falls into both.

All processes of a machine have one monotonic clock, so none must tell the others: an even phase is
quiet, in an odd one attacks begin. What still runs of them has ended before the next one.
"""

import time
from array import array
from collections import defaultdict
from statistics import median
from typing import NamedTuple

PHASE_NS = 5_000_000_000
# Attacks begin, and pieces count, from here to there in a phase: an attack lasts two seconds at
# most, and what it has left in the queues is worked off.
_BEGIN_NS, _STOP_NS = 500_000_000, 3_000_000_000
_LEAST = 100  # pieces of a phase, of which one in a hundred is looked at


def phase_of(now_ns: int) -> int | None:
    """The number of the phase; None between two."""
    number, at = divmod(now_ns, PHASE_NS)
    return number if _BEGIN_NS <= at < _STOP_NS else None


def attacking(number: int | None) -> bool:
    """Whether attacks begin in it."""
    return number is not None and number % 2 == 1


def to_attack_s() -> float:
    """How long it is until attacks begin, 0 while they do."""
    now = time.monotonic_ns()
    if attacking(phase_of(now)):
        return 0.0
    number = now // PHASE_NS
    due = (number if number % 2 else number + 1) * PHASE_NS + _BEGIN_NS
    return (due if due > now else due + 2 * PHASE_NS) / 1e9 - now / 1e9


class Felt(NamedTuple):
    """The delays' p99 in ms: the medians of the quiet phases and of those with attacks, of which
    there were so many.
    """

    alone_ms: float = 0.0
    attacked_ms: float = 0.0
    phases: int = 0

    @property
    def within_twice(self) -> bool:
        return self.phases > 0 and self.attacked_ms <= 2 * self.alone_ms

    def __str__(self) -> str:
        return (
            f"p99 {self.alone_ms:.1f} ms without, {self.attacked_ms:.1f} ms with clients that mean "
            f"harm, medians of {self.phases} pairs of phases; at most twice"
        )


class Phases:
    """The delays of pieces, by phase."""

    def __init__(self) -> None:
        self._delays: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))

    def add(self, sent_ns: int, delay_ns: int) -> None:
        number = phase_of(sent_ns)
        if number is not None:
            self._delays[number].append(delay_ns)

    def felt(self) -> Felt:
        """What the attacks changed."""
        quiet, attacked = (
            [
                sorted(delays)[len(delays) * 99 // 100] / 1e6
                for number, delays in self._delays.items()
                if attacking(number) is odd and len(delays) >= _LEAST
            ]
            for odd in (False, True)
        )
        if not quiet or not attacked:
            return Felt()
        return Felt(median(quiet), median(attacked), min(len(quiet), len(attacked)))
