"""What vendors' error bodies say. Shapes from their references and from recordings, in our own
words."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from proxy.codec.openai.errors import parse_error
from proxy.errors import Failure

SHAPES: list[tuple[str, int, Any, str, object]] = [
    ("OpenAI's", 400, {"error": {"message": "Bad.", "type": "invalid_request_error", "param": "n", "code": "odd"}}, "Bad.", "odd"),
    ("no code: a type that says something", 400, {"error": {"message": "Long.", "type": "too_many_tokens", "code": 400}}, "Long.", "too_many_tokens"),
    ("no code: a type that says nothing", 400, {"error": {"message": "Bad.", "type": "invalid_request_error", "code": None}}, "Bad.", UNSET),
    ("OpenRouter's", 429, {"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": "Slow down"}}}, "Provider returned error: Slow down", UNSET),
    ("xAI's", 400, {"code": "invalid-argument", "error": "No such model"}, "No such model", "invalid-argument"),
    ("TGI's", 422, {"error": "Too long", "error_type": "validation"}, "Too long", "validation"),
    ("Mistral's", 401, {"detail": "Invalid API Key"}, "Invalid API Key", UNSET),
    ("FastAPI's", 422, {"detail": [{"loc": ["body", "n"], "msg": "Too many"}, {"loc": ["body"], "msg": "Odd"}]}, "body.n: Too many; body: Odd", UNSET),
    ("Mistral's other", 422, {"object": "error", "message": {"detail": [{"loc": ["body", "x"], "msg": "Extra"}]}}, "body.x: Extra", UNSET),
    ("Gemini's", 400, [{"error": {"code": 400, "message": "Not valid.", "status": "INVALID_ARGUMENT"}}], "Not valid.", UNSET),
    ("Spark's", 401, {"code": 11200, "message": "no licence"}, "no licence", "11200"),
    ("Cloudflare's", 400, {"success": False, "errors": [{"code": 7009, "message": "No such model"}]}, "No such model", "7009"),
    ("Databricks'", 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": "No such endpoint."}, "No such endpoint.", "ENDPOINT_NOT_FOUND"),
    ("Novita's", 403, {"code": 403, "reason": "NOT_ENOUGH_BALANCE", "message": "Pay."}, "Pay.", "NOT_ENOUGH_BALANCE"),
    ("a message alone", 404, {"message": "no route"}, "no route", UNSET),
    ("text alone", 403, "go away", "go away", UNSET),
    ("an object of no known shape", 400, {"error": {"message": {"a": 1}}}, '{"a":1}', UNSET),
]  # fmt: skip


def parsed(status: int, body: bytes, headers: dict[str, str] | None = None) -> Failure:
    failure = parse_error(status, headers or {}, body)
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("name", "status", "body", "message", "code"), SHAPES, ids=[row[0] for row in SHAPES]
)
def test_the_message_and_the_code_are_found(
    name: str, status: int, body: Any, message: str, code: object
) -> None:
    failure = parsed(status, json.dumps(body).encode())
    assert (status, message, code) == (failure.status, failure.message, failure.code)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<html>Bad gateway</html>",
        b"{",
        b"null",
        b"[]",
        b"5",
        b"{}",
        b'{"error":{}}',
        b"\xff\xfe",
        b"[" * 9999,
    ],
)
@pytest.mark.parametrize("status", [400, 404, 429, 500, 502, 599])
def test_any_body_of_an_error_status_is_a_failure_that_says_something(
    status: int, body: bytes
) -> None:
    failure = parsed(status, body)
    assert failure.message
    assert len(failure.message) < 200


def test_kinds_and_statuses_follow_the_http_status() -> None:
    kinds = {
        status: (parsed(status, b"").kind, parsed(status, b"").status)
        for status in (400, 401, 404, 413, 429, 498, 500, 503)
    }
    assert {
        400: ("bad_request", 400),
        401: ("upstream_status", 401),
        404: ("model_not_found", 404),
        413: ("too_large", 413),
        429: ("rate_limited", 429),
        498: ("overloaded", 503),
        500: ("upstream_status", 502),
        503: ("overloaded", 503),
    } == kinds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("soon", UNSET), ("Wed, 21 Oct 2026 07:28:00 GMT", UNSET), ("", UNSET)],
)
def test_advice_to_wait_is_in_seconds(value: str, seconds: object) -> None:
    assert seconds == parsed(429, b"{}", {"retry-after": value}).retry_after_s


def test_advice_to_wait_may_stand_in_the_body() -> None:
    """As Google's does, behind its OpenAI endpoint, and where a model loads."""
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "32s"}
    google = [{"error": {"code": 429, "message": "Full.", "details": [detail]}}]
    loading = {"error": "Model m is currently loading", "estimated_time": 20}
    for body, seconds in ((google, 32.0), (loading, 20.0)):
        assert seconds == parsed(503, json.dumps(body).encode()).retry_after_s
    assert 1.0 == parsed(429, json.dumps(google).encode(), {"retry-after": "1"}).retry_after_s


@pytest.mark.parametrize("status", [200, 429])
def test_a_spent_quota_does_not_come_back(status: int) -> None:
    """Whatever the status says."""
    body = b'{"error":{"message":"Spent.","type":"insufficient_quota","code":"insufficient_quota"}}'
    failure = parsed(status, body)
    assert (429, False) == (failure.status, failure.retryable)


@pytest.mark.parametrize("status", [200, 498])
def test_groq_without_capacity_may_be_tried_again(status: int) -> None:
    """Its flex tier fails quickly so."""
    body = (
        b'{"error":{"message":"Full.","type":"invalid_request_error","code":"capacity_exceeded"}}'
    )
    failure = parsed(status, body)
    assert (True, True) == (failure.status >= 500, failure.retryable)


def test_the_vendor_says_itself_whether_to_try_again() -> None:
    """As its SDKs are told."""
    body = b'{"error":{"message":"No."}}'
    assert parsed(400, body, {"x-should-retry": "true"}).retryable
    assert not parsed(500, body, {"x-should-retry": "false"}).retryable


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"Message":"No."}', "No."),
        (b'{"status":400,"error":"Bad Request","message":"No."}', "Bad Request: No."),
        (b'{"error":"No.","message":"No."}', "No."),
        (b'{"error":"No.","message":""}', "No."),
    ],
)
def test_errors_of_what_stands_before_the_vendor(body: bytes, message: str) -> None:
    """AWS, and servers that give the status a name beside the message."""
    assert message == parsed(400, body).message


def test_the_field_at_fault_goes_through() -> None:
    assert "n" == parsed(400, b'{"error":{"message":"Bad.","param":"n"}}').param


def test_a_long_message_is_cut() -> None:
    assert 2000 == len(parsed(400, json.dumps({"error": {"message": "x" * 9000}}).encode()).message)


def test_an_error_under_a_status_of_success_is_found() -> None:
    failure = parsed(200, b'{"error":{"message":"Slow down","code":429}}')
    assert ("upstream_error", 429, True) == (failure.kind, failure.status, failure.retryable)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b'{"choices":[]}',
        b'{"code":0,"choices":[]}',
        b'{"error":null,"choices":[]}',
        b"[]",
    ],
)
def test_what_is_no_error_is_none(body: bytes) -> None:
    assert parse_error(200, {}, body) is None
