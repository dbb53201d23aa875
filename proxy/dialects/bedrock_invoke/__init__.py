"""AWS Bedrock's InvokeModelWithResponseStream, upstream half: `POST
/model/{id}/invoke-with-response-stream`, each model in its own form.

Some of these forms are dialects of their own. No dialect knows another, so the registry hands them
in: `dialect` makes ours around them.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.bedrock.errors import parse_error
from proxy.dialects.bedrock_invoke.build import build_request
from proxy.dialects.bedrock_invoke.decode import InvokeDecoder
from proxy.dialects.bedrock_invoke.wire import NAME
from proxy.errors import Failure
from proxy.request import ChatRequest


class Upstream(UpstreamHalf):
    """What Bedrock sees. Options: see `build`. `carried` are the dialects whose forms it may wrap,
    by name.
    """

    name = NAME

    def __init__(self, carried: Mapping[str, UpstreamHalf]) -> None:
        self._carried = carried

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build_request(request, target, self._carried)

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        return InvokeDecoder(max_event_bytes, options, self._carried)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return parse_error(status, headers, body)


def dialect(*carried: Dialect) -> Dialect:
    """The dialect, around others."""
    return Dialect(
        NAME,
        upstream=Upstream({one.name: one.upstream for one in carried if one.upstream is not None}),
    )
