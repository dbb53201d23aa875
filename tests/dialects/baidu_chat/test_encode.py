import json

import pytest

from proxy.dialects.baidu_chat import DIALECT
from proxy.errors import failure
from proxy.events import BlockEnd, BlockStart, Citation, TextDelta
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
NEW = {"message": {"query": [{"type": "TEXT", "data": {"text": {"query": "hi"}}}]}}
OLD = {"message": {"content": {"query": "hi"}}}
ANSWER = [
    START,
    *reasoning_block("h", "m"),
    BlockStart(1, "text"),
    Citation(1, "https://x.test", "title", "words"),
    TextDelta(1, "Hé"),
    TextDelta(1, '"\n'),
    BlockEnd(1),
    ending(),
]


def asked(body):
    return CLIENT.parse_request(posted(json.dumps(body).encode()))


def stream(body, events):
    return encoded(CLIENT.encoder(asked(body)), events)


def packets(data):
    return [(event, json.loads(text)) for event, text, _ in read_sse(data)]


def generators(data):
    messages = [packet["data"]["message"] for event, packet in packets(data) if event == "message"]
    return [message["content"]["generator"] for message in messages if "content" in message]


def test_2026_as_the_page_reads_it():
    """basedata, waiting, components, and an end without content; numbered from 0."""
    data = stream(NEW, ANSWER)
    assert data.startswith(b"event:basedata\ndata:{")
    (first, basedata), *rest = packets(data)
    assert ("basedata", 0, "") == (first, basedata["status"], basedata["chatHitKunlun"])
    assert list(range(len(rest))) == [packet["seq_id"] for _, packet in rest]
    assert "waiting-resp" == rest[0][1]["data"]["message"]["metaData"]["state"]
    last = rest[-1][1]
    assert {"state": "generate-complete", "endTurn": True} == last["data"]["message"]["metaData"]
    assert ("pc_aitab", False) == (last["product"], "content" in last["data"]["message"])
    assert 'Hé"\n' == "".join(
        g["data"]["value"] for g in generators(data) if g["component"] == "markdown-yiyan"
    )
    thinking = [g["data"] for g in generators(data) if g["component"] == "thinkingSteps"]
    assert "hm" == "".join(piece for item in thinking for piece in item["reasoningContentArr"])
    sources = [source for item in thinking for source in item.get("referenceList", ())]
    assert [
        {"url": "https://x.test", "text": "title", "abstract": "words", "source": ""}
    ] == sources


def test_2023_as_the_page_reads_it():
    """Only generator.text, and isFinished with the last."""
    data = stream(OLD, ANSWER)
    assert 'Hé"\n' == "".join(generator["text"] for generator in generators(data))
    assert [False, False, True] == [generator["isFinished"] for generator in generators(data)]
    assert {"txt"} == {generator["type"] for generator in generators(data)}


@pytest.mark.parametrize("body", [NEW, OLD])
def test_a_failure_is_one_error_packet(body):
    """With words for people, and no end of the turn."""
    data = stream(body, [START, *text_block("Hel"), BROKEN])
    last = packets(data)[-1][1]
    hints = last["data"]["message"]["content"]["hints"]["parts"]
    assert (1000, "The upstream broke off.") == (last["status"], hints[0]["text"])
    assert b'"endTurn":true' not in data


@pytest.mark.parametrize("body", [NEW, OLD])
def test_filtered_content_is_withdrawn(body):
    """The page takes back what it shows on antiFlag."""
    data = stream(body, [START, *text_block("bad"), ending("content_filter")])
    assert [1] == [generator["antiFlag"] for generator in generators(data) if generator["antiFlag"]]


@pytest.mark.parametrize(("body", "reasoning"), [(NEW, "hm"), (OLD, "")])
def test_what_is_written_can_be_read_again(body, reasoning):
    """In addition: our own decoder on our own encoder, for an answer, a withdrawal and a
    failure."""

    def read(events):
        return decode(DIALECT.upstream.decoder(LIMIT, {}), [stream(body, events)])

    answer = folded(read(ANSWER))
    assert ('Hé"\n', reasoning, "stop") == (answer.text(), answer.reasoning(), answer.finish.reason)
    withdrawn = folded(read([START, *text_block("bad"), ending("content_filter")]))
    assert ("", "content_filter") == (withdrawn.text(), withdrawn.finish.reason)
    assert "upstream_error" == read([START, *text_block("a"), BROKEN])[-1].error.kind


def test_a_whole_answer():
    """For stream: false, one packet with nothing left to come."""
    got = asked(NEW | {"stream": False})
    message = json.loads(CLIENT.whole(got, answered(got, text_block("a", "b"))).body)["data"][
        "message"
    ]
    assert ("ab", True) == (message["content"]["generator"]["text"], message["metaData"]["endTurn"])


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("unauthorized", 401, 1001), ("rate_limited", 429, 1005), ("bad_request", 400, 1000)],
)
def test_errors_before_the_stream(kind, status, code):
    """An HTTP status, and the packet that its page would read."""
    reply = CLIENT.render_error(failure(kind, "why"))
    body = json.loads(reply.body)
    assert (status, code, "why") == (
        reply.status,
        body["status"],
        body["data"]["message"]["content"]["hints"]["parts"][0]["text"],
    )
