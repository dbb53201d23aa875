"""iFlytek's Spark speaks openai_chat with habits of its own. The cases are of the documented shape;
there is a recording too."""

from typing import Any

import pytest

from proxy.dialects.openai_chat import DIALECT
from tests.dialects.answers import folded
from tests.dialects.upstream_only import data, events_of, failed, summed

HALF = DIALECT.upstream
assert HALF is not None
DONE = b"data:[DONE]\n\n"
OPTIONS = {"no_finish_reason": True}  # as its row in the catalogue has it


def chunk(usage: Any = None, **delta: Any) -> dict[str, Any]:
    said = {
        "code": 0,
        "message": "Success",
        "sid": "s1",
        "choices": [{"delta": {"role": "assistant", **delta}, "index": 0}],
    }
    return said if usage is None else {**said, "usage": usage}


def stream(*chunks: dict[str, Any]) -> bytes:
    return data(*chunks).replace(b"data: ", b"data:")


def test_an_answer_without_a_finish_reason():
    """`[DONE]` is the end, the counts stand in the last chunk, and a code of 0 is no error."""
    body = (
        stream(
            chunk(reasoning_content="hm"),
            chunk(content="Hi"),
            chunk({"prompt_tokens": 3, "completion_tokens": 2}, content=""),
        )
        + DONE
    )
    events = events_of(HALF, body, **OPTIONS)
    assert ("Hi", "hm", [], "stop", None) == summed(events)
    assert (3, 2) == (folded(events).usage.input_tokens, folded(events).usage.output_tokens)


def test_a_call_that_is_no_list():
    """An object where others have a list with one."""
    call = {"type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    _, _, calls, reason, _ = summed(
        events_of(HALF, stream(chunk(content=None, tool_calls=call)) + DONE, **OPTIONS)
    )
    assert ([("f", '{"a":1}')], "tool_calls") == ([call[1:] for call in calls], reason)


@pytest.mark.parametrize(
    ("code", "status"), [(10013, 400), (10907, 400), (11202, 429), (10110, 502)]
)
def test_a_code_that_is_not_0_is_an_error(code: int, status: int):
    """In the middle of the stream."""
    wrong = {"code": code, "message": "No.", "sid": "s1", "choices": []}
    assert ("upstream_error", status, str(code), "No.") == failed(
        events_of(HALF, stream(chunk(content="Hi"), wrong) + DONE)
    )
