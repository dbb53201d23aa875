"""Which dialect a request is in."""

import pytest
from msgspec.structs import replace

from proxy.codec.base import Incoming, Route
from proxy.dialects.plain import DIALECT
from proxy.mock.routes import choose, variables

SHARING = ("plain", "sider", "chatglm")


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (b'{"query":"a","history":[]}', "chatglm"),
        (b'{"query":"a"}', "chatglm"),
        (b'{"app_name":"a"}', "sider"),
        (b'{"prompt":"a"}', "plain"),
        (b"[1]", "plain"),
        (b"not json", "plain"),
        (b"", "plain"),
        (b'{"a":' * 100_000, "plain"),
    ],
)
def test_dialects_that_share_a_path_are_told_apart(body: bytes, dialect: str):
    """By the keys of the body, and what none claims is plain; never by an exception."""
    assert dialect == choose(SHARING, Incoming("POST", {}, {}, {}, body))


def test_one_dialect_needs_no_choice():
    """Whatever the body."""
    asked = Incoming("POST", {}, {}, {}, b"?")
    assert "sider" == choose(("sider",), asked)
    assert "sider" == choose(("sider", "chatglm"), asked)


def test_variables_of_the_route():
    """Found at the end of the path, whatever prefix was configured before."""
    assert DIALECT.client is not None
    routes = (
        Route("POST", "/v1beta/models/{model}:go"),
        Route("POST", "/api/{generation:v[12]}/text"),
    )
    half = replace(DIALECT.client, routes=routes)
    assert {"model": "some-model"} == variables(half, "any/v1beta/models/some-model:go")
    assert {"generation": "v2"} == variables(half, "api/v2/text")
    assert {} == variables(half, "api/v3/text")
