"""Spans: against the SDK's own exporter in memory and an OTLP receiver, with the names that the
package of the semantic conventions has."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, StatusCode

from proxy.observe import spans
from proxy.observe.spans import Spans
from proxy.settings.tracing import Tracing
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.relay.far import ROLE, STOP, Far, delta, hangs_up, proxied, says, silent, status, until
from tests.running import Running, one, running

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
HERE = {"endpoint": "http://127.0.0.1:9/v1/traces"}


def traced(run: Running, **settings: Any) -> InMemorySpanExporter:
    """What this proxy makes is kept in memory."""
    exporter = InMemorySpanExporter()
    tracing = Tracing.model_validate({**HERE, **settings})
    run.process.gateway.spans = Spans(tracing, SimpleSpanProcessor(exporter))
    return exporter


async def asked(run: Running, headers: dict[str, str] | None = None, **body: Any) -> str:
    given = {"model": "m", "prompt": "hello hello", **body}
    async with run.session.post(f"{run.url}/v1/stream", json=given, headers=headers) as response:
        return await response.text()


async def the_span(run: Running, exporter: InMemorySpanExporter) -> ReadableSpan:
    await until(exporter.get_finished_spans)
    (span,) = exporter.get_finished_spans()
    return span


async def test_a_stream_is_one_span_within_its_clients_trace_and_its_upstream_is_told() -> None:
    heads: list[bytes] = []

    async def far(peer: Peer) -> None:
        heads.append(await peer.request())
        peer.write(CHUNKED)
        peer.send(ROLE + delta("Hi") + STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(far) as url, running(one("openai_chat", url)) as run:
        exporter = traced(run)
        await asked(run, {"traceparent": PARENT, "tracestate": "a=1"})
        span = await the_span(run, exporter)
    assert span.context is not None
    assert span.parent is not None
    own = f"{span.context.span_id:016x}"
    assert (TRACE, "b7ad6b7169203331") == (
        f"{span.context.trace_id:032x}",
        f"{span.parent.span_id:016x}",
    )
    assert f"traceparent: 00-{TRACE}-{own}-01\r\n".encode() in heads[0]
    assert b"tracestate: a=1\r\n" in heads[0]
    assert ("chat *", SpanKind.CLIENT, StatusCode.UNSET) == (
        span.name,
        span.kind,
        span.status.status_code,
    )
    assert ["mainstem.commit", "mainstem.end"] == [event.name for event in span.events]
    begun, ended = span.start_time or 0, span.end_time or 0
    times = [event.timestamp for event in span.events]
    assert [begun, *times, ended] == sorted([begun, *times, ended])
    found = dict(span.attributes or {})
    assert ("chat", "openai", "m", ("stop",), "completed") == (
        found["gen_ai.operation.name"],
        found["gen_ai.provider.name"],
        found["gen_ai.request.model"],
        found["gen_ai.response.finish_reasons"],
        found["mainstem.outcome"],
    )
    assert "hello" not in str(found)


@pytest.mark.parametrize(
    "state",
    ["a=\xe9secret", "secret", ",".join(f"secret{number}=1" for number in range(40)), "," * 4000],
)
async def test_what_a_client_says_of_its_trace_is_in_no_log(
    state: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A `tracestate` that is none is left out, without a word."""
    async with proxied(["far"], {"far": Far(says("Hi"))}) as run:
        exporter = traced(run)
        await asked(run, {"traceparent": PARENT, "tracestate": state})
        span = await the_span(run, exporter)
    assert span.context is not None
    assert {} == dict(span.context.trace_state)
    assert [] == [line.name for line in caplog.records if line.name.startswith("opentelemetry")]


async def test_a_fallback_is_an_event_and_a_failure_the_spans_status() -> None:
    fars = {"first": Far(status(500)), "second": Far(says("Hi"), hangs_up)}
    async with proxied(["first", "second"], fars) as run:
        exporter = traced(run)
        await asked(run)
        span = await the_span(run, exporter)
        names = ["mainstem.fallback", "mainstem.commit", "mainstem.end"]
        assert names == [event.name for event in span.events]
        moved = dict(span.events[0].attributes or {})
        assert ("first", "second", "upstream_status") == tuple(moved.values())
        exporter.clear()
        await asked(run)
        span = await the_span(run, exporter)
        assert StatusCode.ERROR == span.status.status_code
        assert dict(span.attributes or {})["error.type"] == "connect_failed"


