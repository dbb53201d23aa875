"""Frames that are nearly those of the vendor, from servers and gateways of the same API."""

import pytest

from proxy.dialects.registry import UPSTREAMS
from proxy.events import FinishReason, StreamEnd, StreamError
from tests.dialects.answers import LIMIT, folded, same_however_cut

TEXT = '{"choices":[{"index":0,"delta":{"content":"Hi"}}]}'
END = '{"choices":[{"index":0,"delta":{},"finish_reason":%s}]}'


def answer(*frames: str, before: str = "data: "):
    body = "".join(f"{before}{frame}\n\n" for frame in (*frames, "[DONE]"))
    return same_however_cut(lambda: UPSTREAMS["openai_chat"].decoder(LIMIT, {}), body.encode())


def test_the_name_of_the_field_twice():
    """As a gateway writes it that frames what is framed already."""
    events = answer(TEXT, END % '"stop"', before="data: data: ")
    assert "Hi" == folded(events).text()
    assert isinstance(events[-1], StreamEnd)


@pytest.mark.parametrize(("word", "reason"), [("stop", "stop"), ("length", "length")])
def test_a_finish_reason_that_is_an_object(word: str, reason: FinishReason):
    """SGLang's own form of it; an object that has no word is none."""
    events = answer(TEXT, END % f'{{"type":"{word}","matched":7}}')
    assert isinstance(events[-1], StreamEnd)
    assert (reason, word) == (events[-1].finish.reason, events[-1].finish.raw)
    last = answer(TEXT, END % '{"matched":7}')[-1]
    assert isinstance(last, StreamError)


def test_an_answer_that_was_aborted():
    """The word of the object says so."""
    last = answer(TEXT, END % '{"type":"abort","message":"gone"}')[-1]
    assert isinstance(last, StreamError)
    assert "abort" == last.error.code


def test_geminis_word_behind_another():
    """A filter that hit is one, whatever hit; a call that is no good is an error."""
    last = answer(TEXT, END % '"content_filter: PROHIBITED_CONTENT"')[-1]
    assert isinstance(last, StreamEnd)
    assert "content_filter" == last.finish.reason
    unknown = answer(TEXT, END % '"ended: somehow"')[-1]
    assert isinstance(unknown, StreamEnd)
    assert "other" == unknown.finish.reason
    for word in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"):
        last = answer(TEXT, END % f'"function_call_filter: {word}"')[-1]
        assert isinstance(last, StreamError)
