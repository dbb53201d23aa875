"""Coze's errors: `{"code", "msg"}`, under HTTP 200 before the stream as well as inside it. Source:
"Error codes" of the API reference.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.failures import Told, answer_failure, in_band, text_of
from proxy.errors import Failure

# What the codes are in HTTP's words.
_STATUS = {"4000": 400, "4009": 429, "4013": 429, "4100": 401, "4101": 403, "4200": 404}
_FINE = ("", "0")


def told(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object, if it is one. A workflow has longer names for the same fields."""
    code = text_of(document, "error_code", "code")
    if code in _FINE:
        return None
    return Told(
        text_of(document, "error_message", "msg")
        or f"Coze answered with error {code[:20]} and no message.",
        code[:20],
        _STATUS.get(code),
    )


def problem_failure(document: Any) -> Failure:
    """An error inside a stream, where even one without a code is an error."""
    said = told(document) if isinstance(document, dict) else None
    return in_band(said or Told("Coze reported an error without saying which."))


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    return answer_failure(status, headers, body, told)
