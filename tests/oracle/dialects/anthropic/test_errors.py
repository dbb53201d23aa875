"""Errors both ways: the vendor's bodies of any shape, and ours as its SDK sees them."""

import json

import anthropic
import pytest

from proxy.codec.base import JSON, Listed
from proxy.dialects.anthropic import DIALECT
from proxy.dialects.anthropic.models import models
from proxy.errors import Kind, failure
from tests.oracle.dialects.anthropic.sdk import client, failed_or_read


@pytest.mark.parametrize(
    ("kind", "status", "error", "word"),
    [
        ("bad_request", 400, anthropic.BadRequestError, "invalid_request_error"),
        ("unauthorized", 401, anthropic.AuthenticationError, "authentication_error"),
        ("forbidden", 403, anthropic.PermissionDeniedError, "permission_error"),
        ("model_not_found", 404, anthropic.NotFoundError, "not_found_error"),
        ("too_large", 413, anthropic.APIStatusError, "request_too_large"),
        ("rate_limited", 429, anthropic.RateLimitError, "rate_limit_error"),
        ("overloaded", 529, anthropic.APIStatusError, "overloaded_error"),
        ("shutdown", 503, anthropic.APIStatusError, "api_error"),
        ("idle_timeout", 504, anthropic.APIStatusError, "timeout_error"),
        ("upstream_truncated", 502, anthropic.InternalServerError, "api_error"),
        ("internal", 500, anthropic.InternalServerError, "api_error"),
    ],
)
def test_the_sdk_raises_its_own_exception(
    kind: Kind, status: int, error: type[anthropic.APIStatusError], word: str
) -> None:
    """Status, type, sentence and Retry-After are those that the SDK's users know."""
    assert DIALECT.client is not None
    reply = DIALECT.client.render_error(failure(kind, "Why.", retry_after_s=7))
    with pytest.raises(error) as caught:
        failed_or_read(reply)
    assert (status, "7") == (caught.value.status_code, caught.value.response.headers["retry-after"])
    assert {"type": "error", "error": {"type": word, "message": "Why."}} == caught.value.body


def test_the_sdk_lists_models() -> None:
    """One page, with the configured names."""
    with client(models([Listed("fast"), Listed("slow")], 1_700_000_000), content_type=JSON) as api:
        found = list(api.models.list())
    assert [("fast", "fast"), ("slow", "slow")] == [
        (model.id, model.display_name) for model in found
    ]
    assert 2023 == found[0].created_at.year
    assert {"data": [], "has_more": False, "first_id": None, "last_id": None} == json.loads(
        models([], 0)
    )
