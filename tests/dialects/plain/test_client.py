import json

import pytest

from proxy.codec.base import Incoming
from proxy.dialects.plain import DIALECT
from proxy.errors import Refused, failure
from proxy.events import BlockStart, TextDelta
from tests.dialects.answers import (
    BROKEN,
    LIMIT,
    START,
    answered,
    encoded,
    ending,
    folded,
    params,
    posted,
    reasoning_block,
    text_block,
)
from tests.sse_reader import read_sse
from tests.support import decode

CLIENT = DIALECT.client
PIECES = ("Hello", ", wörld", "\n", "new\nline ", " [x]", "\r\nlast")


def got(query):
    return CLIENT.parse_request(Incoming("GET", {}, query, {}, b""))


def encoder(query=None):
    return CLIENT.encoder(got({"prompt": "hi", **(query or {})}))


def test_get_with_a_query():
    """A native EventSource can only GET."""
    request = got({"prompt": "hi", "system": "be brief", "model": "fast", "key": "x"}).request
    assert ("hi", "be brief", "fast", True) == (
        request.last_user_text,
        request.system,
        request.model,
        request.stream,
    )


def test_post_with_a_body():
    """The body goes before the query; unknown keys are noted."""
    incoming = posted(
        b'{"prompt":"hi","stream":false,"top_k":1}', query={"prompt": "no", "model": "fast"}
    )
    parsed = CLIENT.parse_request(incoming)
    assert ("hi", "fast", False) == (
        parsed.request.last_user_text,
        parsed.request.model,
        parsed.request.stream,
    )
    assert {"unknown_key"} == params(parsed.notes)


def test_without_a_model_the_dialects_name_is_asked_for():
    """An operator can give it a row."""
    assert "plain" == got({"prompt": "hi"}).request.model


@pytest.mark.parametrize("body", [b"", b" ", b"{}"])
def test_who_sends_nothing_gets_a_greeting(body):
    """As the smallest servers answer, whose pages ask nothing."""
    parsed = CLIENT.parse_request(posted(body, query={"prompt": ""}))
    assert ["Hello!"] == [message.text for message in parsed.request.messages]
    assert [("defaulted", "prompt")] == [(note.note, note.param) for note in parsed.notes]


@pytest.mark.parametrize(
    "body", [b'{"prompt":""}', b'{"promt":"hi"}', b'{"prompt":5}', b'{"prompt":null}']
)
def test_the_prompt_must_be_there(body):
    """The refusal names the field."""
    with pytest.raises(Refused) as refused:
        CLIENT.parse_request(posted(body))
    assert ("bad_request", "prompt") == (refused.value.failure.kind, refused.value.failure.param)


@pytest.mark.parametrize(
    "body", [b"[1]", b"{", b"\xff", b"[" * 100_000, b'"x"', b'{"prompt":"\xff"}']
)
def test_a_bad_body_is_refused(body):
    """In a sentence, whatever it is."""
    with pytest.raises(Refused) as refused:
        CLIENT.parse_request(posted(body))
    assert "bad_request" == refused.value.failure.kind


def test_a_stream_as_a_reader_sees_it():
    """Newlines survive, every frame has an id, the last one says done in lower case."""
    events = read_sse(encoded(encoder(), [START, *text_block(*PIECES), ending()]))
    assert "".join(PIECES).replace("\r\n", "\n") == "".join(data for _, data, _ in events[:-1])
    assert (None, "[done]", f"s1:{len(events)}") == events[-1]
    assert [f"s1:{number}" for number in range(1, len(events) + 1)] == [id_ for _, _, id_ in events]


def test_a_failure_is_shown_and_still_ends_with_done():
    """A page shows the words; without done it would reconnect and ask again."""
    events = read_sse(
        encoded(encoder(), [START, BlockStart(0, "text"), TextDelta(0, "Hel"), BROKEN])
    )
    assert ["Hel", "[error] The upstream broke off.", "[done]"] == [data for _, data, _ in events]
    assert {None} == {name for name, _, _ in events}


def test_the_terminator_can_be_another_or_none():
    """fetch-event-source ends with its body and parses every frame."""
    answer = [START, *text_block("a"), ending()]
    assert ["a", "[DONE]"] == [
        data for _, data, _ in read_sse(encoded(encoder({"done": "[DONE]"}), answer))
    ]
    assert ["a"] == [data for _, data, _ in read_sse(encoded(encoder({"done": "none"}), answer))]


def test_an_answer_that_says_done_does_not_end():
    """The word comes in two frames, so that a page reads on."""
    events = read_sse(encoded(encoder(), [START, *text_block("[done]", "!"), ending()]))
    assert ["[", "done]", "!", "[done]"] == [data for _, data, _ in events]


def test_reasoning_and_other_choices_have_no_place():
    """Only the answer's text is plain text."""
    other = [BlockStart(5, "text", choice=1), TextDelta(5, "B")]
    events = [START, *reasoning_block("hm"), *other, *text_block("a", block=1), ending()]
    assert ["a", "[done]"] == [data for _, data, _ in read_sse(encoded(encoder(), events))]


def test_what_is_written_can_be_read_again():
    """In addition: our own decoder on our own encoder, for an answer and for a failure."""
    answer = decode(
        DIALECT.upstream.decoder(LIMIT, {}),
        [encoded(encoder(), [START, *text_block("a\n", "b"), ending()])],
    )
    assert "a\nb" == folded(answer).text()
    broken = decode(DIALECT.upstream.decoder(LIMIT, {}), [encoded(encoder(), [START, BROKEN])])
    assert "upstream_error" == broken[-1].error.kind


def test_a_whole_answer_is_text():
    """For stream: false."""
    parsed = CLIENT.parse_request(posted(b'{"prompt":"hi","stream":false}'))
    reply = CLIENT.whole(parsed, answered(parsed, text_block("a", "ö")))
    assert (200, "aö".encode(), "text/plain; charset=utf-8") == (
        reply.status,
        reply.body,
        reply.content_type,
    )


def test_errors_have_the_frameworks_form():
    """`detail`, and the failure's own status."""
    reply = CLIENT.render_error(failure("rate_limited", "slow down"))
    assert (429, {"detail": "slow down"}) == (reply.status, json.loads(reply.body))
