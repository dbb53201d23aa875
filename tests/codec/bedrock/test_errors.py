"""HTTP errors of Bedrock."""

import pytest
from msgspec import UNSET

from proxy.codec.bedrock.errors import parse_error

KIND = "x-amzn-errortype"


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (
            429,
            {KIND: "ThrottlingException:http://internal.amazon.com/"},
            b'{"message":"Slow down."}',
            ("rate_limited", "Slow down.", "ThrottlingException"),
        ),
        (
            403,
            {},
            b'{"Message":"User: x is not authorized"}',
            ("upstream_status", "User: x is not authorized", UNSET),
        ),
        (
            404,
            {},
            b'{"__type":"com.amazon#ResourceNotFoundException","message":"No."}',
            ("model_not_found", "No.", "ResourceNotFoundException"),
        ),
        (
            424,
            {KIND: "ModelErrorException"},
            b'{"message":"It failed."}',
            ("upstream_status", "It failed.", "ModelErrorException"),
        ),
        (503, {}, b"", ("overloaded", "HTTP 503: an empty body", UNSET)),
        (
            500,
            {},
            b"<html>",
            (
                "upstream_status",
                "HTTP 500: an HTML page, as a login or challenge page would be",
                UNSET,
            ),
        ),
        (400, {}, b"[" * 9000, ("bad_request", "HTTP 400: " + "[" * 200, UNSET)),
    ],
)
def test_an_error(
    status: int, headers: dict[str, str], body: bytes, said: tuple[str, str, str]
) -> None:
    """Its sentence from the body, its name from the header or the body, its kind from the
    status."""
    why = parse_error(status, headers, body)
    assert why is not None
    assert said == (why.kind, why.message, why.code)


def test_advice_to_wait_is_passed_on() -> None:
    """In seconds."""
    why = parse_error(429, {"retry-after": "7"}, b"{}")
    assert why is not None
    assert 7 == why.retry_after_s


@pytest.mark.parametrize("body", [b"", b"{}", b'{"output":{"message":{}}}', b"\x00\x00\x00\x20"])
def test_under_200_only_what_names_an_error_is_one(body: bytes) -> None:
    """A name in the header does."""
    assert parse_error(200, {}, body) is None
    why = parse_error(200, {KIND: "InternalServerException"}, body)
    assert why is not None
    assert "upstream_error" == why.kind
