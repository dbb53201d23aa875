"""Errors before the first byte: the SDK raises what its users know."""

import json
from typing import Any

import pytest

from proxy.dialects.openai_chat import DIALECT
from proxy.errors import KINDS, failure


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_status_and_all_four_fields(kind: Any) -> None:
    assert DIALECT.client is not None
    reply = DIALECT.client.render_error(failure(kind, "It broke."))
    assert KINDS[kind].status == reply.status
    assert {"message", "type", "param", "code"} == json.loads(reply.body)["error"].keys()


def test_advice_to_wait_is_whole_seconds() -> None:
    assert DIALECT.client is not None
    reply = DIALECT.client.render_error(failure("rate_limited", "Slow down.", retry_after_s=1.2))
    assert "2" == reply.headers["retry-after"]
