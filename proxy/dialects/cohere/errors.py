"""Errors, both ways. The vendor's shape is `{"id", "message"}`, sometimes with `error_type`."""

import math
from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from proxy.codec.base import Reply
from proxy.codec.failures import read_error, retry_after
from proxy.errors import Failure, failure, status_failure

_MESSAGE_CHARS = 2000  # a vendor's message is passed on, but not a page of it


class _Error(msgspec.Struct):
    message: str
    error_type: str | None = None


_ERROR = msgspec.json.Decoder(_Error)


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    error = _read(body)
    if status < 400:
        return None if error is None else in_band(error.message, error.error_type)
    if error is None:
        error = _Error(f"The upstream answered {status}: {read_error(body).message}")
    message = error.message[:_MESSAGE_CHARS]
    return status_failure(
        status, message, code=error.error_type, retry_after_s=retry_after(headers)
    )


def in_band(message: str | None, error_type: str | None) -> Failure:
    """An error that came under a status of success."""
    said = (message or "")[
        :_MESSAGE_CHARS
    ] or "The upstream reported an error without saying which."
    return failure("upstream_error", said, code=error_type or None)


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`. The SDKs choose their exception by the status, and know no
    502: the vendor's own word is 500.
    """
    body = {"message": why.message}
    if why.code is not UNSET:
        body["error_type"] = why.code
    headers = (
        {} if why.retry_after_s is UNSET else {"retry-after": str(math.ceil(why.retry_after_s))}
    )
    return Reply(500 if why.status == 502 else why.status, msgspec.json.encode(body), headers)


def _read(body: bytes) -> _Error | None:
    try:
        error = _ERROR.decode(body)
    except (ValueError, RecursionError):  # msgspec's own errors and bad UTF-8 are ValueErrors
        return None
    return error if error.message else None
