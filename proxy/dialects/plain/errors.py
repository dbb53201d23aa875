"""Errors of a server of plain text: its framework's JSON, as an HTTP error's body or, under 200, in place of the stream."""

from collections.abc import Mapping

from proxy.dialects.failures import http_failure, read_error
from proxy.errors import Failure, failure


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    if status >= 400:
        return http_failure(status, headers, body)
    said = read_error(body)
    if said.document is None or not {"detail", "error"} & said.document.keys():
        return None
    return failure("upstream_error", f"The upstream answered with an error: {said.message}", code=said.code)
