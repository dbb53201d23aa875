"""Replicate's predictions, behind a base URL without the version. Upstream half only: its own
clients poll, or know each model's inputs.

Source: the vendor's HTTP reference and its Python client, and a recording of a stream. An answer
comes in two steps: the request makes a prediction, whose document says in `urls.stream` where its
output can be read.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.failures import answer_failure
from proxy.dialects.replicate import build
from proxy.dialects.replicate.decode import ReplicateDecoder
from proxy.dialects.replicate.wire import NAME, error_of
from proxy.errors import Failure
from proxy.request import ChatRequest


class Upstream(UpstreamHalf):
    """Options: see `build`. A client that leaves closes the stream; the vendor lets the prediction
    itself run on.
    """

    name = NAME
    follows: ClassVar[bool] = True

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        return build.build_request(request, target)

    def follow(self, target: TargetConfig, body: bytes) -> Outgoing | None:
        return build.follow(target, body)

    # every answer is read alike
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return ReplicateDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return answer_failure(status, headers, body, error_of)


DIALECT = Dialect(NAME, upstream=Upstream())
