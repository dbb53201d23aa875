"""Cohere's chat, API v2, both halves. Clients: `POST /v2/chat`. Upstreams: the same path behind the
configured base URL.
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
from proxy.dialects.cohere import build, errors, models, parse, whole
from proxy.dialects.cohere.decode import CohereDecoder
from proxy.dialects.cohere.encode import CohereEncoder
from proxy.dialects.cohere.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest


class Client(ClientHalf):
    """What Cohere's SDKs see."""

    name = NAME
    routes = (Route("POST", "/v2/chat"),)
    listing = "/v1/models"

    def lists(self, headers: Mapping[str, str]) -> bool:
        return models.lists(headers)

    # the vendor does not say how old a model is
    def models(self, names: Sequence[str], created: int) -> bytes:  # noqa: ARG002
        return models.models(names)

    def parse_request(self, incoming: Incoming) -> Parsed:
        return parse.parse_request(incoming)

    # nothing in the request changes the answer's form
    def encoder(self, parsed: Parsed) -> Encoder:  # noqa: ARG002
        return CohereEncoder()

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:  # noqa: ARG002
        return whole.whole(answer)

    def render_error(self, failure: Failure) -> Reply:
        return errors.render_error(failure)


class Upstream(UpstreamHalf):
    """What Cohere, or one that speaks like it, sees. Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return CohereDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return errors.parse_error(status, headers, body)


DIALECT = Dialect(NAME, client=Client(), upstream=Upstream())
