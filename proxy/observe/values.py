"""The numbers behind prometheus_client's metrics, added to directly.

Its own methods take a lock with every number, and ask whether the metric has labels, whether the
amount is negative and whether an exemplar is well formed, which costs more than the sum; one
request adds to some twenty. Here labels are looked up once, amounts are what the caller has made
sure of, and one thread adds. This is the only place that knows prometheus_client's insides
(`_value`, `_sum`, `_buckets`, `_upper_bounds`; of a value in a file `_file`, `_key`).
"""

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, Protocol

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.samples import Exemplar

_Parts = tuple[dict[str, str], float, float]  # of an Exemplar: labels, value, Unix time
# Whether workers share their numbers. prometheus_client decides that at its import too.
SHARED = "PROMETHEUS_MULTIPROC_DIR" in os.environ


class Number(Protocol):
    """`value` is to be added to; what is added to a counter is not negative."""

    value: float
    exemplar: _Parts | None


class _Own:
    """One that this process keeps, with the methods by which prometheus_client reads it."""

    __slots__ = ("exemplar", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.exemplar: _Parts | None = None

    def get(self) -> float:
        return self.value

    def get_exemplar(self) -> Exemplar | None:
        return None if self.exemplar is None else Exemplar(*self.exemplar)


class _Written:
    """One that all workers may read: prometheus_client writes it to a file, without an exemplar."""

    __slots__ = ("_value", "_write", "exemplar")

    def __init__(self, theirs: Any) -> None:
        self._value = float(theirs.get())
        self._write = _writer(theirs)
        self.exemplar: _Parts | None = None

    @property
    def value(self) -> float:
        return self._value

    @value.setter
    def value(self, value: float) -> None:
        self._value = value
        self._write(value)


def _writer(theirs: Any) -> Callable[[float], None]:
    """What writes their value: to its place in the file, without a lock and without the question
    whether this process is a fork, of which there are none here.
    """
    if not theirs._multiprocess:  # noqa: SLF001  as the module says
        write: Callable[[float], None] = theirs.set
        return write
    to_file, key = theirs._file.write_value, theirs._key  # noqa: SLF001
    return lambda value: to_file(key, value, 0.0)


def number_of(metric: Counter | Gauge) -> Number:
    """That of a metric without labels, or of a child. To be called once, before anything is added
    to the metric, which is then done here alone.
    """
    if SHARED:
        return _Written(metric._value)  # noqa: SLF001  as the module says
    own = metric._value = _Own()  # noqa: SLF001
    return own


class Bound(dict[tuple[str, ...], Number]):
    """The numbers of the children of a metric, by their labels: a look-up costs no lock and no
    formatting after the first.
    """

    def __init__(self, metric: Counter | Gauge) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> Number:
        found = self[labels] = number_of(self._metric.labels(*labels))
        return found


class BulkHistogram(Histogram):
    """A histogram that takes many observations at once, and one without a search of all buckets."""

    def _metric_init(self) -> None:
        super()._metric_init()
        if SHARED:
            self._total: Number = _Written(self._sum)
            self._counts: list[Number] = [*map(_Written, self._buckets)]
        else:
            self._total = self._sum = _Own()
            self._counts = self._buckets = [_Own() for _ in self._upper_bounds]

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Add one observation, in a child. `exemplar`: labels that OpenMetrics allows."""
        bucket = self._counts[bisect_left(self._upper_bounds, amount)]
        self._total.value += amount
        bucket.value += 1
        if exemplar is not None:
            bucket.exemplar = (exemplar, amount, time.time())

    def observe_buckets(self, counts: Sequence[int], total: float) -> None:
        """Add `counts[i]` observations to bucket i (one more count than bounds: the last is +Inf),
        whose values sum up to `total`.
        """
        if len(counts) != len(self._counts):
            raise ValueError(f"{len(counts)} counts for {len(self._counts)} buckets")
        for bucket, count in compress(zip(self._counts, counts, strict=True), counts):
            bucket.value += count
        self._total.value += total
