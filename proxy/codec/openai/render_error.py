"""A failure in OpenAI's form: `{"error": {message, type, param, code}}`, as a whole answer or
inside a stream.

The SDKs choose their exception by the status alone. They try again on 408, 409, 429 and 5xx unless
`x-should-retry` says otherwise.
"""

import math
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from proxy.codec.base import Reply
from proxy.errors import Failure, Kind


class _Row(NamedTuple):
    type: str
    code: str | None


# What is not here is an error by its status, whose code is the kind's own name.
_ROWS: dict[Kind, _Row] = {
    "bad_request": _Row("invalid_request_error", None),
    "unauthorized": _Row("invalid_request_error", "invalid_api_key"),
    "forbidden": _Row("invalid_request_error", "forbidden"),
    "model_not_found": _Row("invalid_request_error", "model_not_found"),
    "too_large": _Row("invalid_request_error", "request_too_large"),
    "rate_limited": _Row("rate_limit_error", "rate_limit_exceeded"),
    "overloaded": _Row("server_error", "overloaded"),
}


def error_object(failure: Failure) -> dict[str, Any]:
    """The value of `error`. A code that the vendor gave goes through."""
    row = _ROWS.get(failure.kind) or _Row(
        "server_error" if failure.status >= 500 else "invalid_request_error", failure.kind
    )
    return {
        "message": failure.message,
        "type": row.type,
        "param": None if failure.param is UNSET else failure.param,
        "code": row.code if failure.code is UNSET else failure.code,
    }


def render_error(failure: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    headers = {"x-should-retry": "true" if failure.retryable else "false"}
    if failure.retry_after_s is not UNSET:
        headers["retry-after"] = str(math.ceil(failure.retry_after_s))
    return Reply(failure.status, msgspec.json.encode({"error": error_object(failure)}), headers)
