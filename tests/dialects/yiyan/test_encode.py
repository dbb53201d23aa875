import json

from proxy.dialects.yiyan import DIALECT
from proxy.errors import failure
from tests.dialects.answers import (
    BROKEN,
    LIMIT,
    START,
    answered,
    encoded,
    ending,
    folded,
    posted,
    reasoning_block,
    text_block,
)
from tests.sse_reader import read_sse
from tests.support import decode

CLIENT = DIALECT.client
ANSWER = [START, *reasoning_block("h", "m"), *text_block("Hé", '"\n', block=1), ending()]


def asked(**more):
    return CLIENT.parse_request(posted(json.dumps({"text": "hi", **more}).encode()))


def stream(events):
    return encoded(CLIENT.encoder(asked()), events)


def frames(data):
    return [(event, json.loads(text), id_) for event, text, id_ in read_sse(data)]


def test_the_vendors_events():
    """major, thoughts without an envelope, messages, and the whole text with the number 1 at the
    end."""
    got = frames(stream(ANSWER))
    assert ["major", "thought", "thought", "thought", "message", "message", "message"] == [
        name for name, _, _ in got
    ]
    assert [str(number) for number in range(7)] == [id_ for _, _, id_ in got]
    assert [("h", 0), ("m", 0), ("", 1)] == [
        (body["thoughts"], body["is_end"]) for _, body, _ in got[1:4]
    ]
    assert ["Hé", '"\n', ""] == [body["data"]["content"] for _, body, _ in got[4:]]
    assert {"content": "", "tokens_all": 'Hé"\n', "is_end": 1} == got[-1][1]["data"]
    assert "s1" == got[0][1]["data"]["createSessionResponseVoCommonResult"]["data"]["sessionId"]


def test_a_failure_is_a_code_and_no_end():
    """A failed answer never looks like a whole one."""
    data = stream([START, *text_block("Hel"), BROKEN])
    assert {"code": 502, "msg": "The upstream broke off.", "data": None} == frames(data)[-1][1]
    assert b'"is_end":1' not in data


def test_what_is_written_can_be_read_again():
    """In addition: our own decoder on our own encoder, for an answer and for a failure."""
    answer = folded(decode(DIALECT.upstream.decoder(LIMIT, {}), [stream(ANSWER)]))
    assert ('Hé"\n', "hm") == (answer.text(), answer.reasoning())
    assert (
        "upstream_error"
        == decode(DIALECT.upstream.decoder(LIMIT, {}), [stream([START, BROKEN])])[-1].error.kind
    )


def test_a_whole_answer():
    """For stream: false, the last message as a document."""
    got = asked(stream=False)
    data = json.loads(CLIENT.whole(got, answered(got, text_block("a", "b"))).body)["data"]
    assert {"content": "ab", "tokens_all": "ab", "is_end": 1} == data


def test_errors_before_the_stream():
    """JSON in place of a stream, with a code that is never 0."""
    reply = CLIENT.render_error(failure("rate_limited", "why"))
    assert (429, {"code": 429, "msg": "why", "data": None}) == (
        reply.status,
        json.loads(reply.body),
    )
