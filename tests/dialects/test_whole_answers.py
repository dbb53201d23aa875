"""Answers that are one JSON document where a stream was asked for, as a server or a gateway gives
them that does not stream."""

import json
from typing import Any, NamedTuple

import pytest

from proxy.codec.base import Decoder
from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamError
from tests.dialects.answers import LIMIT, every_cut_is_an_error, folded, same_however_cut
from tests.support import decode

OPENAI_COUNTS = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
COUNTS = {"input_tokens": 4, "output_tokens": 2}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
MESSAGE = {"role": "assistant", "content": "Hi", "reasoning_content": "hm", "tool_calls": [CALL]}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}
PASCAL_CALL = {"Id": "c1", "Function": {"Name": "f", "Arguments": '{"a":1}'}}
PASCAL_COUNTS = {"PromptTokens": 4, "CompletionTokens": 2, "TotalTokens": 6}
PASCAL = {"Content": "Hi", "ReasoningContent": "hm", "ToolCalls": [PASCAL_CALL]}
TGI = {"finish_reason": "length", "input_length": 4, "generated_tokens": 2}
DIFY = {"event": "message", "conversation_id": "c", "answer": "Hi"}
THOUGHT = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}]
ONE_CALL = [("f", '{"a":1}')]


class Said(NamedTuple):
    """What a document says."""

    text: str
    reasoning: str
    calls: list[tuple[str, str]]
    finish: str | None


ALL = Said("Hi", "hm", ONE_CALL, "tool_calls")
ANSWERS: list[tuple[str, Any, Said]] = [
    (
        "cohere",
        {
            "id": "x",
            "finish_reason": "TOOL_CALL",
            "message": {"content": THOUGHT, "tool_calls": [CALL], "citations": None},
            "usage": {"tokens": COUNTS},
        },
        Said("Hi", "hm", ONE_CALL, "TOOL_CALL"),
    ),
    (
        "dashscope",
        {"output": {"choices": [CHOICE]}, "usage": COUNTS, "request_id": "r"},
        ALL,
    ),
    (
        "dashscope",
        {"output": {"text": "Hi", "finish_reason": "stop"}, "usage": COUNTS},
        Said("Hi", "", [], "stop"),
    ),
    ("dify", {**DIFY, "metadata": {"usage": OPENAI_COUNTS}}, Said("Hi", "", [], "message_end")),
    (
        "hunyuan",
        {
            "Response": {
                "Choices": [{"Message": PASCAL, "FinishReason": "tool_calls"}],
                "Usage": PASCAL_COUNTS,
            }
        },
        ALL,
    ),
    (
        "minimax",
        {"object": "chat.completion", "choices": [CHOICE], "usage": OPENAI_COUNTS},
        ALL,
    ),
    (
        "openai_completions",
        {"choices": [{"text": "Hi", "finish_reason": "length"}], "usage": OPENAI_COUNTS},
        Said("Hi", "", [], "length"),
    ),
    ("qianfan", {"result": "Hi", "usage": OPENAI_COUNTS}, Said("Hi", "", [], None)),
    ("tgi", {"generated_text": "Hi", "details": TGI}, Said("Hi", "", [], "length")),
    ("tgi", [{"generated_text": "Hi", "details": TGI}], Said("Hi", "", [], "length")),
]


def new(dialect: str) -> Decoder:
    return UPSTREAMS[dialect].decoder(LIMIT, {})


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("dialect", "document", "expected"),
    ANSWERS,
    ids=[f"{answer[0]}-{at}" for at, answer in enumerate(ANSWERS)],
)
def test_it_is_the_answer(indent: int | None, dialect: str, document: Any, expected: Said) -> None:
    """However it is written and cut; a part of it is an error."""
    data = json.dumps(document, indent=indent).encode()
    answer = folded(same_however_cut(lambda: new(dialect), data))
    called = [(call.tool.name, call.text) for call in answer.tool_calls() if call.tool]
    assert expected == Said(answer.text(), answer.reasoning(), called, answer.finish.raw)
    assert (4, 2) == (answer.usage.input_tokens, answer.usage.output_tokens)
    every_cut_is_an_error(
        lambda: new(dialect), data, ("upstream_truncated", "upstream_malformed", "upstream_error")
    )


def test_a_workflow_of_difys_says_its_outputs() -> None:
    """Or why it failed."""
    run = {"workflow_run_id": "r", "data": {"status": "succeeded", "outputs": {"text": "Hi"}}}
    assert "Hi" == folded(decode(new("dify"), [json.dumps(run).encode()])).text()
    failed = {"workflow_run_id": "r", "data": {"status": "failed", "error": "It broke."}}
    last = decode(new("dify"), [json.dumps(failed).encode()])[-1]
    assert isinstance(last, StreamError)
    assert ("upstream_error", "It broke.") == (last.error.kind, last.error.message)


@pytest.mark.parametrize("dialect", sorted({answer[0] for answer in ANSWERS}))
@pytest.mark.parametrize("body", [b'{"a": 1}', b"[1]", b"Good day."])
def test_what_is_no_answer_is_an_error(dialect: str, body: bytes) -> None:
    """Any other body without an event."""
    last = decode(new(dialect), [body])[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind
