"""Errors of the vendor, of its cloud and of a server before it."""

import pytest

from proxy.dialects.ollama.errors import parse_error


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, b'{"error":"no such model"}', "model_not_found", "no such model"),
        (500, b'{"error":{"message":"why"}}', "upstream_status", "why"),
        (502, b"<html>", "upstream_status", "The upstream answered 502"),
        (503, b"\xff", "overloaded", "The upstream answered 503"),
        (200, b'{"error":"why"}', "upstream_error", "why"),
        (200, b'{"error":{}}', None, ""),
        (200, b'{"error":[1]}', "upstream_error", "The upstream reported an error"),
    ],
)
def test_an_error_is_what_the_vendor_says(
    status: int, body: bytes, kind: str | None, message: str
) -> None:
    found = parse_error(status, {}, body)
    assert kind == (None if found is None else found.kind)
    assert found is None or found.message.startswith(message)
