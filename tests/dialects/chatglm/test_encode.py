import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.chatglm import DIALECT
from proxy.dialects.chatglm.encode import ChatGLMEncoder
from proxy.errors import failure
from proxy.events import BlockEnd, BlockStart, StreamEnd, TextDelta, TextRewrite
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
    unhurried,
)
from tests.support import decode, needs_recordings, seed_bytes

CLIENT = DIALECT.client


def asked(**more):
    return CLIENT.parse_request(posted(json.dumps({"query": "hi", **more}).encode()))


def writes(events):
    encoder = CLIENT.encoder(asked())
    return [written for event in events if (written := encoder.encode(event))]


def contents(events):
    """What the post's page shows after each network read: it parses every read as one JSON text."""
    return [json.loads(written)["body"]["content"] for written in writes(events)]


def test_each_write_is_one_whole_text():
    """Cumulative, with nothing before, between or after: no terminator either."""
    events = [START, *reasoning_block("hm"), *text_block("Hé", '"\n\\', "😀", block=1), ending()]
    assert ["Hé", 'Hé"\n\\', 'Hé"\n\\😀'] == contents(events)


@needs_recordings
def test_it_looks_as_the_recorded_one():
    """The same keys in the same order, the same spacing, the time frozen."""
    first = seed_bytes("c-chatglm2-report.body.bin").decode().partition("}}")[0] + "}}"
    written = writes([START, *text_block("根据")])[0].decode()
    stamp = json.loads(first)["time"]
    assert first == written.replace("2023-11-14 22:13:20", stamp)


def test_of_several_only_the_newest_is_sent():
    """One network read may bring many deltas: the page must still find one JSON text."""
    encoder = CLIENT.encoder(asked())
    frames = [encoder.encode(event) for event in [START, *text_block("a", "b"), ending()]]
    assert "ab" == json.loads(encoder.joined(frames))["body"]["content"]
    assert b"" == encoder.joined([b"", b""])


def test_there_is_no_heartbeat():
    """The page would parse it."""
    encoder = CLIENT.encoder(asked())
    assert (b"", "text/event-stream; charset=utf-8") == (encoder.heartbeat, encoder.content_type)


def test_text_can_be_taken_back():
    """A snapshot says the new text: this dialect needs no settling."""
    events = [
        BlockStart(0, "text"),
        TextDelta(0, "截至[[训练"),
        TextRewrite(0, 2, "2023年"),
        TextDelta(0, ","),
        TextRewrite(0, 0, ""),
    ]
    assert ["截至[[训练", "截至2023年", "截至2023年,", ""] == contents([START, *events])
    assert CLIENT.rewrites


def test_an_empty_answer_is_said_once():
    """The page gets something to parse."""
    assert [""] == contents([START, *text_block(), ending()])


def test_an_error_is_a_snapshot_that_a_page_survives():
    """`body.content` is still there; `error` says what happened."""
    written = writes([START, BlockStart(0, "text"), TextDelta(0, "Hel"), BROKEN])
    last = json.loads(written[-1])
    assert ("Hel", {"kind": "upstream_truncated", "message": "The upstream broke off."}) == (
        last["body"]["content"],
        last["error"],
    )
    assert 2 == len(written)


_DELTA = st.tuples(
    st.integers(0, 2), st.text('aé"\\\n😀', max_size=3), st.integers(0, 5), st.booleans()
)


@unhurried
@given(st.lists(_DELTA, max_size=15))
def test_the_last_snapshot_is_the_answer(steps):
    """Whatever is said, taken back and interleaved: a strict JSON reader ends with the folded
    text."""
    events = [START, *(BlockStart(number, "text") for number in range(3))]
    texts = [""] * 3
    for block, text, keep, back in steps:
        kept = min(keep, len(texts[block]))
        if back:
            events.append(TextRewrite(block, kept, text))
            texts[block] = texts[block][:kept] + text
        elif text:
            events.append(TextDelta(block, text))
            texts[block] += text
    events += [*(BlockEnd(number) for number in range(3)), ending()]
    body = b"".join(writes(events)).decode()
    at, seen = 0, []
    while at < len(body):
        value, at = json.JSONDecoder().raw_decode(body, at)
        seen.append(value["body"]["content"])
    assert sorted(seen[-1]) == sorted(folded(events).text())


def test_what_is_written_can_be_read_again():
    """In addition: our own decoder on our own encoder, for an answer and for a failure."""
    new = lambda: DIALECT.upstream.decoder(LIMIT, {})  # noqa: E731
    answer = decode(
        new(), [encoded(CLIENT.encoder(asked()), [START, *text_block("a", "b"), ending()])]
    )
    assert ("ab", True) == (folded(answer).text(), isinstance(answer[-1], StreamEnd))
    broken = decode(new(), [encoded(CLIENT.encoder(asked()), [START, *text_block("a"), BROKEN])])
    assert ("a", "upstream_error") == (folded(broken).text(), broken[-1].error.kind)


def test_a_whole_answer_is_api_pys():
    """For stream: false: the answer, the talk with it, the time in UTC."""
    got = asked(history=[["a", "b"]], stream=False)
    reply = CLIENT.whole(got, answered(got, text_block("c")))
    expected = {
        "response": "c",
        "history": [["a", "b"], ["hi", "c"]],
        "status": 200,
        "time": "2023-11-14 22:13:20",
    }
    assert expected == json.loads(reply.body)


@pytest.mark.parametrize(
    ("why", "status", "detail"),
    [
        (
            failure("bad_request", "query is required.", param="query"),
            422,
            [{"type": "value_error", "loc": ["body", "query"], "msg": "query is required."}],
        ),
        (failure("rate_limited", "slow down"), 429, "slow down"),
    ],
)
def test_errors_have_the_frameworks_form(why, status, detail):
    """422 with the field's place, else a sentence."""
    reply = CLIENT.render_error(why)
    assert (status, {"detail": detail}) == (reply.status, json.loads(reply.body))


def test_a_block_may_begin_with_a_rewrite():
    """The text of an earlier block stays before it."""
    events = [
        BlockStart(0, "text"),
        TextDelta(0, "a"),
        BlockEnd(0),
        BlockStart(1, "text"),
        TextRewrite(1, 0, "b"),
        BlockEnd(1),
        ending(),
    ]
    last = ChatGLMEncoder()
    assert (
        "ab"
        == [
            json.loads(said)["body"]["content"] for event in events if (said := last.encode(event))
        ][-1]
    )
