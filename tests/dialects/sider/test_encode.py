import json

import pytest

from proxy.dialects.sider import DIALECT
from proxy.errors import failure
from proxy.events import BlockStart, TextDelta, Vendor
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
ANSWER = [START, *reasoning_block("hm", "m"), *text_block("Hé", ' "\n', block=1), ending()]


def asked(generation, query=None, **body):
    path = {} if generation == "chat" else {"generation": generation}
    body = {"multi_content": [{"text": "hi"}]} if generation == "chat" else {"prompt": "hi", **body}
    return CLIENT.parse_request(posted(json.dumps(body).encode(), path=path, query=query))


def stream(generation, events, query=None):
    return encoded(CLIENT.encoder(asked(generation, query)), events)


def chunks(body):
    return [json.loads(data) for _, data, _ in read_sse(body) if data != "[DONE]"]


def test_v1_as_the_vendor_sends_it():
    """`data:` without a space, one line a frame, an empty text first and last, the terminator in
    upper case."""
    body = stream("v1", ANSWER)
    assert body.startswith(b'data:{"code":0,"msg":"","data":{"text":"",')
    assert body.endswith(b"\n\ndata:[DONE]\n\n")
    assert ["", "Hé", ' "\n', ""] == [chunk["data"]["text"] for chunk in chunks(body)]
    assert "type" not in chunks(body)[0]["data"]
    expected = {
        "cid": "Cs1",
        "req_message_id": "Qs1",
        "message_id": "As1",
        "chat_model": "asked",
        "remain": None,
    }
    assert all(expected.items() <= chunk["data"].items() for chunk in chunks(body))


@pytest.mark.parametrize("generation", ["v2", "v3"])
def test_v2_and_v3_name_the_type(generation):
    """Otherwise they are as v1."""
    assert ["text"] * 4 == [chunk["data"]["type"] for chunk in chunks(stream(generation, ANSWER))]


def test_chat():
    """Ids first, then reasoning with its start and finish, then text."""
    data = [chunk["data"] for chunk in chunks(stream("chat", ANSWER))]
    assert ["message_start", *["reasoning_content"] * 4, "text", "text"] == [
        item["type"] for item in data
    ]
    assert ["start", "processing", "processing", "finish"] == [
        item["reasoning_content"]["status"] for item in data[1:5]
    ]
    assert "hmm" == "".join(item["reasoning_content"]["text"] for item in data[1:5])
    assert 'Hé "\n' == "".join(item["text"] for item in data[5:])
    assert {"asked"} == {item["model"] for item in data}


def test_a_clients_conversation_keeps_its_name():
    """A cid that the client sent comes back."""
    got = asked("v1", cid="C7")
    assert "C7" == chunks(encoded(CLIENT.encoder(got), [START]))[0]["data"]["cid"]


def test_a_sider_upstreams_quotas_come_through():
    """In v1 as fields, in chat as the chunks that they were."""
    quota = Vendor("sider", {"remain": 17, "total": 30, "of tomorrow": 1})
    assert 17 == chunks(stream("v1", [START, quota, *text_block("a")]))[1]["data"]["remain"]
    credit = {"type": "credit_info", "credit_info": {"type": "basic"}}
    assert credit == chunks(stream("chat", [START, Vendor("sider", credit), ending()]))[1]["data"]
    assert 1 == len(chunks(stream("chat", [START, Vendor("other", credit), quota, ending()])))


@pytest.mark.parametrize("generation", ["v1", "v3", "chat"])
def test_a_failure_is_an_error_object_and_no_done(generation):
    """A failed answer never looks like a whole one."""
    body = stream(generation, [START, BlockStart(0, "text"), TextDelta(0, "Hel"), BROKEN])
    assert {"code": 502, "msg": "The upstream broke off.", "data": None} == chunks(body)[-1]
    assert b"[DONE]" not in body


@pytest.mark.parametrize("generation", ["v1", "chat"])
def test_the_terminator_can_be_left_out(generation):
    """A page that parses every frame as JSON fails on it."""
    body = stream(generation, ANSWER, {"done": "none"})
    assert len(read_sse(body)) == len(chunks(body))


@pytest.mark.parametrize("generation", ["v1", "v2", "v3", "chat"])
def test_what_is_written_can_be_read_again(generation):
    """In addition: our own decoder on our own encoder."""
    answer = folded(decode(DIALECT.upstream.decoder(LIMIT, {}), [stream(generation, ANSWER)]))
    assert ('Hé "\n', "hmm" if generation == "chat" else "") == (answer.text(), answer.reasoning())


def test_a_whole_answer():
    """For stream: false, one chunk as a document."""
    got = asked("v1", stream=False)
    reply = CLIENT.whole(got, answered(got, text_block("a", "b")))
    assert "ab" == json.loads(reply.body)["data"]["text"]
    assert not got.request.stream


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("bad_request", 400, 1000),
        ("too_large", 413, 603),
        ("unauthorized", 401, 1001),
        ("rate_limited", 429, 1135),
        ("connect_failed", 502, 502),
    ],
)
def test_errors_before_the_stream(kind, status, code):
    """An HTTP status and the vendor's object, with a code that is never 0."""
    reply = CLIENT.render_error(failure(kind, "why"))
    assert (status, {"code": code, "msg": "why", "data": None}) == (
        reply.status,
        json.loads(reply.body),
    )
