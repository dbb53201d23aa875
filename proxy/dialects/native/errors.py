"""Errors of another Mainstem, read back.

Its kinds describe its own upstreams; seen from here all of them are the upstream's error, with its
kind as the code.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.failures import http_failure, read_error
from proxy.errors import Failure, failure

_MAX_WAIT_S = 1e9  # more than 30 years is no advice


def in_band(error: Any) -> Failure:
    """The `error` of a stream.error, or of a problem under 200."""
    said = error if isinstance(error, dict) else {}
    message, status, retryable = said.get("message"), said.get("status"), said.get("retryable")
    kind, wait = said.get("kind"), said.get("retry_after_s")
    return failure(
        "upstream_error",
        message
        if isinstance(message, str) and message.strip()
        else "The upstream reported an error without saying which.",
        status=status if type(status) is int and 400 <= status < 600 else None,
        retryable=retryable if isinstance(retryable, bool) else None,
        code=kind if isinstance(kind, str) else None,
        retry_after_s=wait if isinstance(wait, int | float) and 0 <= wait <= _MAX_WAIT_S else None,
    )


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    said = read_error(body)
    error = said.document.get("error") if said.document else None
    if status < 400:
        return None if error is None else in_band(error)
    if not isinstance(error, dict):
        return http_failure(status, headers, body)
    theirs, ours, retryable = (
        in_band(error),
        http_failure(status, headers, body),
        error.get("retryable"),
    )
    return msgspec.structs.replace(
        ours,
        message=theirs.message,
        retryable=retryable if isinstance(retryable, bool) else ours.retryable,
        code=theirs.code,
    )
