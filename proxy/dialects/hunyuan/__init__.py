"""Tencent Hunyuan's own API (not the OpenAI-compatible one). Upstream half only; nothing is signed,
see `build`.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.failures import answer_failure
from proxy.dialects.hunyuan import build
from proxy.dialects.hunyuan.decode import HunyuanDecoder, error_of
from proxy.dialects.hunyuan.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest


class Upstream(UpstreamHalf):
    """Options: see `build`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    # every answer is read alike
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return HunyuanDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return answer_failure(status, headers, body, error_of)


DIALECT = Dialect(NAME, upstream=Upstream())
