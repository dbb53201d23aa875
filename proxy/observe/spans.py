"""One span for each stream, for OpenTelemetry (`mainstem[otel]`). Imported only where `tracing` is
configured.

The names are those of the semantic conventions 1.44.0, which are still moving for generative AI:
this is the only place that has them. What has no name there begins with `mainstem.`. Nothing that
was said is in a span, nor any key.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from proxy import __version__
from proxy.observe.record import StreamRecord
from proxy.settings.tracing import Tracing

_SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
_EXPORT_S = 5.0
_MAX_CHARS = 200
_NAME = f"mainstem/{__version__}"
# gen_ai.provider.name has words for these; for others it is what the dialect is called
_PROVIDERS = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "openai_completions": "openai",
    "gemini": "gcp.gemini",
    "bedrock_converse": "aws.bedrock",
    "bedrock_invoke": "aws.bedrock",
}
_W3C = TraceContextTextMapPropagator()
_GOOD = frozenset({None, "completed", "client_gone", "cancelled"})


class Spans:
    """Makes and sends them."""

    def __init__(self, settings: Tracing, processor: SpanProcessor | None = None) -> None:
        """`processor`: where spans go, instead of to the endpoint."""
        # its warnings repeat what a client's headers say, which is in no log
        logging.getLogger("opentelemetry.trace").setLevel(logging.ERROR)
        about = {"service.name": "mainstem", "service.version": __version__}
        self._provider = TracerProvider(
            resource=Resource.create(about),
            sampler=_sampler(settings),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor or BatchSpanProcessor(_exporter(settings)))
        self._tracer = self._provider.get_tracer("mainstem", __version__, schema_url=_SCHEMA)

    def begin(self, record: StreamRecord, headers: Mapping[str, str], now: float) -> dict[str, str]:
        """The span of this record begins, within the trace that the client's headers name. Answers
        the headers that tell an upstream of it. `now` is the clock of the record.
        """
        began = time.time_ns() - round((now - record.started) * 1e9)
        context = _W3C.extract(headers)
        span = self._tracer.start_span("chat", context, SpanKind.CLIENT, start_time=began)
        record.span, record.span_began_ns = span, began
        up: dict[str, str] = {}
        _W3C.inject(up, set_span_in_context(span))
        return up

    def end(self, record: StreamRecord) -> None:
        """The stream of this record has ended."""
        span: Span = record.span
        if span.is_recording():
            span.update_name(f"chat {record.model_label}")
            span.set_attributes(_attributes(record))
            for name, at_s, attributes in _events(record):
                span.add_event(name, attributes, record.span_began_ns + round(at_s * 1e9))
            if record.outcome not in _GOOD:
                span.set_attribute("error.type", str(record.outcome))
                span.set_status(Status(StatusCode.ERROR))
        span.end(record.span_began_ns + round((record.ended_s or 0.0) * 1e9))

    def close(self) -> None:
        """Send what is left; takes a while."""
        self._provider.shutdown()


class _Session(requests.Session):
    """Sends to the endpoint itself, with the headers that are configured and no others: proxies and
    headers of the environment, and passwords of a .netrc, are for other programs. Whom to trust
    there, `OTEL_EXPORTER_OTLP_CERTIFICATE` and its like may say.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.update({"content-type": "application/x-protobuf", "user-agent": _NAME})
        self.headers.update(headers)

    def request(self, *told: Any, **named: Any) -> requests.Response:
        """Without the headers that the exporter takes out of the environment by itself."""
        return super().request(*told, **{**named, "headers": None})


def _exporter(settings: Tracing) -> OTLPSpanExporter:
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    return OTLPSpanExporter(
        settings.endpoint,
        timeout=_EXPORT_S,
        compression=Compression.NoCompression,
        session=_Session(headers),
    )


class _ByChance(Sampler):
    """A share of all, whatever their senders say: neither by the flag of a traceparent nor by a
    choice of its trace's id does one decide.
    """

    def __init__(self, share: float) -> None:
        self._share = TraceIdRatioBased(share)
        self._ids = RandomIdGenerator()

    def should_sample(
        self, parent_context: Any, trace_id: int, name: str, *more: Any, **named: Any
    ) -> SamplingResult:
        del trace_id  # its sender's
        drawn = self._ids.generate_trace_id()
        return self._share.should_sample(parent_context, drawn, name, *more, **named)

    def get_description(self) -> str:
        return f"ByChance{{{self._share.rate}}}"


def _sampler(settings: Tracing) -> Sampler:
    if settings.sampled_by == "sender":
        return ParentBased(TraceIdRatioBased(settings.sample))
    return _ByChance(settings.sample)


def _attributes(record: StreamRecord) -> dict[str, Any]:
    usage, finish = record.usage, record.finish
    dialect = record.upstream_dialect
    found: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(dialect, dialect),
        "gen_ai.request.model": record.upstream_model[:_MAX_CHARS],
        "gen_ai.response.id": record.response_id[:_MAX_CHARS],
        "gen_ai.response.finish_reasons": None if finish is None else [finish.reason],
        "gen_ai.response.time_to_first_chunk": record.first_content_s,
        "server.address": record.asked.partition("/")[0].partition(":")[0],
        "mainstem.stream": record.stream,
        "mainstem.request_id": record.request_id,
        "mainstem.client_dialect": record.client_dialect,
        "mainstem.model": record.model_label,
        "mainstem.upstream": record.upstream,
        "mainstem.outcome": record.outcome,
        "mainstem.ended_by": record.who_ended(),
        "mainstem.vendor_request_id": record.vendor_request_id[:_MAX_CHARS],
    }
    if usage is not None:
        found |= {
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_input_tokens,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
            "mainstem.cost": None if usage.cost is None else usage.cost.amount,
        }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _events(record: StreamRecord) -> list[tuple[str, float, dict[str, str]]]:
    """What happened, and when: seconds since the beginning."""
    moves = list(record.fallbacks)
    found: list[tuple[str, float, dict[str, str]]] = []
    for attempt in record.attempts:
        at_s = attempt.began_s + attempt.took_s
        move = next((each for each in moves if each[0] == attempt.upstream), None)
        if attempt.result == "ok":
            found.append(("mainstem.commit", at_s, {"mainstem.upstream": attempt.upstream}))
        elif move is not None:
            moves.remove(move)
            names = ("mainstem.from_upstream", "mainstem.to_upstream", "mainstem.kind")
            found.append(("mainstem.fallback", at_s, dict(zip(names, move, strict=True))))
    end = {"mainstem.outcome": str(record.outcome)}
    return [*found, ("mainstem.end", record.ended_s or 0.0, end)]
