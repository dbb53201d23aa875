"""AWS Bedrock's ConverseStream, upstream half: one form for the models of all vendors. `POST
/model/{id}/converse-stream`.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.bedrock.errors import parse_error
from proxy.dialects.bedrock_converse.build import build_request
from proxy.dialects.bedrock_converse.decode import NAME, ConverseDecoder
from proxy.errors import Failure
from proxy.request import ChatRequest


class Upstream(UpstreamHalf):
    """What Bedrock sees. Options: see `proxy/dialects/bedrock/call.py`."""

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build_request(request, target)

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return ConverseDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return parse_error(status, headers, body)


DIALECT = Dialect(NAME, upstream=Upstream())
