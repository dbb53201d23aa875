"""What an HTTP error says, whoever wrote it."""

from typing import Any

import pytest

from proxy.codec.failures import http_failure, misdirected, retry_advice, retry_after, should_retry

NOW = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "7.5"}, 7.5),
        ({"retry-after": "2", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "2", "retry-after-ms": "soon"}, 2.0),
        ({"retry-after": "9999999999"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": NOW}, 30.0),
        ({"retry-after": "Sunday, 22-Nov-26 10:01:00 GMT", "date": NOW}, 60.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:59:00 GMT", "date": NOW}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 9999 10:00:30 GMT", "date": NOW}, None),
        ({"retry-after": "soon", "date": NOW}, None),
        ({"retry-after": "-1", "date": NOW}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "٣"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    """A date counts from the answer's own, so that no two clocks have to agree."""
    assert seconds == retry_after(headers)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        ({"retry_after": 7}, 7.0),
        ({"retry_after": True}, None),
        ({"retry_after": -1, "estimated_time": 20.5}, 20.5),
        (
            {
                "details": [
                    1,
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "32s"},
                ]
            },
            32.0,
        ),
        (
            {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": 32}]},
            None,
        ),
        ({"details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo"}]}, None),
        ({}, None),
    ],
)
def test_an_error_object_says_how_long_to_wait(
    error: dict[str, Any], seconds: float | None
) -> None:
    """In seconds, or as a duration of Google's."""
    assert seconds == retry_advice(error)


def test_the_header_goes_before_the_body() -> None:
    """Both say how long to wait."""
    body = b'{"detail": "Slow down.", "retry_after": 7}'
    assert 7.0 == http_failure(429, {}, body).retry_after_s
    assert 5.0 == http_failure(429, {"retry-after": "5"}, body).retry_after_s


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), (" False ", False), ("maybe", None), ("", None)]
)
def test_vendors_tell_their_sdks_whether_to_try_again(value: str, expected: bool | None) -> None:
    """Where they say nothing, it is unknown."""
    assert expected is should_retry({"x-should-retry": value})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>model</html>",
        b"404 page not found",
        b'{"detail":"Not Found"}',
        b'{"error":{"code":"404","message":"Resource not found"}}',
        b'{"error":{"message":"Invalid URL (POST /v1/v1/chat/completions)","code":null}}',
        b'{"timestamp":1,"status":404,"error":"Not Found","path":"/v1"}',
        b"{}",
    ],
)
def test_a_404_that_speaks_of_the_path_is_misdirected(body: bytes) -> None:
    """As of nginx, Go, FastAPI, Azure, OpenAI and Spring. Under another status the same is not."""
    assert [True, False] == [misdirected(404, body), misdirected(400, body)]


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}',
        b'{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}',
        b'{"error":"model \'x\' not found"}',
        b'{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist."}}',
        b'{"error":{"message":"Previous response with id \'r\' not found.","code":null}}',
        b"model x not found",
    ],
)
def test_a_404_that_speaks_of_what_was_asked_is_not(body: bytes) -> None:
    assert misdirected(404, body) is False


def test_a_method_that_is_not_allowed_is_of_the_path() -> None:
    assert misdirected(405, b'{"error":{"message":"model"}}') is True
