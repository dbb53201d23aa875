"""Ollama's own API, both halves. Clients: `POST /api/chat` and `POST /api/generate`. Upstreams:
either, behind the configured base URL.
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
from proxy.dialects.ollama import build, errors, models, parse, whole
from proxy.dialects.ollama.decode import OllamaDecoder
from proxy.dialects.ollama.encode import OllamaEncoder
from proxy.dialects.ollama.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest

# The last word of the path says which form a request has.
_ROUTE = "/api/{form:chat|generate}"


class Client(ClientHalf):
    """What Ollama's clients see."""

    name = NAME
    routes = (Route("POST", _ROUTE),)
    listing = "/api/tags"

    def models(self, names: Sequence[str], created: int) -> bytes:
        return models.models(names, created)

    def parse_request(self, incoming: Incoming) -> Parsed:
        return (
            parse.parse_generate(incoming)
            if incoming.path.get("form") == "generate"
            else parse.parse_chat(incoming)
        )

    def encoder(self, parsed: Parsed) -> Encoder:
        return OllamaEncoder(generate=parsed.options.generate)

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        return whole.whole(answer, generate=parsed.options.generate)

    def render_error(self, failure: Failure) -> Reply:
        return errors.render_error(failure)


class Upstream(UpstreamHalf):
    """What Ollama, or one that speaks like it, sees. Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    # both endpoints are read alike
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return OllamaDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return errors.parse_error(status, headers, body)


DIALECT = Dialect(NAME, client=Client(), upstream=Upstream())
