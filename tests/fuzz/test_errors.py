"""Bodies of errors, with bytes put in and left out: every upstream half finds a failure in them
that every client can be told."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.codec.base import JSON
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import StreamError
from tests.fuzz.strategies import SPOILING, spoiled, steady
from tests.properties import scaled
from tests.support import check_grammar

_BODIES = (
    b'{"error":{"message":"m","type":"t","code":"c","param":"p","status":429,"retry_after_s":1,"kind":"k"}}',
    b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}',
    b'{"detail":[{"loc":["body","x"],"msg":"m"}]}',
    b'{"code":1001,"msg":"m"}',
    b'{"error_code":336003,"error_msg":"m"}',
    b'{"Response":{"Error":{"Code":"InternalError","Message":"m"},"RequestId":"r"}}',
    b'{"base_resp":{"status_code":1002,"status_msg":"m"}}',
    b'{"error":"m","error_type":"overloaded"}',
    b'{"__type":"ThrottlingException","message":"m"}',
    b'{"status":1005,"data":{"message":{"content":{"hints":{"parts":[{"text":"m"}]}}}}}',
    b'[{"error":{"code":400,"message":"m"}}]',
    b"<html><body>no</body></html>",
    b'{"message":" ","error":" ","msg":"\\u0000"}',
)


@pytest.mark.parametrize("name", UPSTREAMS)
def test_an_error_body_of_any_bytes_is_a_failure_that_every_client_can_be_told(name: str) -> None:
    @settings(steady, max_examples=scaled(60))
    @given(
        st.sampled_from(_BODIES),
        st.lists(SPOILING, max_size=3),
        st.sampled_from([200, 400, 401, 404, 429, 451, 499, 500, 503, 529, 599]),
        st.sampled_from(
            ["", "5", "-1", "1e9", "99999999999999999999", "²", "Wed, 21 Oct 2026 07:28:00 GMT"]
        ),
    )
    def check(body: bytes, how: list[Any], status: int, wait: str) -> None:
        why = UPSTREAMS[name].parse_error(status, {"retry-after": wait}, spoiled(body, how))
        assert why is not None or status < 400
        if why is None:
            return
        check_grammar([StreamError(why)])
        for client in CLIENTS.values():
            reply = client.render_error(why)
            assert 400 <= reply.status < 600
            assert all(
                value.isascii() and value.isprintable() and len(value) < 40
                for value in reply.headers.values()
            )
            assert reply.body.decode().strip()
            if reply.content_type == JSON:
                json.loads(reply.body)

    check()
