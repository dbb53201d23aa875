import json

import pytest
from hypothesis import given

from proxy.dialects.sider import DIALECT
from proxy.events import StreamEnd, StreamError, TextDelta
from tests.dialects.answers import (
    LIMIT,
    every_cut_is_an_error,
    folded,
    same_however_cut,
    spoiled,
    told,
    unhurried,
)
from tests.support import decode, needs_recordings, seed_bytes

UPSTREAM = DIALECT.upstream
DONE = b"data:[DONE]\n\n"


def decoder(**options):
    return UPSTREAM.decoder(LIMIT, options)


def chunk(code=0, msg="", **data):
    return (
        b"data:"
        + json.dumps({"code": code, "msg": msg, "data": data or None}, ensure_ascii=False).encode()
        + b"\n\n"
    )


V1 = (
    chunk(text="", cid="C1", remain=3)
    + chunk(text="Hé", cid="C1", remain=3)
    + chunk(text='l}lo "', cid="C1", remain=2)
    + DONE
)


@needs_recordings
def test_v1():
    """The deltas of data.text; ids and quotas once."""
    events = same_however_cut(decoder, seed_bytes("authored/sider-v1-ok.sse"))
    answer = folded(events)
    assert ("你好，\n世界。", "stop") == (answer.text(), answer.finish.reason)
    assert 1 == len(told(events))
    assert 17 == told(events)[0]["remain"]


@needs_recordings
def test_chat_v1():
    """`type` selects the field; reasoning is a block, pulses are nothing."""
    events = same_however_cut(decoder, seed_bytes("authored/sider-chat-v1-ok.sse"))
    answer = folded(events)
    assert ("你好，世界。", "想想", "stop") == (
        answer.text(),
        answer.reasoning(),
        answer.finish.reason,
    )
    assert ["credit_info", "message_start"] == [data["type"] for data in told(events)]


@needs_recordings
def test_the_posts_server_without_newlines():
    """Text is in msg where the operator says so, and comes with the very read that completes its
    object."""
    body = seed_bytes("b-sider-shaped.body.sse")
    events = same_however_cut(lambda: decoder(text_in_msg=True), body)
    assert ("我是一条样例数据", "stop") == (folded(events).text(), folded(events).finish.reason)
    new = decoder(text_in_msg=True)
    reads = [
        json.loads(line)["text"]
        for line in seed_bytes("b-sider-shaped.reads.jsonl").decode().splitlines()
    ]
    per_read = [
        sum(isinstance(event, TextDelta) for event in new.feed(read.encode())) for read in reads
    ]
    assert [0, 1, 1, 1, 1, 1, 1, 1, 1, 0] == per_read


@needs_recordings
def test_without_the_option_msg_is_not_text():
    """In the real API nobody knows what a msg beside code 0 is: it is passed on."""
    events = decode(decoder(), [seed_bytes("b-sider-shaped.body.sse")])
    assert "" == folded(events).text()
    assert "".join("我是一条样例数据") == "".join(data.get("msg", "") for data in told(events))


@needs_recordings
def test_an_error_in_the_stream():
    """`data` is null, and the [DONE] after it makes nothing good."""
    events = same_however_cut(decoder, seed_bytes("authored/sider-error-in-stream-1101.sse"))
    error = events[-1].error
    assert ("rate_limited", 429, "1101", True) == (
        error.kind,
        error.status,
        error.code,
        error.retryable,
    )


def test_own_v1_stream():
    """Braces and quotes in the text; a quota that changes is told again."""
    events = same_however_cut(decoder, V1)
    assert 'Hél}lo "' == folded(events).text()
    assert [3, 2] == [data["remain"] for data in told(events)]


def test_comments_are_nothing():
    """A keep-alive between two frames."""
    body = V1.replace(b"\n\n", b"\n\n: ping\n", 2)
    assert 'Hél}lo "' == folded(same_however_cut(decoder, body)).text()


