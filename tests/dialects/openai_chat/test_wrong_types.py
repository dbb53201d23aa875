"""One field of a wrong type costs that field only: every field of an answer, in turn, is given
values that no vendor should write there."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_chat.decode import ChatDecoder
from tests.support import decode

CHUNKS: list[dict[str, Any]] = [
    {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Left "}}]},
    {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "system_fingerprint": "fp",
        "service_tier": "auto",
        "choices": [
            {
                "index": 0,
                "delta": {
                    "role": "assistant",
                    "content": "",
                    "refusal": None,
                    "reasoning_content": "hm",
                    "reasoning": "hm",
                    "reasoning_details": [
                        {"type": "reasoning.text", "text": "hm", "signature": "s", "format": "f"}
                    ],
                    "annotations": [
                        {"type": "url_citation", "url_citation": {"url": "u", "start_index": 0}}
                    ],
                    "images": [{"type": "image_url", "image_url": {"url": "u"}}],
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "x",
                            "type": "function",
                            "function": {"name": "f", "arguments": "{}"},
                            "extra_content": {"google": {"thought_signature": "s"}},
                        }
                    ],
                    "audio": {"id": "a", "data": "AA"},
                },
                "logprobs": {"content": [{"token": "a", "logprob": -1, "top_logprobs": []}]},
                "content_filter_results": {"hate": {"filtered": False}},
                "finish_reason": None,
            }
        ],
    },
    {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "right"}}]},
    {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 1},
        },
    },
]
WRONG: list[Any] = [0, 1.5, "x", True, [], {}, ["x"], {"x": 1}, None]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value can be put in place of another."""
    if at:
        yield at
    if not isinstance(value, dict | list):
        return
    inner = enumerate(value) if isinstance(value, list) else value
    for key, child in inner.items() if isinstance(inner, dict) else inner:
        yield from places(child, (*at, key))


def changed(chunks: list[Any], at: tuple[Any, ...], value: Any) -> list[Any]:
    out = copy.deepcopy(chunks)
    holder: Any = out
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = value
    return out


def answer(chunks: list[Any]) -> WholeAnswer:
    frames = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    whole = WholeAnswer()
    for event in decode(ChatDecoder(1 << 16), [(frames + "data: [DONE]\n\n").encode()]):
        whole.add(event)
    return whole


# The rest of the answer cannot stand without these: the text that is looked for is in them, or the
# one finish reason.
NEEDED = {(3,), (3, "choices"), (3, "choices", 0), (3, "choices", 0, "finish_reason")}


@pytest.mark.parametrize("at", [at for at in places(CHUNKS[1], (1,)) if len(at) > 1], ids=str)
def test_a_field_amid_an_answer_costs_that_field(at: tuple[Any, ...]) -> None:
    """The text before and after it, the finish and the counts are there."""
    for wrong in WRONG:
        whole = answer(changed(CHUNKS, at, wrong))
        assert whole.error is None, (wrong, whole.error)
        text = whole.text()
        assert (text[:5], text[-5:]) == ("Left ", "right"), wrong
        assert "stop" == whole.finish.raw or at[-1] in ("finish_reason", "index"), wrong
        assert (3, 2) == (whole.usage.input_tokens, whole.usage.output_tokens)


@pytest.mark.parametrize(
    "at", [at for at in places(CHUNKS[3], (3,)) if at not in NEEDED and len(at) > 1], ids=str
)
def test_a_field_at_the_end_costs_that_field(at: tuple[Any, ...]) -> None:
    """The text and the finish are there."""
    for wrong in WRONG:
        whole = answer(changed(CHUNKS, at, wrong))
        if at[-1] == "index" and wrong not in (0, False, None, "x", 1.5, [], {}):
            continue  # another choice ends, and the first does not
        assert whole.error is None, (wrong, whole.error)
        assert ("Left right", "stop") == (whole.text(), whole.finish.raw), wrong
