"""Errors, both ways: `{"error": {"code": 429, "message": ..., "status": "RESOURCE_EXHAUSTED",
"details": [...]}}`, in a list where the answer would have been one. Source: google.rpc.Code and
google.rpc.ErrorInfo, RetryInfo; AIP-193.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from proxy.codec.base import Reply
from proxy.codec.failures import RETRY_INFO, duration_s, http_failure, retry_after
from proxy.codec.lenient_json import NotJSONError, loads
from proxy.errors import Failure, failure, status_failure

_MESSAGE_CHARS = 2000
_CODE_CHARS = 100
# google.rpc.Code's words and the HTTP statuses that they go with.
_STATUS_WORD = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
# The operator's key was refused, under the status of a request that is wrong.
_KEY_REASONS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"})


class _Said(NamedTuple):
    message: str
    code: str | None
    status: int | None
    retry_after_s: float | None


def in_band(error: Any) -> Failure:
    """The `error` of a chunk, or of a JSON body under 200."""
    said = _said(error)
    status = said.status
    return failure(
        "upstream_error",
        said.message or "The upstream reported an error without saying which.",
        status=status if status is not None and 400 <= status < 499 else None,
        retryable=None if status is None else status in _RETRYABLE,
        code=said.code,
        retry_after_s=said.retry_after_s,
    )


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    try:
        document = loads(body)
    except NotJSONError:
        document = None
    if isinstance(document, list):
        document = next((item for item in document if isinstance(item, dict)), None)
    error = document.get("error") if isinstance(document, dict) else None
    if status < 400:
        return None if error is None else in_band(error)
    said = _said(error)
    if not said.message:
        return http_failure(status, headers, body)
    wait = retry_after(headers)
    wait = said.retry_after_s if wait is None else wait
    if said.code in _KEY_REASONS:
        return failure(
            "upstream_status", said.message, status=status, retryable=False, code=said.code
        )
    return status_failure(status, said.message, code=said.code, retry_after_s=wait)


def error_object(why: Failure) -> dict[str, Any]:
    """A failure in the vendor's shape. Its SDKs choose their exception by the code."""
    details: list[dict[str, Any]] = [
        {"@type": _ERROR_INFO, "reason": _reason(why), "domain": "mainstem"}
    ]
    if why.retry_after_s is not UNSET:
        details.append(
            {"@type": RETRY_INFO, "retryDelay": f"{max(1, math.ceil(why.retry_after_s))}s"}
        )
    if why.param is not UNSET:
        violation = {"field": why.param, "description": why.message}
        details.append(
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
        )
    return {
        "error": {
            "code": why.status,
            "message": why.message,
            "status": _word(why.status),
            "details": details,
        }
    }


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    headers = (
        {}
        if why.retry_after_s is UNSET
        else {"retry-after": str(max(1, math.ceil(why.retry_after_s)))}
    )
    return Reply(why.status, msgspec.json.encode(error_object(why)), headers)


def _word(status: int) -> str:
    return _STATUS_WORD.get(status) or ("INVALID_ARGUMENT" if status < 500 else "UNAVAILABLE")


def _reason(why: Failure) -> str:
    """The vendor's own reason where it gave one, else our kind, both in the vendor's spelling."""
    return (why.kind if why.code is UNSET else why.code).upper()


def _said(error: Any) -> _Said:
    if isinstance(error, str):
        return _Said(error[:_MESSAGE_CHARS], None, None, None)
    if not isinstance(error, dict):
        return _Said("", None, None, None)
    message, word, code = error.get("message"), error.get("status"), error.get("code")
    reason, wait = None, None
    for kind, detail in _details(error.get("details")):
        if kind == _ERROR_INFO and isinstance(detail.get("reason"), str):
            reason = detail["reason"]
        elif kind == RETRY_INFO:
            wait = duration_s(detail.get("retryDelay"))
    named = reason or (word if isinstance(word, str) else None)
    return _Said(
        message[:_MESSAGE_CHARS] if isinstance(message, str) else "",
        named[:_CODE_CHARS] if named else None,
        code if type(code) is int and 400 <= code < 600 else None,
        wait,
    )


def _details(details: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict):
            yield detail.get("@type"), detail
