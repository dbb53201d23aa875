"""Alibaba's DashScope, its own generation API (not the OpenAI-compatible one). Upstream half
only.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.failures import answer_failure
from proxy.dialects.dashscope import build
from proxy.dialects.dashscope.decode import DashScopeDecoder
from proxy.dialects.dashscope.errors import error_of
from proxy.dialects.dashscope.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest


class Upstream(UpstreamHalf):
    """Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        return DashScopeDecoder(max_event_bytes, options)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return answer_failure(status, headers, body, error_of)


DIALECT = Dialect(NAME, upstream=Upstream())
