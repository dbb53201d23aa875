"""MiniMax's own `chatcompletion_v2` (its other endpoints speak as OpenAI and Anthropic do).
Upstream half only.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.failures import answer_failure
from proxy.dialects.minimax import build
from proxy.dialects.minimax.decode import MiniMaxDecoder, error_of
from proxy.dialects.minimax.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest


class Upstream(UpstreamHalf):
    """Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    # every answer is read alike
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return MiniMaxDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return answer_failure(status, headers, body, error_of)


DIALECT = Dialect(NAME, upstream=Upstream())
