"""Google's Gemini API, both halves; Vertex AI is the same behind another path.

Clients: `POST /v1beta/models/{model}:streamGenerateContent`, by `alt=sse` as events, without it as
a JSON array; `:generateContent`; and Vertex AI's paths for the same. Upstreams: see `build`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from proxy.codec.base import (
    ClientHalf,
    Decoder,
    Dialect,
    Encoder,
    Incoming,
    Outgoing,
    Parsed,
    Reply,
    Route,
    TargetConfig,
    UpstreamHalf,
)
from proxy.codec.fold import WholeAnswer
from proxy.dialects.gemini import build, models, parse, whole
from proxy.dialects.gemini.decode import GeminiDecoder
from proxy.dialects.gemini.encode import GeminiEncoder
from proxy.dialects.gemini.errors import parse_error, render_error
from proxy.dialects.gemini.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest

_METHOD = "{model:.+}:{method:streamGenerateContent|generateContent}"
_VERTEX = "{version:v1|v1beta1}/{parent:projects/[^/]+/locations/[^/]+}/publishers/google/models"


class Client(ClientHalf):
    """What Google's SDKs see."""

    name = NAME
    routes = (
        Route("POST", f"/{{version:v1beta|v1alpha|v1}}/models/{_METHOD}"),
        Route("POST", f"/{_VERTEX}/{_METHOD}"),
    )
    listing = "/v1beta/models"
    other_listings = ("/v1/models",)

    def lists(self, headers: Mapping[str, str]) -> bool:
        # its SDKs send both with every request
        return "x-goog-api-client" in headers or "x-goog-api-key" in headers

    # this vendor does not say when
    def models(self, names: Sequence[str], created: int) -> bytes:  # noqa: ARG002
        return models.models(names)

    def parse_request(self, incoming: Incoming) -> Parsed:
        return parse.parse_request(incoming)

    def encoder(self, parsed: Parsed) -> Encoder:
        return GeminiEncoder(sse=parsed.options.sse, thoughts=parsed.options.thoughts)

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        return whole.whole(answer, thoughts=parsed.options.thoughts)

    def render_error(self, failure: Failure) -> Reply:
        return render_error(failure)


class Upstream(UpstreamHalf):
    """What the Gemini API or Vertex AI sees. Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    # it finds the form by itself
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return GeminiDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return parse_error(status, headers, body)


DIALECT = Dialect(NAME, client=Client(), upstream=Upstream())
