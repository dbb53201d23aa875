"""What the vendor says went wrong, whatever it looks like."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from proxy.dialects.gemini.errors import in_band, parse_error

INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RETRY = "type.googleapis.com/google.rpc.RetryInfo"


def error(code: int, status: str, *details: dict[str, Any]) -> bytes:
    return json.dumps(
        [{"error": {"code": code, "message": "No.", "status": status, "details": list(details)}}]
    ).encode()


def test_the_reason_is_the_code_and_the_delay_its_advice():
    """The header wins over the details."""
    body = error(
        429,
        "RESOURCE_EXHAUSTED",
        {"@type": INFO, "reason": "QUOTA"},
        {"@type": RETRY, "retryDelay": "23.5s"},
    )
    found = parse_error(429, {}, body)
    assert found is not None
    assert ("rate_limited", "No.", "QUOTA", 23.5) == (
        found.kind,
        found.message,
        found.code,
        found.retry_after_s,
    )
    again = parse_error(429, {"retry-after": "7"}, body)
    assert again is not None
    assert 7 == again.retry_after_s


def test_a_wrong_key_is_the_operators():
    """The vendor says so under the status of a wrong request."""
    found = parse_error(
        400, {}, error(400, "INVALID_ARGUMENT", {"@type": INFO, "reason": "API_KEY_INVALID"})
    )
    assert found is not None
    assert ("upstream_status", 400, "API_KEY_INVALID") == (found.kind, found.status, found.code)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"error": 7}',
        b'{"error": {"message": null}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_any_body_is_a_failure(body: bytes):
    """Under an error's status always, with a sentence; under 200 only an envelope is."""
    found = parse_error(500, {}, body)
    assert found is not None
    assert ("upstream_status", True) == (found.kind, bool(found.message.strip()))
    under_200 = parse_error(200, {}, body)
    assert under_200 is None or under_200.message.strip()


@pytest.mark.parametrize(
    ("said", "status", "retryable"),
    [
        ({"code": 429, "message": "a", "status": "RESOURCE_EXHAUSTED"}, 429, True),
        ({"code": 499, "message": "a", "status": "CANCELLED"}, 502, False),
        ({"code": 503, "message": "a"}, 502, True),
        ({"code": 400, "message": "a"}, 400, False),
        ("a", 502, True),
        (
            {
                "code": "x",
                "message": "a",
                "status": 3,
                "details": [7, {"@type": RETRY, "retryDelay": "soon"}],
            },
            502,
            True,
        ),
    ],
)
def test_errors_in_the_stream(said: Any, status: int, retryable: bool):
    found = in_band(said)
    assert ("upstream_error", "a", status, retryable, UNSET) == (
        found.kind,
        found.message,
        found.status,
        found.retryable,
        found.retry_after_s,
    )
