"""Characters that events cut in two."""

import pytest

from proxy.codec.base import Decoder
from proxy.codec.cut_characters import is_cut, rejoined
from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamEnd, StreamError
from tests.dialects.answers import LIMIT, folded
from tests.support import decode, splits

PIECE = {
    "openai_chat": b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n',
    "openai_responses": b'data: {"type":"response.output_text.delta","output_index":0,"delta":"%b"}\n\n',
    "anthropic": b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"%b"}}\n\n',
    "gemini": b'data: {"candidates":[{"content":{"parts":[{"text":"%b"}]}}]}\n\n',
    "ollama": b'{"message":{"content":"%b"},"done":false}\n',
    "cohere": b'data: {"type":"content-delta","delta":{"message":{"content":{"text":"%b"}}}}\n\n',
    "dify": b'data: {"event":"message","answer":"%b"}\n\n',
    "dashscope": b'data: {"output":{"choices":[{"message":{"content":"%b"}}]}}\n\n',
    "openai_completions": b'data: {"choices":[{"text":"%b"}]}\n\n',
    "minimax": b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n',
}
BEGIN = {"anthropic": b'data: {"type":"message_start","message":{}}\n\n'}
END = {
    "openai_chat": b'data: {"id":"c","choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    "openai_responses": b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n',
    "anthropic": b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    b'data: {"type":"message_stop"}\n\n',
    "gemini": b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n',
    "ollama": b'{"done":true,"done_reason":"stop"}\n',
    "cohere": b'data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\n\n',
    "dify": b'data: {"event":"message_end"}\n\n',
    "dashscope": b'data: {"output":{"choices":[{"finish_reason":"stop"}]}}\n\n',
    "openai_completions": b'data: {"choices":[{"text":"","finish_reason":"stop"}]}\n\n',
    "minimax": b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
}
SAY_ERRORS_SO = [name for name in PIECE if name not in ("cohere", "dify", "minimax")]
CUTS = {
    "a pair": ((rb"a\ud83d", rb"\uDE00b"), "a😀b"),
    "two in a row": ((rb"\ud83d", rb"\ude00\ud83d", rb"\ude01"), "😀😁"),
    "bytes": ((b"a\xe4\xbd", b"\xa0b"), "a你b"),
    "bytes of four": ((b"\xf0", b"\x9f\x98\x80\xf0\x9f\x98", b"\x80"), "😀😀"),
    "of two": ((b"\xc3", b"\xa9"), "é"),
    "a half alone": ((rb"a\ud83d", b"b"), "a\ufffdb"),
    "a half at the end": ((b"a", rb"b\ud83d"), "ab\ufffd"),
    "the other half alone": ((b"a", rb"\ude00b"), "a\ufffdb"),
    "bytes alone": ((b"a\xe4\xbd", b"b"), "a\ufffdb"),
    "bytes that do not fit": ((b"a\xe0", b"\x80b"), "a\ufffd\ufffdb"),
    "halves of two kinds": ((rb"a\ud83d", b"\xa0b"), "a\ufffd\ufffdb"),
    "the first half twice": ((rb"\ud83d", rb"\ud83d", rb"\ude00"), "\ufffd😀"),
    "no half, but a text of one": ((rb"a\\ud83d", rb"\\ude00"), r"a\ud83d\ude00"),
}


def new(dialect: str) -> Decoder:
    return UPSTREAMS[dialect].decoder(LIMIT, {})


@pytest.mark.parametrize("dialect", PIECE)
@pytest.mark.parametrize("name", CUTS)
def test_a_cut_character_is_whole_again(name: str, dialect: str) -> None:
    """However the events themselves are cut; a half that has no rest is U+FFFD."""
    pieces, expected = CUTS[name]
    body = (
        BEGIN.get(dialect, b"")
        + b"".join(PIECE[dialect] % piece for piece in pieces)
        + END[dialect]
    )
    for chunks in splits(body):
        events = decode(new(dialect), chunks)
        assert isinstance(events[-1], StreamEnd)
        assert expected == folded(events).text()


@pytest.mark.parametrize("dialect", PIECE)
def test_an_answer_that_ends_within_a_character(dialect: str) -> None:
    """What came of it is given, and it is cut."""
    body = BEGIN.get(dialect, b"") + PIECE[dialect] % rb"a\ud83d"
    for chunks in splits(body):
        events = decode(new(dialect), chunks)
        assert "a\ufffd" == folded(events).text()
        assert isinstance(events[-1], StreamError)
        assert "upstream_truncated" == events[-1].error.kind


@pytest.mark.parametrize("dialect", SAY_ERRORS_SO)
def test_an_error_while_half_a_character_waits(dialect: str) -> None:
    """The half is given first, and nothing behind the error."""
    error = b'event: error\ndata: {"type":"error","error":{"message":"gone"}}\n\n'
    body = (
        BEGIN.get(dialect, b"") + PIECE[dialect] % rb"a\ud83d" + error + PIECE[dialect] % rb"\ude00"
    )
    for chunks in splits(body):
        events = decode(new(dialect), chunks)
        assert "a\ufffd" == folded(events).text()
        assert isinstance(events[-1], StreamError)
        assert "gone" == events[-1].error.message


def test_whole_texts_are_not_cut() -> None:
    """The end of a string, and no other place, is where texts are cut."""
    for text in (rb'"\ud83d\ude00"', '"é你😀"'.encode(), rb'"\\ud83d"', rb'"\ud83d "', b'"a"'):
        assert not is_cut(b"[" + text + b"]")
    assert rejoined(b'["a"]', rb'["\ude00"]') is None


def test_bytes_that_are_no_json_do_not_wait_for_more() -> None:
    """Such as compressed ones, in which anything may stand before a quotation mark."""
    assert is_cut(b'{"a": "\xc3"}')
    assert not is_cut(b'\x1f\x8b\xc3"')
