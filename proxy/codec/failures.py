"""What an HTTP error, or an answer that is no stream, says went wrong. For upstream halves whose
vendors have no strict error form.
"""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import msgspec

from proxy.errors import Failure, failure, status_failure

_SHOWN_CHARS = 200
_LONGEST_WAIT_S = 1e9
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_MESSAGE_KEYS = ("message", "msg", "error_msg", "errmsg", "detail", "error")
_CODE_KEYS = ("code", "error_code", "errno", "type")

# What frameworks and gateways say of a path that nothing serves: nginx, Go, FastAPI, Spring, Azure.
_NOTHING_THERE = frozenset(
    {"not found", "404 not found", "page not found", "404 page not found", "resource not found"}
)
# OpenAI, Groq, Express, Spring, Kong, Fastify
_NO_SUCH_PATH = (
    "invalid url",
    "unknown request url",
    "cannot post",
    "no static resource",
    "no route matched",
    "route post:",
)


class Said(NamedTuple):
    """An error body in words: `document` is the JSON object, None when it is none."""

    message: str
    code: str | None
    document: dict[str, Any] | None


def read_error(body: bytes) -> Said:
    """The message and code of an error body, whatever it is: JSON of the usual shapes, HTML, plain
    text or nothing.
    """
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return Said(_plain(body), None, None)
    if not isinstance(document, dict):
        return Said(_plain(body), None, None)
    inner = _inner(document)
    code = next((inner[key] for key in _CODE_KEYS if isinstance(inner.get(key), str | int)), None)
    return Said(_message(inner) or _plain(body), None if code is None else str(code), document)


def not_a_stream(body: bytes) -> Failure:
    """Why a body under status 200 holds no event."""
    said = read_error(body)
    return failure(
        "upstream_malformed",
        f"The upstream answered, instead of a stream: {said.message}",
        code=said.code,
    )


def misdirected(status: int, body: bytes) -> bool:
    """Whether an HTTP error speaks of the path that was asked, not of the request: no API is there,
    or not this one. An API's own error about a model, or anything else that it has not, is none.
    """
    if status != 404:
        return status == 405
    said = read_error(body)
    if not said.document:
        return b"model" not in body or body.lstrip().startswith(b"<")
    text = _message(_inner(said.document)).strip(" .!").lower()
    return text in _NOTHING_THERE or text.startswith(_NO_SUCH_PATH)


def http_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """An HTTP status of 400 or more as a failure."""
    said = read_error(body)
    return status_failure(
        status,
        f"HTTP {status}: {said.message}",
        code=said.code,
        retry_after_s=_wait(headers, said.document),
    )


def framework_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """`UpstreamHalf.parse_error` for a server without error forms of its own: its framework's JSON,
    as an HTTP error's body or, under 200, in place of the stream.
    """
    if status >= 400:
        return http_failure(status, headers, body)
    said = read_error(body)
    if said.document is None or not {"detail", "error"} & said.document.keys():
        return None
    return failure(
        "upstream_error", f"The upstream answered with an error: {said.message}", code=said.code
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`retry-after` in seconds (RFC 9110, 10.2.3), or the finer `retry-after-ms` of Azure and
    OpenAI. One with a date counts from the answer's own `date`: who wrote both has one clock.
    """
    fine, value = (headers.get(name, "").strip() for name in ("retry-after-ms", "retry-after"))
    for digits, unit_s in ((fine, 0.001), (value, 1.0)):
        wait_s = _decimal(digits)
        if wait_s is not None and wait_s * unit_s < _LONGEST_WAIT_S:
            return wait_s * unit_s
    try:
        wait_s = (
            parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
        ).total_seconds()
    except (ValueError, TypeError, OverflowError):  # TypeError: one of them has no zone
        return None
    return max(wait_s, 0.0) if wait_s < _LONGEST_WAIT_S else None


def _wait(headers: Mapping[str, str], document: Mapping[str, Any] | None) -> float | None:
    told = retry_after(headers)
    return retry_advice(document) if told is None and document is not None else told


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """What OpenAI, Anthropic and gateways tell their SDKs; None where nothing is said."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def retry_advice(error: Mapping[str, Any]) -> float | None:
    """How long an error object says to wait, in seconds: `retry_after` (Replicate and gateways),
    `estimated_time` (Hugging Face, while a model loads), or a detail of Google's.
    """
    for name in ("retry_after", "estimated_time"):
        value = error.get(name)
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and 0 <= value < _LONGEST_WAIT_S
        ):
            return float(value)
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("@type") == RETRY_INFO:
            return duration_s(detail.get("retryDelay"))
    return None


def duration_s(duration: Any) -> float | None:
    """A protobuf duration, `23.5s`, in seconds."""
    said = isinstance(duration, str) and duration.endswith("s")
    return _decimal(duration[:-1]) if said else None


def _decimal(digits: str) -> float | None:
    """Digits, perhaps with a point and more of them."""
    whole, _, part = digits.partition(".")
    good = len(digits) < 20 and all(
        text.isascii() and text.isdigit() for text in (whole, part or "0")
    )
    return float(digits) if good else None


def _inner(document: dict[str, Any]) -> dict[str, Any]:
    inner = document.get("error")
    return inner if isinstance(inner, dict) else document


def _message(document: dict[str, Any]) -> str:
    for key in _MESSAGE_KEYS:
        value = document.get(key)
        if isinstance(value, str) and value:
            return value[:_SHOWN_CHARS]
        if isinstance(value, list):  # FastAPI: [{"loc": ["body", "cid"], "msg": "Field required"}]
            rows = [
                row for row in value if isinstance(row, dict) and isinstance(row.get("msg"), str)
            ]
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


class Told(NamedTuple):
    """An error in a vendor's own envelope. `status` is the HTTP status that its code means, None
    where that is not known.
    """

    message: str
    code: str | None = None
    status: int | None = None


def coded(vendor: str, code: str, message: str, statuses: Mapping[str, int]) -> Told:
    """An error that the vendor gives a code. `statuses` has codes, or their families: the part
    before the first dot.
    """
    status = statuses.get(code, statuses.get(code.partition(".")[0]))
    return Told(
        message or f"{vendor} answered with the error {code} and no message.", code or None, status
    )


def in_band(told: Told) -> Failure:
    """An error that came under a status of success: in the stream, or as JSON in its place."""
    status = told.status
    return failure(
        "upstream_error",
        told.message[:_SHOWN_CHARS] or "The upstream reported an error without a message.",
        status=status if status is not None and 400 <= status < 500 else None,
        retryable=None if status is None else status >= 500 or status == 429,
        code=told.code,
    )


def answer_failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    tell: Callable[[Mapping[str, Any]], Told | None],
) -> Failure | None:
    """`UpstreamHalf.parse_error` for a vendor whose envelope `tell` knows: it takes a JSON object,
    and answers None if that is no error.
    """
    document = read_error(body).document
    told = tell(document) if document is not None else None
    if status < 400:
        return None if told is None else in_band(told)
    if told is None or not told.message:
        return http_failure(status, headers, body)
    return status_failure(
        status, told.message[:_SHOWN_CHARS], code=told.code, retry_after_s=_wait(headers, document)
    )


def text_of(document: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds text or a number, as text; "" where none does."""
    found = (document.get(name) for name in names)
    return next(
        (
            str(value)
            for value in found
            if isinstance(value, str | int) and not isinstance(value, bool) and value != ""
        ),
        "",
    )
