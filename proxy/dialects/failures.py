"""What an HTTP error, or an answer that is no stream, says went wrong. For upstream halves whose vendors have no strict error form."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from proxy.errors import Failure, status_failure

_SHOWN_CHARS = 200
_MESSAGE_KEYS = ("message", "msg", "error_msg", "errmsg", "detail", "error")
_CODE_KEYS = ("code", "error_code", "errno", "type")


class Said(NamedTuple):
    """An error body in words: `document` is the JSON object, None when it is none."""

    message: str
    code: str | None
    document: dict[str, Any] | None


def read_error(body: bytes) -> Said:
    """The message and code of an error body, whatever it is: JSON of the usual shapes, HTML, plain text or nothing."""
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return Said(_plain(body), None, None)
    if not isinstance(document, dict):
        return Said(_plain(body), None, None)
    inner = document["error"] if isinstance(document.get("error"), dict) else document
    code = next((inner[key] for key in _CODE_KEYS if isinstance(inner.get(key), str | int)), None)
    return Said(_message(inner) or _plain(body), None if code is None else str(code), document)


def http_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """An HTTP status of 400 or more as a failure."""
    said = read_error(body)
    return status_failure(status, f"HTTP {status}: {said.message}", code=said.code, retry_after_s=retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`retry-after` in seconds. The form with a date is passed over: this package has no clock."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _message(document: dict[str, Any]) -> str:
    for key in _MESSAGE_KEYS:
        value = document.get(key)
        if isinstance(value, str) and value:
            return value[:_SHOWN_CHARS]
        if isinstance(value, list):  # FastAPI: [{"loc": ["body", "cid"], "msg": "Field required"}]
            rows = [row for row in value if isinstance(row, dict) and isinstance(row.get("msg"), str)]
            if rows:
                return "; ".join(f"{_place(row)}{row['msg']}" for row in rows)[:_SHOWN_CHARS]
    return ""


def _place(row: dict[str, Any]) -> str:
    loc = row.get("loc")
    return ".".join(map(str, loc)) + ": " if isinstance(loc, list) and loc else ""


def _plain(body: bytes) -> str:
    text = " ".join(body[: 4 * _SHOWN_CHARS].decode("utf-8", "replace").split())
    if not text:
        return "an empty body"
    if text.startswith("<"):
        return "an HTML page, as a login or challenge page would be"
    return text[:_SHOWN_CHARS]
