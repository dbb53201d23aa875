"""What clients get, as the openai SDK reads it."""

from typing import Any

import pytest

from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.events import (
    BlockEnd,
    BlockStart,
    Finish,
    StreamEnd,
    TextDelta,
    TextRewrite,
    Usage,
    Vendor,
)
from tests.dialects.openai_chat import emit

STOP = StreamEnd(Finish("stop", "stop"), Usage(3, 5, 1, 2))


def test_the_bytes_of_a_small_answer() -> None:
    """The role first, then the text, the finish and the terminator, and nothing about usage, which
    was not asked for."""
    head = b'data: {"id":"chatcmpl-s1","object":"chat.completion.chunk","created":1700000000,"model":"fast","choices":[{"index":0,"delta":'
    assert [
        head + b'{"role":"assistant","content":""},"finish_reason":null}]}',
        head + b'{"content":"hi"},"finish_reason":null}]}',
        head + b'{},"finish_reason":"stop"}]}',
        b"data: [DONE]",
        b"",
    ] == emit.encoded([BlockStart(0, "text"), TextDelta(0, "hi"), BlockEnd(0), STOP]).split(b"\n\n")


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        [],
        {},
        {"choices": 5},
        {"choices": [5, {}, {"index": "x"}]},
        {"usage": 5},
        {"model": "x"},
    ],
)
def test_odd_extras_are_passed_over(data: Any) -> None:
    encoder = ChatEncoder(include_usage=False)
    encoder.encode(emit.START)
    assert b"" == encoder.encode(Vendor("openai_chat", data))
    assert b"" == encoder.encode(Vendor("anthropic", {"service_tier": "x"}))


def test_a_rewrite_gives_no_bytes() -> None:
    """Text cannot be taken back here; a filter before the encoder sees to it."""
    encoder = ChatEncoder(include_usage=False)
    encoder.encode(emit.START)
    encoder.encode(BlockStart(0, "text"))
    assert b"" == encoder.encode(TextRewrite(0, 0, "x"))
