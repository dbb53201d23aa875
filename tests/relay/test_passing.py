"""What is told of an upstream's head: the vendor's own name for the request."""

from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from proxy.relay.passing import request_id_of
from proxy.relay.redactor import Redactor
from proxy.settings.upstreams import Upstream

KEY = "sk-0123456789"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([], ""),
        ([("Content-Type", "text/plain")], ""),
        ([("X-Request-ID", "a")], "a"),
        ([("cf-ray", "b"), ("Request-Id", "c")], "c"),
        ([("x-request-id", "a"), ("X-Request-Id", "d")], "d"),
        ([("x-request-id", "é"), ("cf-ray", "b")], "b"),
        ([("x-request-id", "")], ""),
        ([("x-request-id", f"of {KEY}"), ("cf-ray", "b")], ""),
    ],
)
def test_the_vendors_name_for_a_request_is_the_first_that_is_plain(
    fields: list[tuple[str, str]], said: str
) -> None:
    """Of a header that comes twice the last; of one with the key in it nothing is told."""
    answer: Any = SimpleNamespace(fields=CIMultiDictProxy(CIMultiDict(fields)))
    upstream = Upstream(dialect="openai_chat", base_url="https://far.example/v1")
    assert said == request_id_of(answer, Redactor(upstream, KEY))
