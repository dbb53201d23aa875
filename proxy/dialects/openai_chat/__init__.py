"""OpenAI's chat completions, both halves. Clients: `POST /v1/chat/completions`. Upstreams: OpenAI
and the many that speak like it.
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
from proxy.codec.openai import errors as openai_errors
from proxy.codec.openai.render_error import render_error
from proxy.dialects.openai_chat import build, mistral, models, parse, whole
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest


class Client(ClientHalf):
    """What OpenAI's SDKs see, and Mistral's."""

    name = NAME
    routes = (Route("POST", "/v1/chat/completions"),)
    listing = "/v1/models"

    def models(self, names: Sequence[str], created: int) -> bytes:
        return models.models(names, created)

    def parse_request(self, incoming: Incoming) -> Parsed:
        return parse.parse_request(incoming)

    def encoder(self, parsed: Parsed) -> Encoder:
        return (
            mistral.MistralEncoder()
            if parsed.options.mistral
            else ChatEncoder(include_usage=parsed.options.include_usage)
        )

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        return mistral.whole(answer) if parsed.options.mistral else whole.whole(answer)

    def render_error(self, failure: Failure) -> Reply:
        return render_error(failure)


class Upstream(UpstreamHalf):
    """What OpenAI, or one that speaks like it, sees. Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    # every vendor is read alike
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return ChatDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return openai_errors.parse_error(status, headers, body)


DIALECT = Dialect(NAME, client=Client(), upstream=Upstream())
