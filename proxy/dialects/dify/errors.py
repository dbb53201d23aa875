"""Dify's errors: `{"code", "message", "status"}`, as an HTTP error's body and, with the same
fields, as the stream's `error` event.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.base import Reply
from proxy.codec.failures import Told, answer_failure, in_band, text_of
from proxy.errors import Failure, Kind

_CODES: dict[Kind, str] = {
    "bad_request": "invalid_param",
    "unauthorized": "unauthorized",
    "forbidden": "forbidden",
    "model_not_found": "not_found",
    "too_large": "file_too_large",
    "rate_limited": "too_many_requests",
    "overloaded": "service_unavailable",
}
_OTHER = "internal_server_error"
# Dify's own words beyond these. Other vendors' words for the same would mean nothing to its
# clients.
_OWN = frozenset(
    {
        "not_chat_app",
        "app_unavailable",
        "provider_not_initialize",
        "provider_quota_exceeded",
        "model_currently_not_support",
        "completion_request_error",
        "conversation_completed",
        "rate_limit_error",
        "no_file_uploaded",
        "too_many_files",
        "unsupported_file_type",
        _OTHER,
        *_CODES.values(),
    }
)


def told(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object, if it is one. `status` is what the HTTP status would have been,
    had the stream not begun.
    """
    if "code" not in document or "message" not in document:
        return None
    status = document.get("status")
    return Told(
        text_of(document, "message"),
        text_of(document, "code") or None,
        status if isinstance(status, int) else None,
    )


def event_failure(document: Any) -> Failure:
    """The stream's `error` event."""
    said = told(document) if isinstance(document, dict) else None
    return in_band(said or Told("Dify reported an error without saying which."))


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    return answer_failure(status, headers, body, told)


def error_fields(why: Failure) -> dict[str, Any]:
    """What both forms say. A code of Dify's own goes through."""
    code = why.code if why.code is not UNSET and why.code in _OWN else _CODES.get(why.kind, _OTHER)
    return {"code": code, "message": why.message, "status": why.status}


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`."""
    headers = {} if why.retry_after_s is UNSET else {"retry-after": f"{why.retry_after_s:g}"}
    return Reply(why.status, msgspec.json.encode(error_fields(why)), headers)
