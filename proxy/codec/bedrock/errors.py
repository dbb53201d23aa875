"""What Bedrock says went wrong: as an HTTP error, or as a message in the stream.

An HTTP error is `{"message": ...}` (`Message` from the layers before the service), and its name
stands in the header x-amzn-errortype, as `Name` or `Name:http://...`, or in the body as `__type`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.failures import Told, http_failure, in_band, read_error, retry_after, text_of
from proxy.errors import Failure, status_failure

# The exceptions of the stream, and the HTTP status that each has outside of one.
_STATUS = {
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "validationException": 400,
    "throttlingException": 429,
    "serviceUnavailableException": 503,
    "modelTimeoutException": 408,
    "modelErrorException": 424,
    "modelNotReadyException": 429,
    "accessDeniedException": 403,
    "resourceNotFoundException": 404,
}
# Beside 429 and all from 500: the model was too slow, or failed this time.
_RETRYABLE = frozenset({408, 424})
_SHOWN_CHARS = 200


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """See `UpstreamHalf.parse_error`."""
    document = read_error(body).document or {}
    message = text_of(document, "message", "Message")
    code = (
        headers.get("x-amzn-errortype") or text_of(document, "__type").rpartition("#")[2]
    ).partition(":")[0]
    if status < 400:
        return in_band(Told(message, code)) if code else None
    if not message:
        return http_failure(status, headers, body)
    return status_failure(
        status, message[:_SHOWN_CHARS], code=code or None, retry_after_s=retry_after(headers)
    )


def exception(kind: str, payload: bytes) -> Failure:
    """A message of the type `exception`: the service failed in the middle of an answer."""
    said = read_error(payload)
    document = said.document or {}
    message = text_of(document, "message", "Message") or (
        said.message if document == {} and payload else ""
    )
    original = text_of(document, "originalMessage")
    if original and original != message:
        status = text_of(document, "originalStatusCode")
        message = f"{message} ({f'{status}: ' if status else ''}{original})".strip()
    return _in_band(kind, message)


def broken(code: Any, message: Any) -> Failure:
    """A message of the type `error`: the stream itself failed. Code and message are its headers."""
    return _in_band(str(code or ""), str(message or ""))


def _in_band(kind: str, message: str) -> Failure:
    status = _STATUS.get(kind[:1].lower() + kind[1:])
    why = in_band(Told(message, kind or None, status))
    return msgspec.structs.replace(why, retryable=True) if status in _RETRYABLE else why
