"""The numbers behind prometheus_client's metrics, added to directly.

Its own methods ask with every number whether the metric has labels, whether the amount is negative
and whether an exemplar is well formed, which costs more than the sum; one request adds to some
twenty. Here labels are looked up once, and amounts are what the caller has made sure of. This is
the only place that knows prometheus_client's insides (`_value`, `_sum`, `_buckets`,
`_upper_bounds`).
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import compress

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.samples import Exemplar

Add = Callable[[float], None]


def adding(metric: Counter | Gauge) -> Add:
    """Adds to a metric without labels, or to a child. What is added to a counter is not
    negative.
    """
    add: Add = metric._value.inc  # noqa: SLF001  as the module says
    return add


class Bound(dict[tuple[str, ...], Add]):
    """What adds to the children of a metric, by their labels: a look-up costs no lock and no
    formatting after the first.
    """

    def __init__(self, metric: Counter | Gauge) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> Add:
        add = self[labels] = adding(self._metric.labels(*labels))
        return add


class BulkHistogram(Histogram):
    """A histogram that takes many observations at once, and one without a search of all buckets."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Add one observation, in a child. `exemplar`: labels that OpenMetrics allows."""
        bucket = self._buckets[bisect_left(self._upper_bounds, amount)]
        self._sum.inc(amount)
        bucket.inc(1)
        if exemplar is not None:
            bucket.set_exemplar(Exemplar(exemplar, amount, time.time()))

    def observe_buckets(self, counts: Sequence[int], total: float) -> None:
        """Add `counts[i]` observations to bucket i (one more count than bounds: the last is +Inf),
        whose values sum up to `total`.
        """
        if len(counts) != len(self._buckets):
            raise ValueError(f"{len(counts)} counts for {len(self._buckets)} buckets")
        for bucket, count in compress(zip(self._buckets, counts, strict=True), counts):
            bucket.inc(count)
        self._sum.inc(total)
