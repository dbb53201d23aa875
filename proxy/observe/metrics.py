"""The Prometheus metrics. A record goes in when its stream has ended; the exposition comes out.

Labels are bounded: they are words of the code (dialect, kind, event type) or names out of the
configuration, never a client's text. With several workers PROMETHEUS_MULTIPROC_DIR names an empty
folder before this module is first imported; every worker then writes its numbers there, and any of
them can answer for all (`Metrics.exposition`).
"""

import os
from collections.abc import Sequence
from typing import Literal, get_args

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.openmetrics import exposition as openmetrics

from proxy import __version__
from proxy.events import Event, Note, Vendor, event_type
from proxy.observe.answers import Answers
from proxy.observe.by_key import ByKey
from proxy.observe.crew import (
    ABOUT_RESTARTS,
    ABOUT_STREAMS,
    RESTARTS,
    STREAMS,
    STREAMS_BY,
)
from proxy.observe.processes import Processes
from proxy.observe.record import NONE, StreamRecord
from proxy.observe.values import SHARED, Bound, number_of

# What became of a client that came back to a stream.
Resumed = Literal["attached", "snapshot", "ended", "unknown"]
# What is asked of the store of streams: to take events, to give those of others, anything else.
Operation = Literal["write", "read", "ask"]
# a vendor's may be any number of three digits
_STATUSES = {status: str(status) for status in range(100, 600)}
_STORE_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """All metrics of one registry. Make it with `make_metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._count_requests()
        self._count_upstreams()
        self._count_amounts()
        self._answers = Answers(registry)
        self._by_key = ByKey(registry)
        self._state()

    def _count_requests(self) -> None:
        about = "Requests answered, by the HTTP status that the client got."
        self._requests = self._counter("requests", about, "client_dialect", "model", "status")
        self._streams = Bound(Counter(STREAMS, ABOUT_STREAMS, STREAMS_BY, registry=self.registry))
        about = "Losses in translation: dropped, changed or defaulted parameters."
        self._notes = self._counter(
            "notes", about, "note", known=get_args(Note.__annotations__["note"])
        )

    def _count_upstreams(self) -> None:
        about = (
            "Upstreams tried, by result: ok, the kind of the failure before any byte went to "
            "the client, or why nothing was sent: "
            "circuit_open, no_room."
        )
        self._attempts = self._counter("upstream_attempts", about, "upstream", "result")
        about = "Moves to the next target of a model, by the kind of the failure."
        self._fallbacks = self._counter("fallbacks", about, "from_upstream", "to_upstream", "kind")
        about = (
            "Requests sent again after all targets of a model had failed, by the last of them and "
            "the kind of its failure."
        )
        self._retries = self._counter("retries", about, "upstream", "kind")
        about = (
            "Targets asked beside one that was slow (hedge_after_s), by whether their answer was "
            "taken: won or lost."
        )
        self._hedges = self._counter("hedges", about, "upstream", "result")
        about = "Vendor events: kept and passed on, not understood. By the upstream's dialect."
        self._opaque = self._counter("opaque", about, "dialect")

    def _count_amounts(self) -> None:
        about = "Bytes of answers: in (from upstreams) or out (to clients)."
        sizes = self._counter("bytes", about, "direction")
        self._bytes_in, self._bytes_out = sizes["in",], sizes["out",]
        types = {cls: event_type(cls) for cls in get_args(Event)}
        events = self._counter(
            "events",
            "Events out of upstreams' answers, by type.",
            "type",
            known=tuple(types.values()),
        )
        self._events = {cls: events[word,] for cls, word in types.items()}
        about = "Heartbeats sent to clients of silent streams."
        self._heartbeats = number_of(Counter("mainstem_heartbeats", about, registry=self.registry))
        about = "Log lines that could not be written, as standard error was full or closed."
        self._unlogged = Counter("mainstem_log_lines_dropped", about, registry=self.registry)

    def _state(self) -> None:
        self._open = Bound(self._gauge("streams_open", "Streams open now.", "livesum", "upstream"))
        about = "Requests that wait for a place at an upstream (max_streams) now."
        self._waiting = self._gauge("upstream_waiting", about, "livesum", "upstream")
        about = (
            "Whether nothing, or only a trial, is sent to an upstream because it failed again and "
            "again: in how many processes now."
        )
        self._circuits = self._gauge("circuit_open", about, "livesum", "upstream")
        about = "Clients that read kept streams now (streams.resume)."
        self._readers = number_of(self._gauge("readers_open", about, "livesum"))
        about = "Bytes that kept streams take, about."
        self._log_bytes = number_of(self._gauge("log_bytes", about, "livesum"))
        about = (
            "Clients that came back to a stream: attached, snapshot (what they came for is not "
            "kept one by one any more), ended (they had all of it) or unknown."
        )
        self._resumes = self._counter("resumes", about, "result", known=get_args(Resumed))
        self._store()
        about = "Times that an upstream's circuit opened."
        self._opened = self._counter("circuit_opened", about, "upstream")
        about = "Times that the configuration was read again: ok or failed."
        self._reloads = self._counter("config_reloads", about, "result", known=("ok", "failed"))
        # counted by whoever watches the workers
        Counter(RESTARTS, ABOUT_RESTARTS, registry=self.registry)
        about = (
            "Seconds by which the event loop was last late; with several workers the worst of them."
        )
        self._lag = self._gauge("event_loop_lag_seconds", about, "livemax")
        about = (
            "Tasks in the event loop, counted every few seconds: a few, and a few for each "
            "connection."
        )
        self._tasks = self._gauge("event_loop_tasks", about, "livesum")
        self._gauge(
            "build_info", "Always 1; its label says which version runs.", "livemax", "version"
        ).labels(__version__).set(1)

    def _store(self) -> None:
        about = (
            "Seconds that a store of streams (streams.resume.store) took: to write what came of "
            "all streams, to read (with the wait for more) or to be asked about one."
        )
        self._store_s = Histogram(
            "mainstem_store_seconds",
            about,
            ("operation",),
            buckets=_STORE_S,
            registry=self.registry,
        )
        about = "Times that a store of streams could not be reached, was too slow or refused."
        self._store_errors = self._counter(
            "store_errors", about, "operation", known=get_args(Operation)
        )

    def _counter(self, name: str, about: str, *labels: str, known: Sequence[str] = ()) -> Bound:
        """`known` are the values of a single label that is bounded by the code: shown as 0 before
        they first happen.
        """
        bound = Bound(Counter(f"mainstem_{name}", about, labels, registry=self.registry))
        for value in known:
            _ = bound[value,]
        return bound

    def _gauge(
        self, name: str, about: str, mode: Literal["livesum", "livemax"], *labels: str
    ) -> Gauge:
        return Gauge(
            f"mainstem_{name}", about, labels, registry=self.registry, multiprocess_mode=mode
        )

    def opened(self, upstream: str) -> None:
        """A stream from this upstream was opened; `closed` must follow."""
        self._open[upstream,].value += 1

    def closed(self, upstream: str) -> None:
        """A stream from this upstream was closed."""
        self._open[upstream,].value -= 1

    def waiting(self, upstream: str, more: int) -> None:
        """So many more requests wait for a place there; fewer, if negative."""
        self._waiting.labels(upstream).inc(more)

    def circuit(self, upstream: str, *, is_open: bool) -> None:
        """An upstream's circuit opened or closed."""
        self._circuits.labels(upstream).set(int(is_open))
        if is_open:
            self._opened[upstream,].value += 1

    def reads(self, more: int) -> None:
        """So many more clients read kept streams; fewer, if negative."""
        self._readers.value += more

    def kept(self, more_bytes: int) -> None:
        """Kept streams take so many bytes more; fewer, if negative."""
        self._log_bytes.value += more_bytes

    def resumed(self, result: Resumed) -> None:
        """A client came back to a stream."""
        self._resumes[result,].value += 1

    def stored(self, operation: Operation, seconds: float) -> None:
        """The store of streams did what it was asked for."""
        self._store_s.labels(operation).observe(seconds)

    def store_failed(self, operation: Operation) -> None:
        """It did not."""
        self._store_errors[operation,].value += 1

    def reloaded(self, *, ok: bool) -> None:
        """The configuration was read again."""
        self._reloads["ok" if ok else "failed",].value += 1

    def lag(self, seconds: float) -> None:
        """The event loop was this late."""
        self._lag.set(seconds)

    def unlogged(self, lines: int) -> None:
        """So many log lines more could not be written."""
        self._unlogged.inc(lines)

    def tasks(self, count: int) -> None:
        """The event loop had so many tasks."""
        self._tasks.set(count)

    def flush(self, record: StreamRecord) -> None:
        """Add a stream that has ended. Call it once for each record, also for requests that were
        refused.
        """
        dialect, model = record.client_dialect, record.model_label
        self._requests[dialect, model, _STATUSES.get(record.status, "other")].value += 1
        if record.outcome is not None and record.work != "count":
            self._streams[dialect, record.upstream or NONE, model, record.outcome].value += 1
        self._answers.flush(record)
        if record.key_label:
            self._by_key.flush(record)
        self._flush_amounts(record)
        for attempt in record.attempts:
            self._attempts[attempt.upstream, attempt.result].value += 1
        for fallback in record.fallbacks:
            self._fallbacks[fallback].value += 1
        for retry in record.retries:
            self._retries[retry].value += 1
        for hedge in record.hedges:
            self._hedges[hedge].value += 1
        for note in record.notes:
            self._notes[note.note,].value += 1

    def _flush_amounts(self, record: StreamRecord) -> None:
        events = self._events
        for cls, count in record.events.items():
            events[cls].value += count
        if opaque := record.events.get(Vendor):
            self._opaque[record.upstream_dialect or NONE,].value += opaque
        self._bytes_in.value += record.bytes_in
        self._bytes_out.value += record.bytes_out
        self._heartbeats.value += record.heartbeats

    def exposition(self, accept: str = "") -> tuple[str, bytes]:
        """The content type and the text for a scraper: of this process, or of all workers where
        they share a folder. In OpenMetrics, which has exemplars, for whoever accepts that (the
        library keeps none of several processes).
        """
        registry = self.registry
        if SHARED:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            registry.register(Processes(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
        if "application/openmetrics-text" in accept:
            return openmetrics.CONTENT_TYPE_LATEST, openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
        return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry)


def make_metrics(registry: CollectorRegistry | None = None) -> Metrics:
    """The metrics, on a registry of their own unless one is given."""
    # A second series beside every counter and histogram, of no use to Prometheus.
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    if registry is None:
        registry = CollectorRegistry()
        if not SHARED:
            ProcessCollector(registry=registry)
    return Metrics(registry)
