"""The metrics: names, labels, numbers, and the text that Prometheus reads."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from proxy.events import MAX_COUNT, Cost, Finish, Note, TextDelta, Usage, Vendor
from proxy.observe import values
from proxy.observe.metrics import Metrics, make_metrics
from proxy.observe.record import EVENT_GAP_S, RELAY_DELAY_S, Attempt, StreamRecord
from proxy.observe.values import Bound, BulkHistogram, number_of
from tests.needs import program, requires

CHECKOUT = Path(__file__).parents[2]

# design.md, section 7: the names and labels that dashboards and alerts depend on.
CONTRACT = {
    "requests_total": {"client_dialect", "model", "status"},
    "streams_total": {"client_dialect", "upstream", "model", "outcome"},
    "streams_open": {"upstream"},
    "first_byte_seconds": {"upstream", "model"},
    "first_content_seconds": {"upstream", "model"},
    "event_gap_seconds": {"upstream", "model"},
    "relay_delay_seconds": {"upstream", "model"},
    "stream_seconds": {"upstream", "model"},
    "tokens_total": {"upstream", "model", "direction"},
    "cost_total": {"upstream", "model"},
    "output_tokens_per_second": {"upstream", "model"},
    "key_streams_total": {"key", "model", "outcome"},
    "key_tokens_total": {"key", "model", "direction"},
    "key_cost_total": {"key", "model"},
    "events_total": {"type"},
    "bytes_total": {"direction"},
    "upstream_attempts_total": {"upstream", "result"},
    "fallbacks_total": {"from_upstream", "to_upstream", "kind"},
    "retries_total": {"upstream", "kind"},
    "hedges_total": {"upstream", "result"},
    "circuit_open": {"upstream"},
    "circuit_opened_total": {"upstream"},
    "readers_open": set(),
    "log_bytes": set(),
    "resumes_total": {"result"},
    "store_errors_total": {"operation"},
    "store_seconds": {"operation"},
    "upstream_waiting": {"upstream"},
    "heartbeats_total": set(),
    "log_lines_dropped_total": set(),
    "opaque_total": {"dialect"},
    "notes_total": {"note"},
    "config_reloads_total": {"result"},
    "worker_restarts_total": set(),
    "event_loop_lag_seconds": set(),
    "event_loop_tasks": set(),
    "build_info": {"version"},
}


def stream() -> StreamRecord:
    """One that has met nearly everything."""
    record = StreamRecord("req-1", "openai_chat", 100.0)
    record.model, record.model_label = "whatever the client wrote", "*"
    record.upstream, record.upstream_dialect, record.upstream_model = "second", "anthropic", "m"
    record.attempts = [
        Attempt("first", "overloaded", "m", 0.0, 0.1),
        Attempt("second", "ok", "m", 0.1, 0.2),
    ]
    record.fallbacks = [("first", "second", "overloaded")]
    record.retries = [("second", "overloaded")]
    record.hedges = [("second", "won")]
    record.notes = [
        Note("dropped", "seed", "It has no seed."),
        Note("defaulted", "max_tokens", "It insists."),
    ]
    record.chunk(100, 100.2)
    for now in (100.3, 100.34, 100.6):
        record.content(now)
        record.relayed(100, 0.0002)
    record.heartbeats = 2
    record.events = {TextDelta: 3, Vendor: 4}
    record.usage = Usage(
        input_tokens=70,
        output_tokens=30,
        cached_input_tokens=20,
        cache_write_tokens=10,
        reasoning_tokens=9,
        audio_input_tokens=5,
        audio_output_tokens=3,
        cost=Cost(0.25, "USD"),
    )
    record.finish, record.key_label = Finish("stop"), "web"
    record.end("completed", 200, 101.0)
    return record


KEY, MODEL = ("key", "web"), ("model", "*")
PAIR = (("upstream", "second"), ("model", "*"))  # of that stream


def samples(metrics: Metrics) -> Iterator[Sample]:
    _, text = metrics.exposition()
    for family in text_string_to_metric_families(text.decode()):
        yield from family.samples


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return next(
        (s.value for s in samples(metrics) if s.name == f"mainstem_{name}" and labels == s.labels),
        None,
    )


def test_names_and_labels_are_those_of_the_contract() -> None:
    """Every metric is there, with exactly its labels."""
    metrics = make_metrics()
    metrics.opened("second")
    metrics.waiting("second", 1)
    metrics.circuit("first", is_open=True)
    metrics.stored("write", 0.001)
    metrics.flush(stream())
    found: dict[str, set[str]] = {}
    for sample in samples(metrics):
        if sample.name.startswith("mainstem_"):
            base = sample.name.removeprefix("mainstem_")
            for suffix in ("_bucket", "_sum", "_count"):
                base = base.removesuffix(suffix)
            found.setdefault(base, set()).update(set(sample.labels) - {"le"})
    assert CONTRACT == found


def test_a_stream_is_counted_once_in_everything() -> None:
    """What the record says is what the metrics say."""
    metrics = make_metrics()
    metrics.flush(stream())
    expected = {
        ("requests_total", ("client_dialect", "openai_chat"), ("model", "*"), ("status", "200")): 1,
        (
            "streams_total",
            ("client_dialect", "openai_chat"),
            ("upstream", "second"),
            ("model", "*"),
            ("outcome", "completed"),
        ): 1,
        ("upstream_attempts_total", ("upstream", "first"), ("result", "overloaded")): 1,
        ("upstream_attempts_total", ("upstream", "second"), ("result", "ok")): 1,
        (
            "fallbacks_total",
            ("from_upstream", "first"),
            ("to_upstream", "second"),
            ("kind", "overloaded"),
        ): 1,
        ("tokens_total", *PAIR, ("direction", "input")): 70,
        ("tokens_total", *PAIR, ("direction", "output")): 30,
        ("tokens_total", *PAIR, ("direction", "cache_read")): 20,
        ("tokens_total", *PAIR, ("direction", "cache_write")): 10,
        ("tokens_total", *PAIR, ("direction", "reasoning")): 9,
        ("tokens_total", *PAIR, ("direction", "audio")): 8,
        ("cost_total", *PAIR): 0.25,
        ("output_tokens_per_second_count", *PAIR): 1,
        ("key_streams_total", KEY, MODEL, ("outcome", "completed")): 1,
        ("key_tokens_total", KEY, MODEL, ("direction", "input")): 70,
        ("key_tokens_total", KEY, MODEL, ("direction", "output")): 30,
        ("key_cost_total", KEY, MODEL): 0.25,
        ("bytes_total", ("direction", "in")): 100,
        ("bytes_total", ("direction", "out")): 300,
        ("events_total", ("type", "text.delta")): 3,
        ("events_total", ("type", "vendor")): 4,
        ("opaque_total", ("dialect", "anthropic")): 4,
        ("notes_total", ("note", "dropped")): 1,
        ("notes_total", ("note", "changed")): 0,
        ("notes_total", ("note", "defaulted")): 1,
        ("heartbeats_total",): 2,
        ("first_byte_seconds_count", *PAIR): 1,
        ("first_content_seconds_count", *PAIR): 1,
        ("event_gap_seconds_count", *PAIR): 2,
        ("relay_delay_seconds_count", *PAIR): 3,
        ("stream_seconds_count", *PAIR): 1,
        ("stream_seconds_sum", *PAIR): 1,
    }
    assert expected == {
        (name, *labels): value(metrics, name, **dict(labels)) for name, *labels in expected
    }
    assert value(metrics, "event_gap_seconds_sum", **dict(PAIR)) == pytest.approx(0.3)
    assert value(metrics, "first_byte_seconds_sum", **dict(PAIR)) == pytest.approx(0.2)
    assert value(metrics, "first_content_seconds_sum", **dict(PAIR)) == pytest.approx(0.3)
    # 30 tokens within the 0.3 s from its first content to its last
    assert value(metrics, "output_tokens_per_second_sum", **dict(PAIR)) == pytest.approx(100)


def test_a_refused_request_is_counted_without_an_upstream() -> None:
    """No times, no upstream, no model of the configuration: `none`."""
    metrics = make_metrics()
    record = StreamRecord("req-1", "anthropic", 100.0)
    record.model = "no-such-model"
    record.end("model_not_found", 404, 100.1)
    metrics.flush(record)
    assert (
        value(metrics, "requests_total", client_dialect="anthropic", model="none", status="404")
        == 1
    )
    assert (
        value(
            metrics,
            "streams_total",
            client_dialect="anthropic",
            upstream="none",
            model="none",
            outcome="model_not_found",
        )
        == 1
    )
    assert value(metrics, "stream_seconds_count", upstream="none", model="none") is None


def test_no_label_comes_from_a_client() -> None:
    """The model that was asked for is not among them."""
    metrics = make_metrics()
    metrics.flush(stream())
    assert b"whatever the client wrote" not in metrics.exposition()[1]


def test_the_speed_of_an_answer_is_told_only_where_it_is_known() -> None:
    """Not of one that broke off, came at once, was not counted, or went on elsewhere."""
    metrics = make_metrics()
    broken, at_once, uncounted, spliced = stream(), stream(), stream(), stream()
    broken.finish = None
    at_once._last_content = at_once.started + (at_once.first_content_s or 0)
    uncounted.usage = Usage(7)
    spliced.earlier = [("first", Usage())]
    for record in (broken, at_once, uncounted, spliced):
        metrics.flush(record)
    assert 0 == value(metrics, "output_tokens_per_second_count", **dict(PAIR))


def test_who_accepts_openmetrics_gets_exemplars_with_the_id_in_the_log() -> None:
    """The library's own parser reads them."""
    metrics = make_metrics()
    metrics.flush(stream())
    kind, text = metrics.exposition("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    found = {
        (sample.name, sample.exemplar.labels["request_id"])
        for family in openmetrics.text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.exemplar is not None
    }
    times = ("first_byte_seconds", "first_content_seconds", "stream_seconds")
    names = (*times, "output_tokens_per_second")
    assert {(f"mainstem_{name}_bucket", "req-1") for name in names} == found
    assert "text/plain" in metrics.exposition("text/plain;version=0.0.4")[0]


