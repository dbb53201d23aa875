"""Chunks of servers' own APIs, in both dialects of OpenAI."""

import json
from typing import Any

import pytest

from proxy.codec.base import Decoder
from proxy.codec.openai.native_forms import in_openais_form
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_completions.decode import CompletionsDecoder
from proxy.events import Event, Finish, StreamError, Usage
from tests.dialects.answers import LIMIT, folded, same_however_cut

DECODERS = (ChatDecoder, CompletionsDecoder)
DONE = b"data: [DONE]\n\n"
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def sse(*chunks: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def events(decoder: type[Decoder], body: bytes) -> list[Event]:
    return same_however_cut(lambda: decoder(LIMIT), body)  # type: ignore[call-arg]


@pytest.mark.parametrize("decoder", DECODERS)
def test_cloudflares_chunks(decoder: type[Decoder]) -> None:
    """Some have a number for a text. No finish reason comes, and usage only from some models."""
    pieces = [{"response": "Hi ", "p": "ab"}, {"response": 5, "p": "abc"}]
    counted = {"response": None, "usage": COUNTS}
    answer = folded(events(decoder, sse(*pieces, counted) + DONE))
    assert ("Hi 5", Finish("stop"), Usage(3, 2)) == (answer.text(), answer.finish, answer.usage)
    assert "Hi 5" == folded(events(decoder, sse(*pieces) + DONE)).text()
    last = events(decoder, sse(*pieces))[-1]
    assert isinstance(last, StreamError)
    assert "upstream_truncated" == last.error.kind


def test_cloudflares_calls() -> None:
    """They have no `function`, and arguments as an object."""
    call = {"name": "f", "arguments": {"a": 1}}
    answer = folded(events(ChatDecoder, sse({"response": None, "tool_calls": [call]}) + DONE))
    assert [("f", '{"a":1}')] == [
        (block.tool.name, block.text) for block in answer.tool_calls() if block.tool
    ]
    assert "tool_calls" == answer.finish.reason


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    ("why", "finish"),
    [
        ({"stop_type": "eos"}, Finish("stop", "eos")),
        ({"stop_type": "word"}, Finish("stop", "word")),
        ({"stop_type": "limit"}, Finish("length", "limit")),
        ({"stopped_eos": False, "stopped_limit": True}, Finish("length", "limit")),
        ({}, Finish("stop", "eos")),
    ],
)
def test_llama_cpps_chunks(decoder: type[Decoder], why: dict[str, Any], finish: Finish) -> None:
    """The last one says why it is the last; old versions by flags."""
    last = {"content": "", "stop": True, "tokens_predicted": 2, "tokens_evaluated": 3, **why}
    pieces = [{"content": "Hi ", "stop": False}, {"content": "you", "stop": False}]
    answer = folded(events(decoder, sse(*pieces, last)))
    assert ("Hi you", finish, Usage(3, 2)) == (answer.text(), answer.finish, answer.usage)
    assert isinstance(events(decoder, sse(*pieces))[-1], StreamError)


def test_what_a_vendor_says_beside_its_chunks_is_none_of_these() -> None:
    """Nor is anything in an answer that came in chunks of this API."""
    for said in ({"response": None}, {"content": "a"}, {"response": {"a": 1}}, [], "a"):
        assert in_openais_form(said) is None
    chunk = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    answer = folded(events(ChatDecoder, sse(chunk, {"response": "aside"}) + DONE))
    assert ("Hi", Finish("stop", "stop")) == (answer.text(), answer.finish)
