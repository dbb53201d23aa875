import json

import pytest
from hypothesis import given

from proxy.dialects.plain import DIALECT
from proxy.errors import Refused
from proxy.events import StreamEnd, StreamError, TextDelta
from proxy.request import ChatRequest, ImagePart, Message, TextPart
from tests.dialects.answers import (
    LIMIT,
    asked,
    folded,
    params,
    same_however_cut,
    spoiled,
    target,
    unhurried,
)
from tests.support import decode, needs_recordings, seed_bytes

UPSTREAM = DIALECT.upstream
OWN = "data: Hello\n\ndata: , wörld\n\ndata: \ndata: new line\n\n".encode()
TEXT = "Hello, wörld\nnew line"


def decoder(**options):
    return UPSTREAM.decoder(LIMIT, options)


def last(data, **options):
    return decode(decoder(**options), [data])[-1]


@needs_recordings
def test_the_posts_minimal_server():
    """One character a frame, and the end of the body is the end of the answer."""
    events = same_however_cut(decoder, seed_bytes("a-minimal.body.sse"))
    assert "我是一条样例数据" == folded(events).text()
    assert "stop" == folded(events).finish.reason
    assert 8 == len([event for event in events if isinstance(event, TextDelta)])


def test_data_is_text_as_it_stands():
    """JSON, a second space, several data lines: nothing is made of them."""
    events = same_however_cut(
        decoder, b'data:  two\n\ndata: {"a":1}\n\ndata:x\ndata:y\n\nevent: other\ndata: z\n\n'
    )
    assert ' two{"a":1}x\nyz' == folded(events).text()


@pytest.mark.parametrize("word", [b"[done]", b"[DONE]"])
def test_a_terminator_ends_the_answer(word):
    """Either spelling, wherever it comes; what comes after it is not read."""
    events = same_however_cut(decoder, OWN + b"data: " + word + b"\n\ndata: more\n\n")
    assert TEXT == folded(events).text()
    assert "stop" == folded(events).finish.reason


def test_a_demanded_terminator_must_come():
    """Only the configured word ends the answer then, and a body without it was cut."""
    assert last(OWN, done="<end>").error.kind == "upstream_truncated"
    assert isinstance(last(OWN + b"data: <end>\n\n", done="<end>"), StreamEnd)
    events = decode(decoder(done="<end>"), [b"data: [done]\n\ndata: <end>\n\n"])
    assert "[done]" == folded(events).text()


def test_no_terminator_at_all():
    """With done "" the usual words are text."""
    assert "[DONE]" == folded(decode(decoder(done=""), [b"data: [DONE]\n\n"])).text()


@pytest.mark.parametrize("body", [b"", b": ping\n", b"\n\n", b"event: x\n\n"])
def test_a_body_without_a_frame_is_no_answer(body):
    """An empty 200 is not a success."""
    assert "upstream_truncated" == last(body).error.kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>Sign in</body></html>", "upstream_malformed"),
        (b'{"detail":"busy"}', "upstream_error"),
        (b'{"busy":1}', "upstream_malformed"),
        (b"plain words", "upstream_malformed"),
    ],
)
def test_a_body_that_is_no_stream_is_no_answer(body, kind):
    """A page, a JSON error, another document or words under 200."""
    assert kind == last(body).error.kind


@pytest.mark.parametrize("tail", [b"data: half", b"data: half\n", b"da"])
def test_half_a_frame_is_a_cut(tail):
    """The last frame lacks its end: no part of it is text, and the answer is not complete."""
    events = same_however_cut(decoder, OWN + tail)
    assert TEXT == folded(events).text()
    assert "upstream_truncated" == events[-1].error.kind


def test_the_terminator_may_lack_its_blank_line():
    """Some servers close right behind it."""
    assert isinstance(last(OWN + b"data: [done]"), StreamEnd)


def test_an_empty_frame_is_nothing_or_a_newline():
    """A server that writes one character a frame loses its newlines; an operator may have them
    back."""
    body = b"data: a\n\ndata: \n\n\ndata: b\n\n"
    assert "ab" == folded(decode(decoder(), [body])).text()
    assert "a\nb" == folded(decode(decoder(empty="newline"), [body])).text()