async def test_a_client_that_leaves_ends_its_span_and_a_refused_one_has_one_too() -> None:
    async with proxied(["far"], {"far": Far(silent)}) as run:
        exporter = traced(run)
        task = asyncio.create_task(asked(run))
        await until(lambda: run.process.gateway.open_requests == 1)
        task.cancel()
        span = await the_span(run, exporter)
        assert "client_gone" == dict(span.attributes or {})["mainstem.outcome"]
        exporter.clear()
        await asked(run, model="unknown")
        span = await the_span(run, exporter)
        assert "model_not_found" == dict(span.attributes or {})["error.type"]


@pytest.mark.parametrize("flag", ["00", "01"])
async def test_whether_a_stream_is_traced_is_not_its_senders_choice(flag: str) -> None:
    """Neither by a flag nor by an id that any share has: who wants all of its streams traced, or
    none, gets what the operator chose."""
    lowest = f"00-{'0' * 31}1-b7ad6b7169203331-{flag}"
    async with proxied(["far"], {"far": Far(says("Hi"))}) as run:
        exporter = traced(run, sample=0.000001)
        for parent in (lowest, f"{PARENT[:-2]}{flag}"):
            await asked(run, {"traceparent": parent})
        await until(lambda: run.process.gateway.open_requests == 0)
        assert () == exporter.get_finished_spans()
        exporter = traced(run)
        await asked(run, {"traceparent": lowest})
        span = await the_span(run, exporter)
        assert span.context is not None
        assert 1 == span.context.trace_id


async def test_where_senders_decide_what_one_did_not_sample_is_not_recorded() -> None:
    async with proxied(["far"], {"far": Far(says("Hi"))}) as run:
        exporter = traced(run, sampled_by="sender")
        await asked(run, {"traceparent": PARENT[:-2] + "00"})
        await asked(run, {"traceparent": "garbage"})
        span = await the_span(run, exporter)
        assert span.parent is None
        assert () == traced(run, sample=0).get_finished_spans()


def test_the_names_are_those_of_the_conventions_that_are_pinned() -> None:
    """As the package has them; the others are our own."""
    known = {value for value in vars(gen_ai_attributes).values() if isinstance(value, str)}
    text = spans.__loader__.get_source(spans.__name__)  # type: ignore[union-attr, attr-defined]
    used = {word.strip('",: ') for word in text.split() if word.startswith('"gen_ai.')}
    assert used
    assert used <= known
    assert spans._SCHEMA in {each.value for each in Schemas}


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, list[Any]]]:
    """One of OTLP over HTTP: its address, and what it got."""
    got: list[Any] = []

    async def traces(request: web.Request) -> web.Response:
        assert "application/x-protobuf" == request.headers["content-type"]
        assert "secret" == request.headers["x-collector-key"]
        assert not {"authorization", "content-encoding"} & {
            name.lower() for name in request.headers
        }
        message = ExportTraceServiceRequest()
        message.ParseFromString(await request.read())
        got.append(message)
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.router.add_post("/v1/traces", traces)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces", got
    finally:
        await runner.cleanup()


async def test_a_collector_gets_them_at_the_latest_when_the_proxy_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It itself, whatever the environment says: a proxy there, headers, a password for its host."""
    (tmp_path / "netrc").write_text("default login other password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    said = "x-collector-key=other,authorization=theirs,content-type=text/plain"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", said)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    async with receiver() as (url, got):
        tracing = {"endpoint": url, "headers": {"x-collector-key": "secret"}}
        async with proxied(["far"], {"far": Far(says("Hi"))}, tracing=tracing) as run:
            await asked(run)
            await asked(run)
        (resource,) = {message.resource_spans[0].resource.SerializeToString() for message in got}
        assert b"mainstem" in resource
        sent = [
            (scope.schema_url, span.name)
            for message in got
            for scope in message.resource_spans[0].scope_spans
            for span in scope.spans
        ]
        assert [(spans._SCHEMA, "chat m")] * 2 == sent


def test_nothing_is_imported_where_it_is_off() -> None:
    said = "import sys, proxy.app; print([n for n in sys.modules if 'opentelemetry' in n])"
    out = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert "[]" == out.stdout.strip()
