"""What is measured of answers: their times and tokens, by upstream and model.

Both labels are configured names, or `none`, so that there are never more series than pairs of them
in the configurations that this process has read. What belongs to a pair is looked up once a stream,
at its end.
"""

from collections.abc import Sequence
from itertools import compress
from operator import attrgetter
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter

from proxy.events import MAX_COUNT
from proxy.observe.record import EVENT_GAP_S, NONE, RELAY_DELAY_S, StreamRecord
from proxy.observe.values import Bound, BulkHistogram, Number

_FIRST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_STREAM_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_TOKENS_PER_SECOND = (1, 2.5, 5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500, 1000)
_BY = ("upstream", "model")
# The direction of what a usage counts: `input` and `output` are all of one, the others parts of
# them.
_COUNTS = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cached_input_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
    "audio_input_tokens": "audio",
    "audio_output_tokens": "audio",
}
_counts = attrgetter(*_COUNTS)
_NO_TOKENS = (0,) * len(_COUNTS)

_MAX_EXAMPLE_CHARS = 100  # OpenMetrics allows 128 for all labels of an exemplar


class _Pair(NamedTuple):
    """The metrics of one upstream and model."""

    first_byte: BulkHistogram
    first_content: BulkHistogram
    gap: BulkHistogram
    delay: BulkHistogram
    length: BulkHistogram
    speed: BulkHistogram
    tokens: tuple[Number, ...]  # in the order of _COUNTS


class Answers:
    """The metrics of all answers of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, about: str, buckets: Sequence[float]) -> BulkHistogram:
            return BulkHistogram(f"mainstem_{name}", about, _BY, buckets=buckets, registry=registry)

        self._pairs: dict[tuple[str, str], _Pair] = {}
        about = (
            "Seconds from the request to the first bytes of the upstream's answer, one "
            "observation a stream; what other upstreams took before it is in them."
        )
        self._first_byte = histogram("first_byte_seconds", about, _FIRST_S)
        about = (
            "Seconds from the request to the first content; a chunk that only names the role is "
            "none."
        )
        self._first_content = histogram("first_content_seconds", about, _FIRST_S)
        about = "Seconds between two content events of a stream."
        self._gap = histogram("event_gap_seconds", about, EVENT_GAP_S)
        about = (
            "Seconds from reading a chunk to having written what it gave: the delay that the "
            "proxy adds."
        )
        self._delay = histogram("relay_delay_seconds", about, RELAY_DELAY_S)
        about = "Seconds from the request to the end of its stream."
        self._length = histogram("stream_seconds", about, _STREAM_S)
        about = (
            "Tokens of an answer a second, from its first content to its last, where the vendor "
            "counted them: one observation for each complete answer."
        )
        self._speed = histogram("output_tokens_per_second", about, _TOKENS_PER_SECOND)
        about = (
            "Tokens, as the vendors counted them: input (prompts) and output (answers); of these, "
            "cache_read, cache_write, reasoning and audio."
        )
        by = (*_BY, "direction")
        self._tokens = Bound(Counter("mainstem_tokens", about, by, registry=registry))
        about = (
            "What answers cost, in costs.currency, by the prices of the configuration or of the "
            "table; answers whose price is not known are not in it."
        )
        self._cost = Bound(Counter("mainstem_cost", about, _BY, registry=registry))

    def flush(self, record: StreamRecord) -> None:
        """Add a stream that has ended, or another work."""
        # a request that reached no upstream has nothing to add
        if record.upstream or record.delay_counts is not None:
            if record.work != "count":
                self._flush_times(record, self._of(record.upstream or NONE, record.model_label))
            self._flush_usage(record)

    def _of(self, upstream: str, model: str) -> _Pair:
        pair = self._pairs.get((upstream, model))
        if pair is None:
            pair = self._pairs[upstream, model] = _Pair(
                self._first_byte.labels(upstream, model),
                self._first_content.labels(upstream, model),
                self._gap.labels(upstream, model),
                self._delay.labels(upstream, model),
                self._length.labels(upstream, model),
                self._speed.labels(upstream, model),
                tuple(self._tokens[upstream, model, word] for word in _COUNTS.values()),
            )
        return pair

    def _flush_times(self, record: StreamRecord, to: _Pair) -> None:
        example = _example(record)
        if record.first_byte_s is not None:
            to.first_byte.observe(record.first_byte_s, example)
        if record.first_content_s is not None:
            to.first_content.observe(record.first_content_s, example)
        if record.ended_s is not None and record.upstream:
            to.length.observe(record.ended_s, example)
        speed = _speed(record)
        if speed is not None:
            to.speed.observe(speed, example)
        if record.gap_counts is not None:
            to.gap.observe_buckets(record.gap_counts, record.gap_total_s)
        if record.delay_counts is not None:
            to.delay.observe_buckets(record.delay_counts, record.delay_total_s)

    def _flush_usage(self, record: StreamRecord) -> None:
        """Each target of a stream that went on elsewhere gets what was used there: the record's
        counts are of all targets so far.
        """
        model, before, paid = record.model_label, _NO_TOKENS, 0.0
        for name, usage in (*record.earlier, (record.upstream, record.usage)):
            if usage is None:
                continue
            upstream, after = name or NONE, _counts(usage)
            each = zip(self._of(upstream, model).tokens, after, before, strict=True)
            for tokens, now, then in compress(each, after):
                tokens.value += max(bounded(now) - bounded(then), 0)
            before = after
            if usage.cost is not None:  # a series of noughts would say that it is free
                self._cost[upstream, model].value += max(usage.cost.amount - paid, 0.0)
                paid = usage.cost.amount


def _example(record: StreamRecord) -> dict[str, str] | None:
    """The exemplar of an observation (OpenMetrics): where to look in the log."""
    name = record.request_id
    return {"request_id": name} if len(name) <= _MAX_EXAMPLE_CHARS else None


def _speed(record: StreamRecord) -> float | None:
    """None where it cannot be told: of an answer that is not whole, that several targets gave, or
    that came at once.
    """
    tokens = None if record.usage is None else record.usage.output_tokens
    if record.finish is None or record.earlier or not tokens or record.speaking_s <= 0:
        return None
    return bounded(tokens) / record.speaking_s


def bounded(count: int | None) -> int:
    """What a counter may be given: vendors do send negative counts, with which it would go down,
    and larger ones than a float can hold.
    """
    return min(max(count, 0), MAX_COUNT) if count else 0