def test_series_are_bounded_whatever_clients_and_vendors_send() -> None:
    """Models, statuses and words that are made up make no series."""
    metrics = make_metrics()
    metrics.flush(stream())
    before = sum(1 for _ in samples(metrics))
    for number in range(50):
        record = stream()
        record.model = record.upstream_model = record.request_id = f"made up {number}"
        record.error_code = record.response_id = record.vendor_request_id = f"theirs {number}"
        record.status = 600 + number
        metrics.flush(record)
    assert before + 1 == sum(1 for _ in samples(metrics))  # the status "other"


def test_unknown_and_negative_usage_count_nothing() -> None:
    """A counter never goes down, nor beyond what it can hold, whatever a vendor says."""
    metrics = make_metrics()
    for usage in (Usage(), Usage(input_tokens=-5, output_tokens=-1), Usage(output_tokens=10**400)):
        record = stream()
        record.usage = usage
        metrics.flush(record)
    assert (0, MAX_COUNT) == tuple(
        value(metrics, "tokens_total", direction=way, **dict(PAIR)) for way in ("input", "output")
    )


def test_each_target_of_an_answer_that_went_on_elsewhere_gets_its_own_tokens() -> None:
    """The record's counts are of all targets so far; one that counts less than before takes none
    away."""
    metrics = make_metrics()
    record = stream()
    record.upstream, record.usage = "first", Usage(input_tokens=7, output_tokens=3)
    before = record.set_aside()
    record.upstream, record.usage = "second", Usage(input_tokens=17, output_tokens=1)
    record.go_on(before)
    metrics.flush(record)
    assert [7, 10, 3, 0] == [
        value(metrics, "tokens_total", upstream=upstream, model="*", direction=way)
        for way in ("input", "output")
        for upstream in ("first", "second")
    ]


