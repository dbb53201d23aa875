"""Errors of the vendor, and ours in its form; and its list of models."""

import json

import pytest

from proxy.codec.base import Listed
from proxy.codec.rules import Rules
from proxy.dialects.cohere import models
from proxy.dialects.cohere.errors import parse_error, render_error
from proxy.errors import failure


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (429, b'{"message":"slow"}', "rate_limited", "slow"),
        (500, b"<html>", "upstream_status", "The upstream answered 500"),
        (502, b"\xff", "upstream_status", "The upstream answered 502"),
        (200, b'{"message":"no"}', "upstream_error", "no"),
    ],
)
def test_an_error_is_what_the_vendor_says(
    status: int, body: bytes, kind: str, message: str
) -> None:
    """Also where a server before it answers."""
    found = parse_error(status, {}, body)
    assert found is not None
    assert (kind, True) == (found.kind, found.message.startswith(message))


def test_an_answer_is_no_error() -> None:
    assert [None, None] == [parse_error(200, {}, body) for body in (b"{}", b"event: a")]


def test_the_vendors_code_goes_to_its_clients() -> None:
    body = render_error(failure("upstream_error", "Why.", code="TOXIC")).body
    assert {"message": "Why.", "error_type": "TOXIC"} == json.loads(body)


def test_its_clients_get_models_in_its_form() -> None:
    """They are known by their headers. A limit that is not known is left out."""
    assert [True, True, False] == [
        models.lists(headers)
        for headers in (
            {"x-fern-sdk-name": "cohere-ai"},
            {"user-agent": "Cohere/5"},
            {"user-agent": "curl"},
        )
    ]
    plain = {"is_deprecated": False, "endpoints": ["chat"], "finetuned": False}
    small, large = Listed("a", Rules()), Listed("b", Rules(context_tokens=9))
    expected = [{"name": "a", **plain}, {"name": "b", **plain, "context_length": 9}]
    assert {"models": expected} == json.loads(models.models([small, large], 0))
    assert expected[1] == json.loads(models.model(large, 0))
