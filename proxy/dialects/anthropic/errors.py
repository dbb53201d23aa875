"""Errors, both ways: what the vendor said to a `Failure`, and a `Failure` in the vendor's shape.

The shape, whole or in band: `{"type": "error", "error": {"type": ..., "message": ...}}`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.base import Reply
from proxy.codec.failures import retry_after, should_retry
from proxy.dialects.anthropic import wire
from proxy.errors import Failure, Kind, failure, status_failure

_RETRYABLE = frozenset({"rate_limit_error", "api_error", "timeout_error", "overloaded_error"})
_QUOTED_CHARS = 80

# What we answer with, by kind; the SDKs choose their exception by the status.
_BY_KIND: dict[Kind, tuple[str, int | None]] = {
    "overloaded": ("overloaded_error", 529),
    "connect_timeout": ("timeout_error", None),
    "first_event_timeout": ("timeout_error", None),
    "idle_timeout": ("timeout_error", None),
    "total_timeout": ("timeout_error", None),
}
# Statuses of this vendor's that are not passed on as they are.
_OURS = {500: 502, 529: 503}
_NO_CREDIT = "credit balance is too low"
_BY_STATUS = {status: kind for kind, status in wire.ERROR_STATUS.items()} | {
    422: "invalid_request_error"
}


def in_band(error: Any) -> Failure:
    """The `error` of an error frame, or of a JSON body under 200: a dict by the reference, a
    sentence from some clones.
    """
    kind, message = _said(error)
    status = wire.ERROR_STATUS.get(kind, 502)
    return failure(
        "upstream_error",
        message or "The upstream reported an error without saying which.",
        status=_OURS.get(status, status),
        retryable=kind in _RETRYABLE or kind not in wire.ERROR_STATUS,
        code=kind or None,
    )


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if isinstance(value, list):  # Vertex AI's, before Claude too
        value = next((item for item in value if isinstance(item, dict)), None)
    error = value.get("error") if isinstance(value, dict) else None
    if status < 400:
        return None if error is None else in_band(error)
    kind, message = _said(error)
    if not message:  # of gateways and frameworks, whose body is the error
        message = _said(value)[1]
    if status == 400 and _NO_CREDIT in message:
        # the operator's account is at fault, not the request
        return failure("upstream_status", message, status=status, retryable=False, code=kind)
    return status_failure(
        status,
        message or f"The upstream answered {status} without saying why{_beginning(body)}.",
        code=kind or None,
        retry_after_s=retry_after(headers),
        retryable=should_retry(headers),
    )


def error_object(why: Failure) -> dict[str, Any]:
    """A failure in the vendor's shape."""
    kind, _ = _by_kind(why)
    return {"type": "error", "error": {"type": kind, "message": why.message}}


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    _, status = _by_kind(why)
    headers = (
        {} if why.retry_after_s is msgspec.UNSET else {"retry-after": f"{why.retry_after_s:g}"}
    )
    return Reply(status or why.status, msgspec.json.encode(error_object(why)), headers)


def quoted(body: bytes) -> str:
    """The beginning of what an upstream sent, short enough for a sentence."""
    text = " ".join(body[: 4 * _QUOTED_CHARS].decode("utf-8", "replace").split())
    return text if len(text) <= _QUOTED_CHARS else text[:_QUOTED_CHARS] + "…"


def _by_kind(why: Failure) -> tuple[str, int | None]:
    """The vendor's type for a failure, and its status where that is not the failure's own."""
    # this vendor's own word, passed on
    if why.code is not msgspec.UNSET and why.code in wire.ERROR_STATUS:
        return why.code, 529 if why.code == "overloaded_error" else None
    return _BY_KIND.get(why.kind) or (
        _BY_STATUS.get(why.status)
        or ("api_error" if why.status >= 500 else "invalid_request_error"),
        None,
    )


def _said(error: Any) -> tuple[str, str]:
    """Type and message of an error object, each "" when it gives none."""
    if isinstance(error, str):
        return "", error
    if not isinstance(error, dict):
        return "", ""
    kind, message = error.get("type"), error.get("message") or error.get("detail")
    return kind if isinstance(kind, str) else "", message if isinstance(message, str) else ""


def _beginning(body: bytes) -> str:
    return f"; its answer begins with {quoted(body)}" if body.strip() else ""
