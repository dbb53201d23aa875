"""What each key used, where that is wanted (`metrics.by_key`): a label for every configured key,
and one for all subjects of tokens, who are without end.
"""

from prometheus_client import CollectorRegistry, Counter

from proxy.observe.answers import bounded
from proxy.observe.record import StreamRecord

_BY = ("key", "model")
# the label of whoever sends a signed token
SUBJECTS = "(subjects)"


class ByKey:
    """The metrics by key of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, about: str, *more: str) -> Counter:
            said = f"{about} Only with metrics.by_key."
            return Counter(f"mainstem_key_{name}", said, (*_BY, *more), registry=registry)

        self._streams = counter("streams", "Streams ended, by the key that asked.", "outcome")
        self._tokens = counter("tokens", "Tokens used, by the key that asked.", "direction")
        self._cost = counter("cost", "What answers cost, by the key that asked.")

    def flush(self, record: StreamRecord) -> None:
        """Add a stream that has ended, of a record that has a label for its key."""
        by = (record.key_label, record.model_label)
        if record.outcome is None or record.work == "count":
            return
        self._streams.labels(*by, record.outcome).inc()
        usage = record.usage
        if usage is None:
            return
        self._tokens.labels(*by, "input").inc(bounded(usage.input_tokens))
        self._tokens.labels(*by, "output").inc(bounded(usage.output_tokens))
        if usage.cost is not None:
            self._cost.labels(*by).inc(usage.cost.amount)
