"""Sider's error codes, which come in an HTTP error's body and, just as well, in the middle of a
stream.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from proxy.codec.failures import http_failure, read_error
from proxy.errors import Failure, Kind, failure


class _Row(NamedTuple):
    kind: Kind
    status: int
    retryable: bool


# 1001 is the operator's token, not the client's key: it stays an upstream's failure.
_CODES: dict[str, _Row] = {
    "603": _Row("bad_request", 400, False),  # more words than the model takes
    "1000": _Row("bad_request", 400, False),
    "1001": _Row("upstream_error", 401, False),
    "1101": _Row("rate_limited", 429, True),  # the account answers another request right now
    "1135": _Row("rate_limited", 429, True),  # "try again after N minutes"
}
# What the codes are when an answer of another vendor fails and a Sider client must be told.
_KIND_CODES: dict[Kind, int] = {
    "bad_request": 1000,
    "too_large": 603,
    "unauthorized": 1001,
    "forbidden": 1001,
    "rate_limited": 1135,
    "overloaded": 1101,
}
# Statuses that say less than the code; any other says as much.
_GENERAL = frozenset({400, 429})
_MINUTES = re.compile(r"(\d{1,5})\s*(?:minute|min\b|分)", re.IGNORECASE)
_SHOWN_CHARS = 300


def code_failure(code: int | str, message: str | None) -> Failure:
    """An error object as a failure. Unknown codes are errors too."""
    row = _CODES.get(str(code), _Row("upstream_error", 502, True))
    said = (message or f"Sider answered with error code {code} and no message.")[:_SHOWN_CHARS]
    minutes = _MINUTES.search(said) if row.status == 429 else None
    after = int(minutes[1]) * 60.0 if minutes else None
    return failure(
        row.kind,
        said,
        status=row.status,
        retryable=row.retryable,
        code=str(code),
        retry_after_s=after,
    )


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """`{"code":N,"msg":"..."}`; a challenge page of the CDN in front may come instead."""
    said = read_error(body)
    known = (
        said.document is not None
        and isinstance(said.document.get("code"), int)
        and said.document["code"] != 0
    )
    if (
        known
        and said.code is not None
        and (status < 400 or (status in _GENERAL and said.code in _CODES))
    ):
        return code_failure(said.code, said.message)
    return http_failure(status, headers, body) if status >= 400 else None


def error_code(why: Failure) -> int:
    """The code that tells a Sider client of a failure: a known one where it fits, else the HTTP
    status.
    """
    return _KIND_CODES.get(why.kind, why.status)
