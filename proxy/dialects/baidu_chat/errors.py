"""Baidu's errors: a `status` that is not 0, under HTTP 200, in a packet or in place of the
stream.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from proxy.codec.failures import http_failure, read_error, retry_after
from proxy.dialects.baidu_chat.wire import Content, Packet
from proxy.errors import Failure, Kind, failure, status_failure


class _Row(NamedTuple):
    kind: Kind
    status: int
    message: str


# Neither may be tried again as it is: one waits for the operator, the other for hours.
_CODES = {
    "1001": _Row(
        "upstream_error",
        401,
        "Baidu refused the session: refresh chat_token and cookie in the configuration.",
    ),
    "1005": _Row(
        "rate_limited",
        429,
        "Baidu's quota or risk control stopped this address: wait long before trying again.",
    ),
}
KUNLUN = "1005"
# What a Baidu client is told of other failures.
_KIND_CODES: dict[Kind, int] = {
    "unauthorized": 1001,
    "forbidden": 1001,
    "rate_limited": 1005,
    "overloaded": 1005,
}
_OTHER_CODE = 1000
_SHOWN_CHARS = 300
_packet = msgspec.json.Decoder(Packet).decode


def code_failure(code: int | str, hint: str | None = None) -> Failure:
    """A packet's status as a failure, with the vendor's own words, if any, behind ours."""
    row = _CODES.get(str(code))
    said = f" ({hint[:_SHOWN_CHARS]})" if hint else ""
    if row is None:
        return failure("upstream_error", f"Baidu answered with error {code}.{said}", code=str(code))
    return failure(
        row.kind, f"{row.message}{said}", status=row.status, retryable=False, code=str(code)
    )


def hint(content: Content | None) -> str | None:
    """What a packet says to people."""
    parts = content.hints.parts if content is not None and content.hints is not None else None
    return " ".join(part.text for part in parts if part.text) if parts else None


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """HTTP errors (401 and 403 for a stale cookie), and JSON under 200 whose `status` is an error;
    either may be one packet.
    """
    said = read_error(body)
    code = (
        said.document.get("status", said.document.get("code"))
        if said.document is not None
        else None
    )
    words = _packet_hint(body)
    if status < 400:
        return (
            code_failure(code, words or said.message)
            if isinstance(code, int) and code != 0
            else None
        )
    if words is None:
        return http_failure(status, headers, body)
    return status_failure(
        status,
        f"HTTP {status}: {words[:_SHOWN_CHARS]}",
        code=None if code is None else str(code),
        retry_after_s=retry_after(headers),
    )


def _packet_hint(body: bytes) -> str | None:
    try:
        packet = _packet(body)
    except (ValueError, RecursionError):
        return None
    message = packet.data.message if packet.data is not None else None
    return hint(message.content) if message is not None else None


def error_code(why: Failure) -> int:
    """The status that tells a Baidu client of a failure."""
    return _KIND_CODES.get(why.kind, _OTHER_CODE)


def error_content(why: Failure) -> dict[str, Any]:
    """`data.message.content` of an error packet."""
    return {
        "generator": {
            "text": "",
            "type": "txt",
            "dataType": "",
            "showType": "append",
            "antiFlag": 0,
            "isFinished": True,
        },
        "cacheStatus": 0,
        "hints": {"parts": [{"type": "error", "text": why.message}]},
    }
