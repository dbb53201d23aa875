import json

import pytest
from hypothesis import given

from proxy.dialects.yiyan import DIALECT
from proxy.events import StreamEnd, StreamError, TextDelta, TextRewrite
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


def decoder(**options):
    return UPSTREAM.decoder(LIMIT, options)


def event(name, body, number=0):
    return f"id:{number}\nevent:{name}\ndata:{json.dumps(body, ensure_ascii=False)}\n\n".encode()


def message(content="", end=0, code=0, **data):
    return event(
        "message", {"code": code, "msg": "", "data": {"content": content, "is_end": end, **data}}
    )


def thought(text, end=0):
    return event("thought", {"thoughts": text, "is_end": end})


OWN = thought("hm") + message("Hé<br>") + message("llo") + message("", 1, tokens_all="Hé<br>llo")


@needs_recordings
@pytest.mark.parametrize(
    ("options", "text"), [({}, "你好<br>世界"), ({"br": "newline"}, "你好\n世界")]
)
def test_the_documented_stream(options, text):
    """Thoughts are reasoning, ids are told, `<br>` stays unless the operator says otherwise."""
    events = same_however_cut(lambda: decoder(**options), seed_bytes("authored/yiyan-v2-ok.sse"))
    answer = folded(events)
    assert (text, "想想", "stop") == (answer.text(), answer.reasoning(), answer.finish.reason)
    assert [{"sessionId": "s1", "parentChatId": "b1"}] == told(events)


@needs_recordings
def test_carriage_returns_are_tolerated():
    """CRLF for every LF."""
    body = seed_bytes("authored/yiyan-v2-ok.sse").replace(b"\n", b"\r\n")
    assert "你好<br>世界" == folded(same_however_cut(decoder, body)).text()


def test_own_stream():
    """The whole text at the end is not said twice."""
    events = same_however_cut(decoder, OWN)
    assert ("Hé<br>llo", "hm") == (folded(events).text(), folded(events).reasoning())
    assert [TextDelta(1, "Hé<br>"), TextDelta(1, "llo")] == [
        e for e in events if isinstance(e, TextDelta | TextRewrite)
    ]


def test_a_line_break_cut_in_two():
    """`<br>` may come in pieces; a `<` that becomes nothing else stays."""
    body = message("a<") + message("br") + message(">b<b") + message("c <") + message("<br>x<b", 1)
    assert "a\nb<bc <\nx<b" == folded(same_however_cut(lambda: decoder(br="newline"), body)).text()


@pytest.mark.parametrize(
    ("said", "whole", "change"),
    [
        ("abc", "abd", TextRewrite(0, 2, "d")),
        ("abc", "abcd", TextDelta(0, "d")),
        ("", "abc", TextDelta(0, "abc")),
        ("abc", "", None),
        ("abc", None, None),
        ("abc", "abc", None),
    ],
)
def test_the_whole_text_at_the_end_holds(said, whole, change):
    """Where it differs from what came in pieces; where it is not said there is nothing to
    compare."""
    events = decode(decoder(), [message(said) + message("", 1, tokens_all=whole)])
    assert (change if change is not None else TextDelta(0, said)) == [
        e for e in events if isinstance(e, TextDelta | TextRewrite)
    ][-1]
    assert (whole or said) == folded(events).text()


def test_text_in_several_blocks_is_not_compared():
    """Thoughts between: what was closed cannot be changed, but the vendor's word is passed on."""
    events = decode(decoder(), [message("a") + thought("hm") + message("", 1, tokens_all="x")])
    assert ("a", [{"tokens_all": "x"}]) == (folded(events).text(), told(events))
    events = decode(
        decoder(), [message("a") + thought("hm") + message("b") + message("", 1, tokens_all="x")]
    )
    assert "ab" == folded(events).text()


def test_a_long_text_is_not_kept_for_comparing():
    """The bound of one event holds for what is kept, too."""
    new = UPSTREAM.decoder(400, {})
    for _ in range(20):
        new.feed(message("x" * 50))
    assert new._said is None


@pytest.mark.parametrize(
    "body",
    [
        event("message", {"code": 18, "msg": "limit reached", "data": None}),
        event("major", {"code": 18, "msg": "limit reached"}),
        b'{"code":18,"msg":"limit reached"}',
    ],
)
def test_errors_under_200(body):
    """In an event, and as JSON in place of the stream."""
    error = decode(decoder(), [body])[-1].error
    assert ("upstream_error", "18", True) == (
        error.kind,
        error.code,
        "limit reached" in error.message,
    )


def test_a_body_without_is_end_was_cut():
    """Wherever the cut is; the end of the thoughts is not the end."""
    every_cut_is_an_error(decoder, (thought("hm", 1) + message("a", 1))[: -len("}}\n\n")])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "upstream_truncated"),
        (b"<html>sign in</html>", "upstream_malformed"),
        (b"event:message\ndata:[]\n\n", "upstream_malformed"),
        (b'event:message\ndata:{"code":0,"data":{"content":5}}\n\n', "upstream_truncated"),
        (b"event:state\ndata:not even JSON\n\n", "upstream_truncated"),
    ],
)
def test_what_is_no_answer(body, kind):
    """A page, garbage, nothing."""
    assert kind == decode(decoder(), [body])[-1].error.kind


@unhurried
@given(spoiled([OWN, thought("a", 1) + message("<b") + message("r>", 1)]))
def test_garbage_never_raises(body):
    """Whatever comes, the grammar is kept and there is one end."""
    assert isinstance(decode(decoder(br="newline"), [body])[-1], StreamEnd | StreamError)


def test_http_errors():
    """A status of 400 or more always is one."""
    assert "upstream_status" == UPSTREAM.parse_error(500, {}, b"").kind
    assert UPSTREAM.parse_error(200, {}, b'{"code":0}') is None
