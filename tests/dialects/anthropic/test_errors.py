"""Errors both ways: the vendor's bodies of any shape, and ours as its SDK sees them."""

import json

import pytest

from proxy.dialects.anthropic import DIALECT
from proxy.errors import Failure


def parse_error(status: int, body: bytes, **headers: str) -> Failure | None:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.parse_error(
        status, {key.replace("_", "-"): value for key, value in headers.items()}, body
    )


def test_the_vendors_own_word_is_passed_on() -> None:
    """A failure that came from this vendor keeps its type and the status that was passed on."""
    assert DIALECT.client is not None
    body = b'{"type":"error","error":{"type":"billing_error","message":"Pay."}}'
    why = parse_error(402, body)
    assert why is not None
    reply = DIALECT.client.render_error(why)
    assert (402, "billing_error") == (reply.status, json.loads(reply.body)["error"]["type"])


@pytest.mark.parametrize(
    "body",
    [
        b'[{"error": {"code": 404, "message": "No such model.", "status": "NOT_FOUND"}}]',
        b'{"message": "No such model."}',
        b'{"detail": "No such model."}',
        b'{"error": {"detail": "No such model."}}',
    ],
)
def test_errors_of_what_stands_before_the_vendor(body: bytes) -> None:
    """Vertex AI, gateways, frameworks."""
    why = parse_error(404, body)
    assert why is not None
    assert ("model_not_found", "No such model.") == (why.kind, why.message)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>no</html>",
        b"{",
        b"[1]",
        b'{"error": null}',
        b'{"error": 5}',
        b"\xff" * 500,
        b"[" * 10_000,
    ],
)
@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
def test_any_error_body_is_a_failure(status: int, body: bytes) -> None:
    """Whatever the body says, 400 or more is a failure with a sentence."""
    found = parse_error(status, body)
    assert found is not None
    assert (status if status < 500 else {500: 502, 529: 503}[status]) == found.status
    assert found.message.endswith(".") or "begins with" in found.message


def test_retry_after_and_overload() -> None:
    """Seconds are kept; a date, which needs a clock, is not; 529 is our overloaded."""
    busy = parse_error(
        529, b'{"error":{"type":"overloaded_error","message":"Busy."}}', retry_after="2"
    )
    assert busy is not None
    assert ("overloaded", True, 2, "overloaded_error") == (
        busy.kind,
        busy.retryable,
        busy.retry_after_s,
        busy.code,
    )
    dated = parse_error(429, b"", retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    assert dated is not None
    assert not dated.retry_after_s


def test_bodies_under_200() -> None:
    """A message is no error; an error object is one whatever the status."""
    assert None is parse_error(200, b'{"type":"message","content":[]}')
    found = parse_error(
        200, b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow."}}'
    )
    assert found is not None
    assert ("upstream_error", 429, "rate_limit_error") == (found.kind, found.status, found.code)


def test_an_overload_in_the_stream_is_503_to_others_and_529_to_this_vendors_clients() -> None:
    """Before the first byte it is still an HTTP status."""
    for why in (
        parse_error(200, b'{"error":{"type":"overloaded_error","message":"Busy."}}'),
        parse_error(529, b'{"error":{"type":"overloaded_error"}}'),
    ):
        assert why is not None
        assert (503, 529) == (why.status, DIALECT.client.render_error(why).status)


def test_an_account_without_credit_is_no_fault_of_the_request() -> None:
    """The vendor says it with the status of a bad request; another target may do."""
    error = {"type": "invalid_request_error", "message": "Your credit balance is too low."}
    found = parse_error(400, json.dumps({"type": "error", "error": error}).encode())
    assert found is not None
    assert ("upstream_status", 400, False) == (found.kind, found.status, found.retryable)


def test_the_vendor_says_itself_whether_to_try_again() -> None:
    """As its SDKs are told."""
    for said, expected in (("true", True), ("false", False)):
        found = parse_error(409, b"", x_should_retry=said)
        assert found is not None
        assert expected is found.retryable
