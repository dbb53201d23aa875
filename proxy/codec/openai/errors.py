"""What a vendor says went wrong: in an HTTP error's body, or in the stream.

Shapes met (recordings, vendors' references): OpenAI's `{"error": {message, type, param, code}}`;
the same with a number as `code` and the useful text in `metadata.raw` (OpenRouter); `{"error":
"text", "error_type"}` (TGI) or with `code` beside it (xAI); `{"object": "error", message}` (vLLM,
Mistral); `{"detail": ...}` (Mistral, FastAPI); `{"code": 10013, "message"}` (Spark); `{"base_resp":
{status_code, status_msg}}` (MiniMax); any of them in a list (Gemini's OpenAI endpoint).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from proxy.codec.failures import retry_advice, retry_after, should_retry
from proxy.codec.lenient_json import NotJSONError, loads, shown
from proxy.errors import Failure, failure, status_failure

# A vendor's message is passed on, but not a page of it.
_MESSAGE_CHARS = 2000
_RETRYABLE_STATUSES = frozenset({408, 409, 425, 429})
# `code` where nothing is wrong: Spark's 0, and gateways that repeat their HTTP status.
_FINE_CODES: tuple[object, ...] = (None, "", 0, "0", 200, "200", False)
# The vendor's word for an error -> the HTTP status that it would have had.
_WORD_STATUS: dict[str, int] = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "validation": 422,  # this and the next three: TGI
    "generation": 424,
    "overloaded": 429,
    "incomplete_generation": 500,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "overloaded_error": 529,
    "capacity_exceeded": 503,  # Groq
    "10013": 400,  # Spark: the question, the answer was filtered; too long; concurrency and quotas
    "10014": 400,
    "10907": 400,
    "11201": 429,
    "11202": 429,
    "11203": 429,
    "1002": 429,  # MiniMax: requests a minute; the key; the balance; the content; the parameters
    "1004": 401,
    "1008": 402,
    "1026": 400,
    "1027": 400,
    "1039": 429,
    "2013": 400,
}


# What is spent does not come back by itself: OpenAI, Moonshot, Zhipu, MiniMax.
_SPENT = frozenset({"insufficient_quota", "exceeded_current_quota_error", "1113", "1008"})
# Types that say no more than the status does: no `code` is made of them.
_GENERAL = frozenset({"error", "api_error", "invalid_request_error", "server_error"})
# Where the vendor's word stands; the last two are Databricks' and Novita's.
_WORDS = ("code", "type", "error_type", "error_code", "reason")


class VendorError(NamedTuple):
    """What the vendor said. `status` is the HTTP status that it named or meant, `retry_after_s` how
    long to wait, if it said so.
    """

    message: str
    code: str | None = None
    status: int | None = None
    param: str | None = None
    retry_after_s: float | None = None


def vendor_error(body: Any, *, certain: bool = False) -> VendorError | None:
    """The error in a JSON value, or None. `certain`: its status, or the event's name, says that it
    is one; any text is its message.
    """
    if isinstance(body, list):
        body = next((item for item in body if isinstance(item, dict)), None)
    if isinstance(body, str) and certain:
        return VendorError(_cut(body))
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, dict) and error:
        return _described(error, body)
    if error:
        further = body.get("message")  # Spring's, where `error` is the name of the status
        both = isinstance(error, str) and isinstance(further, str) and further not in ("", error)
        return _described(
            {
                "message": f"{error}: {further}" if both else error,
                "type": body.get("error_type") or body.get("type"),
                "code": body.get("code"),
            },
            body,
        )
    base = body.get("base_resp")
    if isinstance(base, dict) and base.get("status_code") not in _FINE_CODES:
        return _described({"message": base.get("status_msg"), "code": base["status_code"]}, {})
    errors = body.get("errors")  # Cloudflare's
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return _described(errors[0], {})
    failed_code = body.get("code") not in _FINE_CODES and bool(
        body.get("message") or body.get("msg") or not body.get("choices")
    )
    # FastAPI, in a stream that had begun
    detailed = bool(body.get("detail")) and not {"choices", "object", "type"} & body.keys()
    named = "error" in (body.get("object"), body.get("type")) and not body.get("choices")
    if certain or named or failed_code or detailed:
        return _described(body, body)
    return None


def in_band(error: VendorError) -> Failure:
    """An error that came under a status of success."""
    status = error.status
    retryable = None if status is None else status >= 500 or status in _RETRYABLE_STATUSES
    made = failure(
        "upstream_error",
        error.message or "The upstream reported an error without a message.",
        status=status if status is not None and status < 500 else None,
        retryable=False if error.code in _SPENT else retryable,
        code=error.code,
        retry_after_s=error.retry_after_s,
    )
    return _with_param(made, error)


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """The failure that an HTTP answer tells of. Below 400 only an error envelope is one."""
    try:
        said = loads(body)
    except NotJSONError:
        said = None
    error = vendor_error(said, certain=status >= 400)
    if status < 400:
        return None if error is None else in_band(error)
    if error is None or not error.message:
        found = (
            f"with a body that is no error object: {shown(body)}"
            if body.strip()
            else "without saying why"
        )
        error = VendorError(
            f"The upstream answered {status} {found}.", code=error.code if error else None
        )
    wait = retry_after(headers)
    made = status_failure(
        status,
        error.message,
        code=error.code,
        retry_after_s=error.retry_after_s if wait is None else wait,
        retryable=False if error.code in _SPENT else should_retry(headers),
    )
    return _with_param(made, error)


def _described(error: Mapping[str, Any], envelope: Mapping[str, Any]) -> VendorError:
    words = [_word(error.get(key)) for key in _WORDS]
    status = next(
        (
            found
            for source in (error, envelope)
            for key in ("status_code", "code", "status")
            if (found := _http(source.get(key)))
        ),
        None,
    )
    if status is None:
        status = next((_WORD_STATUS[word] for word in words if word in _WORD_STATUS), None)
    param = error.get("param")
    return VendorError(
        _message(error),
        next((word for word in words if word and word not in _GENERAL), None),
        status,
        param if isinstance(param, str) else None,
        retry_advice({**envelope, **error}),
    )


def _message(error: Mapping[str, Any]) -> str:
    try:
        return _words(error)
    except RecursionError:  # nested beyond all sense
        return ""


def _words(error: Mapping[str, Any]) -> str:
    text = next(
        (
            found
            for key in ("message", "Message", "detail", "msg", "error_msg", "error_description")
            if (found := _text(error.get(key)))
        ),
        "",
    )
    metadata = error.get("metadata")
    # OpenRouter: what the vendor behind it said
    raw = _text(metadata.get("raw")) if isinstance(metadata, dict) else ""
    return _cut(f"{text}: {raw}" if text and raw else text or raw)


def _text(value: Any) -> str:
    """A message as text: FastAPI's is a list of `{loc, msg}`, Mistral's an object around that."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    if not isinstance(value, dict) or not value:
        return ""
    inner = next(
        (
            value[key]
            for key in ("message", "msg", "detail")
            if isinstance(value.get(key), str | list)
        ),
        None,
    )
    if inner is None:
        return msgspec.json.encode(value).decode()
    place = value.get("loc")
    where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
    return where + _text(inner)


def _cut(text: str) -> str:
    return text if len(text) <= _MESSAGE_CHARS else text[: _MESSAGE_CHARS - 1] + "…"


def _word(value: Any) -> str | None:
    if (
        isinstance(value, bool)
        or value in _FINE_CODES
        or not isinstance(value, str | int)
        or _http(value)
    ):
        return None
    return str(value)[:100]


def _http(value: Any) -> int | None:
    """An HTTP error status, as a number or as digits."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _with_param(made: Failure, error: VendorError) -> Failure:
    return made if error.param is None else msgspec.structs.replace(made, param=error.param)
