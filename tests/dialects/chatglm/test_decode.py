import json

import pytest
from hypothesis import given

from proxy.dialects.chatglm import DIALECT
from proxy.events import StreamEnd, StreamError, TextDelta, TextRewrite
from tests.dialects.answers import LIMIT, folded, same_however_cut, spoiled, unhurried
from tests.support import decode, needs_recordings, seed_bytes

UPSTREAM = DIALECT.upstream


def decoder():
    return UPSTREAM.decoder(LIMIT, {})


def snapshots(*texts):
    rows = ({"id": 1, "time": "2026-11-22 06:09:42", "body": {"content": text}} for text in texts)
    return b"".join(json.dumps(row, ensure_ascii=False).encode() for row in rows)


OWN = snapshots("Py", "Python", "Python", "Python,", "Python，适", 'Python，适"}{')


@needs_recordings
@pytest.mark.parametrize(
    ("name", "text", "rewrites"),
    [
        (
            "c-chatglm1-report.body.bin",
            "今天天气不错，Python，适合出门！对吗？",
            [TextRewrite(0, 13, "，适合")],
        ),
        (
            "c-chatglm2-report.body.bin",
            "根据您提供的数据,报告如下:\n\n1. 销售额同比增长12.5%。\n2. 截至2023年,样本为 1,024 条。完。",
            [TextRewrite(0, 38, "2023年")],
        ),
    ],
)
def test_the_posts_report_server(name, text, rewrites):
    """True deltas, and a rewrite exactly where the model changed its mind."""
    events = same_however_cut(decoder, seed_bytes(name))
    assert (text, "stop") == (folded(events).text(), folded(events).finish.reason)
    assert rewrites == [event for event in events if isinstance(event, TextRewrite)]


def test_own_snapshots():
    """Repeats say nothing; braces in the text are text."""
    events = same_however_cut(decoder, OWN)
    assert 'Python，适"}{' == folded(events).text()
    deltas = [event for event in events if isinstance(event, TextDelta | TextRewrite)]
    assert [
        TextDelta(0, "Py"),
        TextDelta(0, "thon"),
        TextDelta(0, ","),
        TextRewrite(0, 6, "，适"),
        TextDelta(0, '"}{'),
    ] == deltas


def test_line_feeds_between_values_are_tolerated():
    """And so is one behind the last."""
    body = snapshots("a") + b"\n" + snapshots("ab") + b"\r\n"
    assert "ab" == folded(same_however_cut(decoder, body)).text()


def test_half_a_value_is_a_cut():
    """A clean end inside a value: every cut that leaves one half."""
    whole = snapshots("a")
    for size in range(1, len(whole)):
        assert "upstream_truncated" == decode(decoder(), [whole, whole[:size]])[-1].error.kind


def test_an_empty_body_is_a_cut():
    """An empty 200 is not a success; an empty answer is one."""
    assert "upstream_truncated" == decode(decoder(), [])[-1].error.kind
    assert isinstance(decode(decoder(), [snapshots("")])[-1], StreamEnd)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b'{"detail":"no model"}', "upstream_error", "no model"),
        (
            b'{"id":1,"error":{"kind":"idle_timeout","message":"too slow"},"body":{"content":"a"}}',
            "upstream_error",
            "too slow",
        ),
        (b'{"error":"out of memory"}', "upstream_error", "out of memory"),
        (b'{"response":"","history":[],"status":500}', "upstream_error", "500"),
        (b'{"id":1}', "upstream_malformed", "body.content"),
        (b'{"body":{"content":5}}', "upstream_malformed", "content"),
        (b"<html>", "upstream_malformed", "html"),
        (b'{"body":{"content":"a"}}[DONE]', "upstream_malformed", "DONE"),
    ],
)
def test_what_is_no_snapshot_fails_the_answer(body, kind, words):
    """The format has no error object, but servers and proxies have."""
    error = decode(decoder(), [body])[-1].error
    assert (kind, True) == (error.kind, words in error.message), error


def test_the_whole_answer_of_api_py():
    """One object, and the end."""
    body = json.dumps(
        {"response": "你好", "history": [["q", "你好"]], "status": 200, "time": "2026"}
    ).encode()
    events = same_however_cut(decoder, body)
    assert ("你好", "stop") == (folded(events).text(), folded(events).finish.reason)


def test_the_bound_holds():
    """One value may not be larger than an event may be."""
    events = decode(UPSTREAM.decoder(120, {}), [snapshots("a"), snapshots("b" * 200)])
    assert ("a", "upstream_malformed") == (folded(events).text(), events[-1].error.kind)


@unhurried
@given(spoiled([OWN, snapshots("[[训练", "2023年"), b'{"response":"x","status":200}']))
def test_garbage_never_raises(body):
    """Whatever comes, the grammar is kept and there is one end."""
    assert isinstance(decode(decoder(), [body])[-1], StreamEnd | StreamError)