def test_an_error_event_fails_the_answer():
    """A named error, and the form in which our own client half says one."""
    assert "upstream_error" == last(OWN + b"event: error\ndata: out of memory\n\n").error.kind
    for end in (b"data: [done]\n\n", b""):
        error = last(OWN + b"data: [error] out of memory\n\n" + end).error
        assert ("upstream_error", "out of memory") == (error.kind, error.message)


def test_a_text_that_only_begins_like_an_error_is_text():
    """A log line in an answer: more text follows it."""
    events = same_however_cut(decoder, b"data: [error] E1\n\ndata: is common\n\n")
    assert "[error] E1is common" == folded(events).text()


def test_a_frame_that_is_too_large_fails_the_answer():
    """The bound holds, and what came before it stays."""
    events = decode(UPSTREAM.decoder(64, {}), [b"data: a\n\n", b"data: " + b"x" * 100])
    assert "a" == folded(events).text()
    assert "upstream_malformed" == events[-1].error.kind


@unhurried
@given(spoiled([OWN, OWN + b"data: [done]\n\n", b"event: error\ndata: x\n\n"]))
def test_garbage_never_raises(body):
    """Whatever comes, the grammar is kept and there is one end."""
    assert isinstance(decode(decoder(), [body])[-1], StreamEnd | StreamError)


def test_the_prompt_goes_up():
    """A single turn is the prompt itself; settings are noted as lost."""
    out = UPSTREAM.build_request(asked("hi", temperature=0.5, vendor={"x": 1}), target(api_key="k"))
    assert ("POST", "/data", {"prompt": "hi", "model": "theirs", "x": 1}) == (
        out.method,
        out.path,
        json.loads(out.body),
    )
    assert "Bearer k" == out.headers["Authorization"]
    assert {"temperature"} == params(out.notes)


def test_a_talk_is_written_into_the_prompt():
    """Earlier turns and the system text, and a note for each."""
    out = UPSTREAM.build_request(asked("a", "b", "c", system="be brief"), target())
    assert "be brief\n\nUser: a\n\nAssistant: b\n\nUser: c" == json.loads(out.body)["prompt"]
    assert {"messages", "system"} == params(out.notes)


def test_images_are_noted_as_lost():
    """The text of the turn is still said."""
    turn = Message("user", [TextPart("what is it?"), ImagePart("https://x.test/a.png")])
    out = UPSTREAM.build_request(ChatRequest(model="m", messages=[turn]), target())
    assert "what is it?" == json.loads(out.body)["prompt"]
    assert {"messages.image_url"} == params(out.notes)


def test_the_body_is_the_operators_choice():
    """Another key, or no body for a server that reads none."""
    assert "hi" == json.loads(UPSTREAM.build_request(asked("hi"), target(prompt_key="q")).body)["q"]
    assert b"" == UPSTREAM.build_request(asked("hi"), target(prompt_key="")).body


def test_a_talk_without_a_user_turn_is_refused():
    """There is no prompt to be sent."""
    with pytest.raises(Refused) as refused:
        UPSTREAM.build_request(
            ChatRequest(model="m", messages=[Message("assistant", "x")]), target()
        )
    assert "messages" == refused.value.failure.param


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (405, b'{"detail":"Method Not Allowed"}', "upstream_status", "Method Not Allowed"),
        (
            422,
            b'{"detail":[{"loc":["body","cid"],"msg":"Field required"}]}',
            "bad_request",
            "body.cid: Field required",
        ),
        (429, b"", "rate_limited", "empty body"),
        (500, b"<html>", "upstream_status", "HTML page"),
        (503, b"\xff\xfe", "overloaded", "503"),
        (200, b'{"detail":"no"}', "upstream_error", "no"),
    ],
)
def test_errors_are_found(status, body, kind, words):
    """Whatever the body, a status of 400 or more is a failure with words."""
    found = UPSTREAM.parse_error(status, {"retry-after": "7"}, body)
    assert (kind, True) == (found.kind, words in found.message)
    assert status == 200 or found.retry_after_s == 7


@pytest.mark.parametrize("body", [b"", b"data: x\n\n", b"{}", b"[]"])
def test_what_is_no_error_is_none(body):
    """Under 200 only an error object is one."""
    assert UPSTREAM.parse_error(200, {}, body) is None
