"""Errors, both ways. The vendor's shape, as a whole answer or as a line of a stream, is `{"error":
"..."}`.
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.base import Reply
from proxy.codec.failures import read_error, retry_after
from proxy.errors import Failure, failure, status_failure

_MESSAGE_CHARS = 2000  # a vendor's message is passed on, but not a page of it


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # msgspec's own errors and bad UTF-8 are ValueErrors
        document = None
    error = document.get("error") if isinstance(document, dict) else None
    if status < 400:
        return None if not error else in_band(error)
    said = _message(error) or f"The upstream answered {status}: {read_error(body).message}"
    return status_failure(status, said, retry_after_s=retry_after(headers))


def in_band(error: Any) -> Failure:
    """An error that came under a status of success."""
    return failure(
        "upstream_error", _message(error) or "The upstream reported an error without saying which."
    )


def error_body(why: Failure) -> bytes:
    """A failure in the vendor's shape."""
    return msgspec.json.encode({"error": why.message})


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    headers = (
        {} if why.retry_after_s is UNSET else {"retry-after": str(math.ceil(why.retry_after_s))}
    )
    return Reply(why.status, error_body(why), headers)


def _message(error: Any) -> str:
    """The vendor's errors are text. Its cloud, and proxies before it, send objects with a
    message.
    """
    if isinstance(error, dict):
        error = error.get("message") or error.get("error")
    return error.strip()[:_MESSAGE_CHARS] if isinstance(error, str) else ""
