"""DashScope's errors: `{code, message, request_id}`, in an HTTP error's body, an `error` event, or
an event with no output.

Source: the list of status codes in Alibaba's reference. Codes have families
(`Throttling.RateQuota`), of which the first word decides.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.failures import Told, coded, text_of

_STATUS = {
    "InvalidParameter": 400,
    "BadRequest": 400,
    "DataInspectionFailed": 400,  # the content filter
    "InvalidApiKey": 401,
    "Arrearage": 402,
    "AccessDenied": 403,
    "ModelNotFound": 404,
    "Throttling": 429,
    "InternalError": 500,
    "ServiceUnavailable": 503,
}


def told(code: str, message: str) -> Told:
    """An error whose code stands by itself."""
    return coded("DashScope", code, message, _STATUS)


def error_of(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object. An answer may have an empty code."""
    code = text_of(document, "code")
    return told(code, text_of(document, "message")) if code and not document.get("output") else None
