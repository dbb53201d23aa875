"""One field of a wrong type costs that field, never the answer: every field of a good answer is
written wrongly, one at a time.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamEnd, StreamError
from tests.dialects.answers import folded
from tests.support import decode

_LIMIT = 1 << 20
_ODD: tuple[Any, ...] = (
    *(None, True, 7, -1, 2.5, 3.0, 1e20, "odd", "3", ""),
    *([], [[]], [None], ["odd"], {}, {"a": 1}),
)


class Answer(NamedTuple):
    """`frames`: (event, JSON). `needed`: the last keys of the paths without which the answer is
    none, or another one."""

    dialect: str
    frames: tuple[tuple[str, Any], ...]
    needed: frozenset[str]
    text: str = "Left right"
    lines: bool = False


def _events(*frames: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((str(frame.get("type", "")), frame) for frame in frames)


def _of_openai(piece: str, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": finish}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"id": "a", "model": "m", "created": 1, "choices": [choice], "usage": usage}


def _gemini(piece: str, **more: Any) -> dict[str, Any]:
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    part = {"text": piece, "thought": False, "thoughtSignature": ""}
    candidate = {
        "content": {"parts": [part], "role": "model"},
        "index": 0,
        "safetyRatings": [{"category": "HARM", "probability": "LOW"}],
        "citationMetadata": {
            "citations": [{"startIndex": 0, "endIndex": 4, "uri": "https://a.example"}]
        },
        "groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://b.example"}}]},
        **more,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "responseId": "r",
        "modelVersion": "m",
    }


def _dashscope(piece: str, finish: str) -> dict[str, Any]:
    choice = {
        "message": {"role": "assistant", "content": piece},
        "finish_reason": finish,
        "index": 0,
    }
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    return {"output": {"choices": [choice]}, "usage": usage, "request_id": "r"}


def _hunyuan(piece: str, finish: str) -> dict[str, Any]:
    choice = {"Index": 0, "Delta": {"Role": "assistant", "Content": piece}, "FinishReason": finish}
    return {
        "Id": "a",
        "Created": 1,
        "Note": "made by a machine",
        "Choices": [choice],
        "Usage": {"PromptTokens": 3, "CompletionTokens": 2, "TotalTokens": 5},
    }


_RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "error": None}
_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_PIECE = {"type": "response.output_text.delta", **_PLACE, "logprobs": []}
_PART = {"type": "output_text", "text": "Left right", "annotations": []}

_ANSWERS = [
    Answer(
        "gemini",
        (("", _gemini("Left ")), ("", _gemini("right", finishReason="STOP"))),
        # the signature parts the text, an error is one
        frozenset({"candidates", "content", "parts", "text", "finishReason", "thought", "index"}),
    ),
    Answer(
        "cohere",
        _events(
            {"type": "message-start", "id": "a", "delta": {"message": {"role": "assistant"}}},
            {
                "type": "content-start",
                "index": 0,
                "delta": {"message": {"content": {"type": "text", "text": ""}}},
            },
            {
                "type": "content-delta",
                "index": 0,
                "delta": {"message": {"content": {"text": "Left "}}},
            },
            {
                "type": "content-delta",
                "index": 0,
                "delta": {"message": {"content": {"text": "right"}}},
            },
            {
                "type": "citation-start",
                "index": 0,
                "delta": {
                    "message": {"citations": {"start": 0, "end": 4, "text": "Left", "sources": []}}
                },
            },
            {"type": "content-end", "index": 0},
            {
                "type": "message-end",
                "delta": {
                    "finish_reason": "COMPLETE",
                    "usage": {
                        "billed_units": {"input_tokens": 3},
                        "tokens": {"input_tokens": 3, "output_tokens": 2},
                    },
                },
            },
        ),
        frozenset({"type", "delta", "message", "content", "text", "finish_reason", "[]"}),
    ),
    Answer(
        "ollama",
        (
            (
                "",
                {
                    "model": "m",
                    "created_at": "t",
                    "message": {"role": "assistant", "content": "Left "},
                    "done": False,
                },
            ),
            (
                "",
                {
                    "model": "m",
                    "created_at": "t",
                    "message": {"role": "assistant", "content": "right", "thinking": ""},
                    "done": False,
                },
            ),
            (
                "",
                {
                    "model": "m",
                    "created_at": "t",
                    "message": {"role": "assistant", "content": ""},
                    "done": True,
                    "done_reason": "stop",
                    "total_duration": 5,
                    "prompt_eval_count": 3,
                    "eval_count": 2,
                },
            ),
        ),
        frozenset({"message", "content", "done", "thinking", "done_reason"}),
        lines=True,
    ),
    Answer(
        "coze",
        (
            ("conversation.chat.created", {"id": "c", "conversation_id": "v", "status": "created"}),
            (
                "conversation.message.delta",
                {
                    "id": "m",
                    "role": "assistant",
                    "type": "answer",
                    "content": "Left ",
                    "content_type": "text",
                },
            ),
            (
                "conversation.message.delta",
                {
                    "id": "m",
                    "role": "assistant",
                    "type": "answer",
                    "content": "right",
                    "content_type": "text",
                },
            ),
            (
                "conversation.message.completed",
                {"id": "m", "type": "answer", "content": "Left right", "content_type": "text"},
            ),
            (
                "conversation.chat.completed",
                {
                    "id": "c",
                    "status": "completed",
                    "usage": {"token_count": 5, "output_count": 2, "input_count": 3},
                },
            ),
            ("done", "[DONE]"),
        ),
        frozenset({"type", "content", "content_type", "id"}),
    ),
    Answer(
        "dashscope",
        (("result", _dashscope("Left ", "null")), ("result", _dashscope("right", "stop"))),
        frozenset({"output", "choices", "message", "content", "finish_reason", "index"}),
    ),
    Answer(
        "dify",
        (
            (
                "",
                {
                    "event": "message",
                    "task_id": "t",
                    "message_id": "m",
                    "conversation_id": "v",
                    "answer": "Left ",
                },
            ),
            (
                "",
                {
                    "event": "message",
                    "task_id": "t",
                    "message_id": "m",
                    "conversation_id": "v",
                    "answer": "right",
                },
            ),
            (
                "",
                {
                    "event": "message_end",
                    "task_id": "t",
                    "metadata": {
                        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
                        "retriever_resources": [{"document_name": "d", "url": None}],
                    },
                },
            ),
        ),
        frozenset({"event", "answer"}),
    ),
    Answer(
        "hunyuan",
        (("", _hunyuan("Left ", "")), ("", _hunyuan("right", "stop"))),
        frozenset({"Choices", "Delta", "Content", "FinishReason", "Index"}),
    ),
    Answer(
        "minimax",
        (("", _of_openai("Left ")), ("", _of_openai("right", "stop"))),
        frozenset({"choices", "delta", "content", "finish_reason", "index", "role"}),
    ),
    Answer(
        "openai_responses",
        _events(
            {"type": "response.created", "sequence_number": 0, "response": _RESPONSE},
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {"id": "msg_1", "type": "message", "role": "assistant", "content": []},
            },
            {
                "type": "response.content_part.added",
                **_PLACE,
                "part": {"type": "output_text", "text": "", "annotations": []},
            },
            {**_PIECE, "delta": "Left "},
            {**_PIECE, "delta": "right"},
            {
                "type": "response.output_text.annotation.added",
                **_PLACE,
                "annotation_index": 0,
                "annotation": {
                    "type": "url_citation",
                    "url": "https://a.example",
                    "title": "A",
                    "start_index": 0,
                    "end_index": 4,
                },
            },
            {"type": "response.output_text.done", **_PLACE, "text": "Left right", "logprobs": []},
            {"type": "response.content_part.done", **_PLACE, "part": _PART},
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {
                    "id": "msg_1",
                    "type": "message",
                    "status": "completed",
                    "role": "assistant",
                    "phase": "final",
                    "content": [_PART],
                },
            },
            {
                "type": "response.completed",
                "response": {
                    **_RESPONSE,
                    "status": "completed",
                    "service_tier": "default",
                    "usage": {
                        "input_tokens": 3,
                        "input_tokens_details": {"cached_tokens": 0},
                        "output_tokens": 2,
                        "output_tokens_details": {"reasoning_tokens": 0},
                        "total_tokens": 5,
                    },
                },
            },
        ),
        frozenset({"type", "delta", "text", "output_index"}),
    ),
    Answer(
        "qianfan",
        (
            (
                "",
                {
                    "id": "a",
                    "object": "chat.completion",
                    "created": 1,
                    "sentence_id": 0,
                    "is_end": False,
                    "is_truncated": False,
                    "result": "Left ",
                    "need_clear_history": False,
                    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
                },
            ),
            (
                "",
                {
                    "id": "a",
                    "object": "chat.completion",
                    "created": 1,
                    "sentence_id": 1,
                    "is_end": True,
                    "is_truncated": False,
                    "result": "right",
                    "need_clear_history": False,
                    "finish_reason": "normal",
                    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
                },
            ),
        ),
        frozenset({"result", "is_end", "finish_reason", "is_truncated", "need_clear_history"}),
    ),
    Answer(
        "tgi",
        (
            (
                "",
                {
                    "index": 1,
                    "token": {"id": 1, "text": "Left ", "logprob": -1, "special": False},
                    "generated_text": None,
                    "details": None,
                },
            ),
            (
                "",
                {
                    "index": 2,
                    "token": {"id": 2, "text": "right", "logprob": -1, "special": False},
                    "generated_text": "Left right",
                    "details": {
                        "finish_reason": "eos_token",
                        "generated_tokens": 2,
                        "seed": None,
                        "input_length": 3,
                    },
                },
            ),
        ),
        frozenset({"token", "text", "special", "generated_text", "finish_reason"}),
    ),
]


def _body(answer: Answer, frames: tuple[tuple[str, Any], ...]) -> bytes:
    if answer.lines:
        return b"".join(json.dumps(value).encode() + b"\n" for _, value in frames)
    return b"".join(
        (b"event: %b\n" % name.encode() if name else b"")
        + b"data: %b\n\n" % json.dumps(value).encode()
        for name, value in frames
    )


def _paths(value: Any) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (key,)
            yield from ((key, *path) for path in _paths(inner))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ((at, *path) for path in _paths(inner))


def _changed(value: Any, path: tuple[str | int, ...], odd: Any) -> Any:
    if not path:
        return odd
    step, *rest = path
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = _changed(value[step], tuple(rest), odd)
    return copy


def _answer(answer: Answer, frames: tuple[tuple[str, Any], ...]) -> WholeAnswer | str:
    half = UPSTREAMS[answer.dialect]
    events = decode(half.decoder(_LIMIT, {}), [_body(answer, frames)])
    last = events[-1]
    if isinstance(last, StreamError):
        return f"{last.error.kind}: {last.error.message}"
    assert isinstance(last, StreamEnd)
    return folded(events)


@pytest.mark.parametrize("answer", _ANSWERS, ids=[answer.dialect for answer in _ANSWERS])
def test_one_wrong_field_costs_that_field(answer: Answer) -> None:
    """The text and the end are as they would be without it."""
    whole = _answer(answer, answer.frames)
    assert isinstance(whole, WholeAnswer)
    assert (answer.text, "stop") == (whole.text(), whole.finish.reason)
    wrong = []
    for at, (name, value) in enumerate(answer.frames):
        for path in _paths(value):
            if path[-1] in answer.needed:
                continue
            for odd in _ODD:
                changed = (name, _changed(value, path, odd))
                frames = (*answer.frames[:at], changed, *answer.frames[at + 1 :])
                got = _answer(answer, frames)
                if isinstance(got, str) or (got.text(), got.finish.reason) != (answer.text, "stop"):
                    wrong.append((at, path, odd, got if isinstance(got, str) else got.text()))
    assert [] == wrong


@pytest.mark.parametrize("name", ["index", "Index"])
@pytest.mark.parametrize("answer", _ANSWERS, ids=[answer.dialect for answer in _ANSWERS])
def test_a_number_may_be_written_in_another_way(answer: Answer, name: str) -> None:
    """The index 0 as a float, as text, or as nothing at all is the first all the same."""
    for at, (event, value) in enumerate(answer.frames):
        for path in _paths(value):
            if path[-1] == name:
                for odd in (0.0, "0", None, "odd", []):
                    changed = (event, _changed(value, path, odd))
                    frames = (*answer.frames[:at], changed, *answer.frames[at + 1 :])
                    got = _answer(answer, frames)
                    assert isinstance(got, WholeAnswer)
                    assert answer.text == got.text()


@pytest.mark.parametrize("answer", _ANSWERS, ids=[answer.dialect for answer in _ANSWERS])
def test_what_is_needed_may_be_wrong_too(answer: Answer) -> None:
    """Then the answer is another one, or ends in one error; the decoder stands it."""
    for at, (name, value) in enumerate(answer.frames):
        for path in _paths(value):
            for odd in _ODD:
                changed = (name, _changed(value, path, odd))
                _answer(answer, (*answer.frames[:at], changed, *answer.frames[at + 1 :]))
