"""The native schema, both halves. Clients: `POST /v1/stream`, `GET /v1/stream` for the native
EventSource. Upstreams: another Mainstem.
"""

from collections.abc import Mapping
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
from proxy.dialects.native import build, errors, parse, whole
from proxy.dialects.native.decode import NativeDecoder
from proxy.dialects.native.encode import NativeEncoder
from proxy.errors import Failure
from proxy.request import ChatRequest

NAME = "native"


class Client(ClientHalf):
    """What a frontend sees."""

    name = NAME
    routes = (Route("POST", "/v1/stream"), Route("GET", "/v1/stream"))
    rewrites = True

    def parse_request(self, incoming: Incoming) -> Parsed:
        return parse.parse_request(incoming)

    # nothing in the request changes the answer's form
    def encoder(self, parsed: Parsed) -> Encoder:  # noqa: ARG002
        return NativeEncoder()

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:  # noqa: ARG002
        return whole.whole(answer)

    def render_error(self, failure: Failure) -> Reply:
        return whole.render_error(failure)


class Upstream(UpstreamHalf):
    """What another Mainstem sees. It may pass rewrites of its own upstreams on."""

    name = NAME
    rewrites = True

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    # there is nothing to set
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return NativeDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return errors.parse_error(status, headers, body)


DIALECT = Dialect(NAME, client=Client(), upstream=Upstream())