def test_each_target_is_said_to_have_cost_what_it_did() -> None:
    """And one whose price nobody knows has no series: a nought would say that it is free."""
    metrics = make_metrics()
    for first, second in ((0.25, 0.75), (None, 0.5), (0.125, None)):
        record = stream()
        record.upstream, record.usage = "first", Usage(cost=first and Cost(first, "USD"))
        before = record.set_aside()
        record.upstream, record.usage = "second", Usage(cost=second and Cost(second, "USD"))
        record.go_on(before)
        metrics.flush(record)
    record = stream()
    record.upstream, record.usage = "third", Usage(1, 1)
    metrics.flush(record)
    assert [0.375, 1.0, None] == [
        value(metrics, "cost_total", upstream=upstream, model="*")
        for upstream in ("first", "second", "third")
    ]


def test_a_counted_request_has_no_times() -> None:
    """Asking for a number of tokens is no stream."""
    metrics = make_metrics()
    record = stream()
    record.work = "count"
    metrics.flush(record)
    assert value(metrics, "tokens_total", direction="input", **dict(PAIR)) == 70
    assert value(metrics, "stream_seconds_count", **dict(PAIR)) == 0


def test_open_streams_reloads_and_lag() -> None:
    """What is not told by records."""
    metrics = make_metrics()
    metrics.opened("a")
    metrics.opened("a")
    metrics.closed("a")
    metrics.reloaded(ok=False)
    metrics.lag(0.25)
    assert value(metrics, "streams_open", upstream="a") == 1
    assert value(metrics, "config_reloads_total", result="failed") == 1
    assert value(metrics, "config_reloads_total", result="ok") == 0
    assert value(metrics, "event_loop_lag_seconds") == 0.25


