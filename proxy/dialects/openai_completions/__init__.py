"""OpenAI's legacy completions, text to text; both halves.

Clients: `POST /v1/completions`. Upstreams: OpenAI, vLLM, llama.cpp and others that have the same
endpoint.
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
from proxy.codec.openai import errors as openai_errors
from proxy.codec.openai.render_error import render_error
from proxy.dialects.openai_completions import build, encode, parse
from proxy.dialects.openai_completions.decode import CompletionsDecoder
from proxy.dialects.openai_completions.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest


class Client(ClientHalf):
    """What OpenAI's SDKs see. They list the models as those of chat completions do, on the same
    path.
    """

    name = NAME
    routes = (Route("POST", "/v1/completions"),)

    def parse_request(self, incoming: Incoming) -> Parsed:
        return parse.parse_request(incoming)

    def encoder(self, parsed: Parsed) -> Encoder:
        return encode.CompletionsEncoder(include_usage=parsed.options.include_usage)

    # nothing in the request changes the document's form
    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:  # noqa: ARG002
        return encode.whole(answer)

    def render_error(self, failure: Failure) -> Reply:
        return render_error(failure)


class Upstream(UpstreamHalf):
    """What OpenAI, or one that has the same endpoint, sees. Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    # every vendor is read alike
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return CompletionsDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return openai_errors.parse_error(status, headers, body)


DIALECT = Dialect(NAME, client=Client(), upstream=Upstream())