@pytest.mark.parametrize(
    ("data", "text", "vendor"),
    [
        ({"type": "text", "text": "a"}, "a", 0),
        (
            {
                "type": "deep_search",
                "deep_search": {"status": "answering", "field": {"answer_fragment": "b"}},
            },
            "b",
            0,
        ),
        ({"deep_search": {"status": "answering", "field": {"answer_fragment": "b"}}}, "b", 0),
        ({"type": "deep_search", "deep_search": {"status": "searching", "field": {}}}, "", 1),
        (
            {"type": "tool_call", "tool_call": {"id": "1", "name": "search", "status": "start"}},
            "",
            1,
        ),
        ({"type": "file", "file": {"type": "image", "url": "https://x.test/a.png"}}, "", 1),
        ({"type": "of tomorrow", "text": "no"}, "", 1),
        ({"type": "reasoning_content"}, "", 0),
        ({"type": "pulse"}, "", 0),
    ],
)
def test_what_a_type_means(data, text, vendor):
    """Text, nothing, or passed on as it is."""
    events = same_however_cut(decoder, chunk(**data) + DONE)
    assert (text, vendor) == (folded(events).text(), len(told(events)))
    assert not vendor or data == told(events)[0]


@pytest.mark.parametrize(
    ("code", "msg", "kind", "status", "after"),
    [
        (603, "too many words", "bad_request", 400, None),
        (1000, "bad", "bad_request", 400, None),
        (1001, "invalid token", "upstream_error", 401, None),
        (1101, "active request", "rate_limited", 429, None),
        (1135, "please try again after 5 minutes", "rate_limited", 429, 300.0),
        (1135, "later", "rate_limited", 429, None),
        (7, None, "upstream_error", 502, None),
    ],
)
def test_error_codes(code, msg, kind, status, after):
    """The same in a stream and in an HTTP error's body."""
    body = json.dumps({"code": code, "msg": msg, "data": None}).encode()
    for error in (
        decode(decoder(), [b"data:" + body + b"\n\n"])[-1].error,
        UPSTREAM.parse_error(200, {}, body),
    ):
        got = error.retry_after_s if isinstance(error.retry_after_s, float) else None
        assert (kind, status, str(code), after) == (error.kind, error.status, error.code, got)
        assert error.message


def test_a_body_without_done_was_cut():
    """Wherever the cut is."""
    every_cut_is_an_error(decoder, V1[: -len(b"]\n\n")])


@pytest.mark.parametrize(
    "body", [b"<html>challenge</html>", b"data:[]\n\n", b"data:{}x", b"data:5\n\n"]
)
def test_what_cannot_be_read_is_malformed(body):
    """A challenge page or garbage under 200."""
    assert "upstream_malformed" == decode(decoder(), [body])[-1].error.kind


def test_the_bound_holds():
    """One value may not be larger than an event may be."""
    events = decode(UPSTREAM.decoder(80, {}), [chunk(text="a"), chunk(text="x" * 200)])
    assert ("a", "upstream_malformed") == (folded(events).text(), events[-1].error.kind)


CHAT = (
    chunk(type="reasoning_content", reasoning_content={"status": "processing", "text": "hm"})
    + chunk(type="text", text="a")
    + chunk(type="tool_call", tool_call={"id": "1"})
)


@unhurried
@given(spoiled([V1, CHAT + DONE, V1.replace(b"\n", b""), chunk(1135, "after 5 minutes")]))
def test_garbage_never_raises(body):
    """Whatever comes, the grammar is kept and there is one end."""
    assert isinstance(decode(decoder(), [body])[-1], StreamEnd | StreamError)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, b'{"code":603,"msg":"too many words"}', "bad_request", "603"),
        (401, b'{"code":1001,"msg":"invalid token"}', "upstream_status", "1001"),
        (403, b"<!DOCTYPE html>challenge", "upstream_status", None),
        (422, b'{"detail":[{"loc":["body","cid"],"msg":"Field required"}]}', "bad_request", None),
        (500, b'{"code":99,"msg":"x"}', "upstream_status", "99"),
        (503, b"", "overloaded", None),
    ],
)
def test_http_errors(status, body, kind, code):
    """JSON with a known code, JSON of the framework, a challenge page, nothing."""
    found = UPSTREAM.parse_error(status, {}, body)
    assert (kind, code) == (found.kind, found.code if isinstance(found.code, str) else None)


def test_an_answer_is_no_error():
    """Under 200, code 0."""
    assert UPSTREAM.parse_error(200, {}, b'{"code":0,"msg":"","data":{}}') is None