@pytest.fixture(params=[False, True], ids=["own", "shared"])
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numbers are kept: by us, or by the library, which may write them to files."""
    monkeypatch.setattr(values, "SHARED", request.param)


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("bounds", [EVENT_GAP_S, RELAY_DELAY_S, (0.1, 1.0)])
def test_bulk_observations_are_those_of_the_library(bounds: tuple[float, ...]) -> None:
    """The one place that knows prometheus_client's insides agrees with its own `observe`."""
    theirs = Histogram("x_seconds", "x", buckets=bounds, registry=CollectorRegistry())
    one_by_one = BulkHistogram("x_seconds", "x", buckets=bounds, registry=CollectorRegistry())
    at_once = BulkHistogram("x_seconds", "x", buckets=bounds, registry=CollectorRegistry())
    values = [0.0, *bounds, *(math.nextafter(bound, math.inf) for bound in bounds), 1e9]
    record = StreamRecord("r", "native", 0.0)
    for seconds in values:
        theirs.observe(seconds)
        one_by_one.observe(seconds)
    if bounds == RELAY_DELAY_S:
        for seconds in values:
            record.relayed(0, seconds)
        assert record.delay_counts is not None
        at_once.observe_buckets(record.delay_counts, record.delay_total_s)
    else:
        counts = [
            sum(low < seconds <= high for seconds in values)
            for low, high in zip((-1.0, *bounds), (*bounds, math.inf), strict=True)
        ]
        at_once.observe_buckets(counts, sum(values))
    expected = next(iter(theirs.collect())).samples
    assert expected == next(iter(one_by_one.collect())).samples
    assert expected == next(iter(at_once.collect())).samples
    with pytest.raises(ValueError, match="1 counts for"):
        at_once.observe_buckets([1], 0.0)


@pytest.mark.usefixtures("_kept")
def test_what_is_added_directly_is_what_the_library_adds() -> None:
    """To a metric alone, to a child by its labels, and to a gauge that goes down again."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    number_of(Counter("x", "x", registry=ours)).value += 2.5
    bound = Bound(Gauge("y", "y", ("a", "b"), registry=ours))
    for amount in (1, 1, -1):
        bound["1", "2"].value += amount
    Counter("x", "x", registry=theirs).inc(2.5)
    Gauge("y", "y", ("a", "b"), registry=theirs).labels("1", "2").inc()
    assert generate_latest(theirs) == generate_latest(ours)


@requires("promtool")
def test_promtool_finds_nothing_to_say() -> None:
    """Prometheus' own linter reads names, units and help texts."""
    metrics = make_metrics()
    metrics.opened("a")
    metrics.flush(stream())
    _, text = metrics.exposition()
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert ("", 0) == (checked.stdout.decode() + checked.stderr.decode(), checked.returncode)


# One worker of two. It says when it has counted, and waits to be told to end.
WORKER = """
import sys
from proxy.observe.metrics import make_metrics
from tests.observe.test_metrics import stream
metrics = make_metrics()
metrics.flush(stream())
metrics.opened("a")
metrics.lag(float(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
"""
ANSWER = """
import json, os, sys
from proxy.observe.crew import Crew
from proxy.observe.metrics import make_metrics
from tests.observe.test_metrics import samples
crew = Crew(os.environ["PROMETHEUS_MULTIPROC_DIR"])
for pid in sys.argv[1:]:
    crew.died(int(pid))
    crew.gone(int(pid))
print(json.dumps([[sample.name, sample.labels, sample.value] for sample in samples(make_metrics())]))
"""


def test_several_workers_are_counted_as_one(tmp_path: Path) -> None:
    """Any process answers for all; a dead one's totals stay and what it had open does not."""
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(CHECKOUT)}

    def answer(*dead: int) -> dict[tuple[str, str], float]:
        argv = [sys.executable, "-c", ANSWER, *map(str, dead)]
        out = subprocess.run(
            argv, env=environ, cwd=CHECKOUT, capture_output=True, check=True
        ).stdout
        return {
            (name, ",".join(sorted(map(str, labels.values())))): number
            for name, labels, number in json.loads(out)
        }

    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, lag],
            env=environ,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for lag in ("0.5", "0.25")
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        both = answer()
        workers[0].communicate("\n", timeout=20)
        one = answer(workers[0].pid)
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.communicate("\n", timeout=20)
    for seen, alive in ((both, 2), (one, 1)):
        assert seen["mainstem_requests_total", "*,200,openai_chat"] == 2
        assert seen["mainstem_event_gap_seconds_count", "*,second"] == 4
        assert (2, 4) == tuple(
            seen["mainstem_event_gap_seconds_bucket", f"*,{bound},second"]
            for bound in ("0.05", "0.5")
        )
        assert seen["mainstem_streams_open", "a"] == alive
        assert seen["mainstem_worker_restarts_total", ""] == 2 - alive
        lost = seen.get(("mainstem_streams_total", "a,internal,none,none"), 0)
        assert lost == 2 - alive
    assert both["mainstem_event_loop_lag_seconds", ""] == 0.5
    assert one["mainstem_event_loop_lag_seconds", ""] == 0.25
    assert next(number for (name, _), number in both.items() if name == "mainstem_build_info") == 1
