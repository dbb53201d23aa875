"""What clients get, judged by the vendor's SDK where it can read it, and by a JSON parser where it
cannot."""

import json

import pytest

from proxy.dialects.gemini.wire import NAME
from proxy.events import (
    Event,
    Finish,
    StreamEnd,
    Vendor,
)
from tests.dialects.answers import BROKEN, text_block
from tests.dialects.gemini import emit
from tests.dialects.gemini.test_encode import ANSWER, in_array, parts, whole
from tests.oracle.dialects.gemini import sdk


def test_the_three_forms_say_the_same():
    """Events, an array and a document; a signature is on the part behind its thought."""
    expected = [
        {"text": "Hmm", "thought": True},
        {"functionCall": {"id": "id1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
        {"text": "xy"},
    ]
    assert expected == parts([whole(ANSWER)])
    streamed = parts(in_array(ANSWER))
    assert [
        {"text": "Hm", "thought": True},
        {"text": "m", "thought": True},
        expected[1],
        {"text": "x"},
        {"text": "y"},
        {"text": ""},
    ] == streamed
    by_sdk = sdk.shown(sdk.streamed(emit.encoded(ANSWER)))
    document = sdk.client(
        json.dumps(whole(ANSWER)).encode(), "application/json"
    ).models.generate_content(model="m", contents="hi")
    assert sdk.shown([document]) == by_sdk
    assert (5, 5, 4, 14) == by_sdk["counts"]


def test_a_blocked_prompt_has_no_candidate():
    """As the vendor has it."""
    events: list[Event] = [
        Vendor(NAME, {"promptFeedback": {"blockReason": "SAFETY"}}),
        StreamEnd(Finish("content_filter", "SAFETY")),
    ]
    assert "SAFETY" == sdk.streamed(emit.encoded(events))[0].prompt_feedback.block_reason
    for got in (in_array(events), [whole(events)]):
        assert not any("candidates" in chunk for chunk in got)


def test_an_error_ends_the_stream():
    """In its form, behind what was said, without a finish."""
    data = emit.encoded([*text_block("a")[:-1], BROKEN])
    with pytest.raises(sdk.genai.errors.ServerError, match="The upstream broke off"):
        sdk.streamed(data)
    got = json.loads(emit.encoded([*text_block("a")[:-1], BROKEN], sse=False))
    assert (502, "UNAVAILABLE") == (got[-1]["error"]["code"], got[-1]["error"]["status"])
    assert "finishReason" not in data.decode()
    assert [502] == [
        chunk["error"]["code"] for chunk in json.loads(emit.encoded([BROKEN], sse=False))
    ]
