"""Errors before the first byte: the SDK raises what its users know."""

from typing import Any

import openai
import pytest

from proxy.codec.base import Listed
from proxy.dialects.openai_chat import DIALECT
from proxy.dialects.openai_chat.models import models
from proxy.errors import Failure, failure
from tests.oracle.dialects.openai_chat import sdk


def raised(failed: Failure) -> openai.APIStatusError:
    assert DIALECT.client is not None
    with pytest.raises(openai.APIStatusError) as caught:
        sdk.completion(DIALECT.client.render_error(failed))
    return caught.value


@pytest.mark.parametrize(
    ("kind", "exception", "code"),
    [
        ("bad_request", openai.BadRequestError, None),
        ("unauthorized", openai.AuthenticationError, "invalid_api_key"),
        ("forbidden", openai.PermissionDeniedError, "forbidden"),
        ("model_not_found", openai.NotFoundError, "model_not_found"),
        ("rate_limited", openai.RateLimitError, "rate_limit_exceeded"),
        ("overloaded", openai.InternalServerError, "overloaded"),
        ("upstream_truncated", openai.InternalServerError, "upstream_truncated"),
        ("first_event_timeout", openai.InternalServerError, "first_event_timeout"),
        ("internal", openai.InternalServerError, "internal"),
    ],
)
def test_a_kind_raises_its_exception(
    kind: Any, exception: type[Exception], code: str | None
) -> None:
    error = raised(failure(kind, "It broke.", param="n"))
    assert exception is type(error)
    assert (code, "n") == (error.code, error.param)
    assert "It broke." in error.message


def test_a_vendors_own_code_and_status_go_through() -> None:
    error = raised(failure("bad_request", "Too long.", status=422, code="context_length_exceeded"))
    assert (422, "context_length_exceeded") == (error.status_code, error.code)


def test_the_sdk_tries_again_only_where_it_may_help() -> None:
    def tries(failed: Failure) -> int:
        assert DIALECT.client is not None
        reply = DIALECT.client.render_error(failed)
        asked: list[object] = []

        def answer(request: Any) -> Any:
            asked.append(request)
            return sdk.http.Response(
                reply.status, content=reply.body, headers={"retry-after-ms": "1", **reply.headers}
            )

        transport = sdk.http.Client(transport=sdk.http.MockTransport(answer))
        client = openai.OpenAI(
            api_key="k", base_url="http://x.test/v1", http_client=transport, max_retries=1
        )
        with pytest.raises(openai.APIStatusError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        return len(asked)

    assert (2, 1) == (
        tries(failure("overloaded", "Later.")),
        tries(failure("total_timeout", "Never.")),
    )


def test_the_sdk_lists_models() -> None:
    client = sdk.sdk(
        200,
        models([Listed("fast"), Listed("smart")], 1_700_000_000),
        {"content-type": "application/json"},
    )
    assert [("fast", 1_700_000_000), ("smart", 1_700_000_000)] == [
        (model.id, model.created) for model in client.models.list()
    ]
