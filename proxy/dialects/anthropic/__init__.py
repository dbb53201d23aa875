"""Anthropic's Messages API, both halves. Clients: `POST /v1/messages`. Upstreams: the same path
behind the configured base URL.
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
from proxy.dialects.anthropic import build, models, parse, whole
from proxy.dialects.anthropic.decode import AnthropicDecoder
from proxy.dialects.anthropic.encode import AnthropicEncoder
from proxy.dialects.anthropic.errors import parse_error, render_error
from proxy.errors import Failure
from proxy.request import ChatRequest

NAME = "anthropic"


class Client(ClientHalf):
    """What Anthropic's SDKs see."""

    name = NAME
    routes = (Route("POST", "/v1/messages"),)
    listing = "/v1/models"

    def lists(self, headers: Mapping[str, str]) -> bool:
        return "anthropic-version" in headers  # its SDK sends one with every request

    def models(self, names: Sequence[str], created: int) -> bytes:
        return models.models(names, created)

    def parse_request(self, incoming: Incoming) -> Parsed:
        return parse.parse_request(incoming)

    # nothing in the request changes the answer's form
    def encoder(self, parsed: Parsed) -> Encoder:  # noqa: ARG002
        return AnthropicEncoder()

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:  # noqa: ARG002
        return whole.whole(answer)

    def render_error(self, failure: Failure) -> Reply:
        return render_error(failure)


class Upstream(UpstreamHalf):
    """What Anthropic, or one that speaks like it, sees. Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return AnthropicDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return parse_error(status, headers, body)


DIALECT = Dialect(NAME, client=Client(), upstream=Upstream())
