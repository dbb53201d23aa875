"""The decoder: Dify's own samples, and small streams of each kind of app."""

import hashlib
import json

import pytest
from hypothesis import given

from proxy.dialects.dify import DIALECT
from proxy.events import BlockStart, Citation, StreamEnd, StreamError, TextRewrite, Usage
from tests.dialects.answers import (
    LIMIT,
    every_cut_is_an_error,
    folded,
    same_however_cut,
    spoiled,
    told,
    unhurried,
)
from tests.support import decode, facts, needs_recordings, recording_bytes

UPSTREAM = DIALECT.upstream
IDS = {"task_id": "t", "message_id": "m", "conversation_id": "c"}


def decoder(limit=LIMIT):
    return UPSTREAM.decoder(limit, {})


def event(name, **more):
    return f"data: {json.dumps({'event': name, **IDS, **more})}\n\n".encode()


END = event(
    "message_end",
    metadata={"usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_price": "0.1"}},
)
CHAT = event("message", answer="Hé") + b"event: ping\n\n" + event("message", answer="llo") + END
FLOW = event("workflow_started", data={"id": "w"}) + event("text_chunk", data={"text": "Hi"})
WON = event(
    "workflow_finished",
    data={"status": "succeeded", "outputs": {"text": "whole"}, "total_tokens": 5},
)


def test_what_holds_a_flow_open_or_comes_behind_its_end_says_nothing():
    """A ping as an event, and the end of the flow after that of the answer."""
    events = same_however_cut(decoder, event("ping") + CHAT + WON)
    assert "Héllo" == folded(events).text()
    assert isinstance(events[-1], StreamEnd)


@pytest.mark.parametrize("data", [5, [1]])
def test_a_piece_of_a_flow_that_is_none_is_malformed(data):
    error = same_however_cut(decoder, FLOW + event("text_chunk", data=data))[-1].error
    assert "upstream_malformed" == error.kind


@needs_recordings
@pytest.mark.parametrize("row", facts("dify"), ids=lambda row: row["file"])
def test_the_documented_streams(row):
    """Text, finish and usage are those of the sample, however it is cut.

    The facts count an agent's `agent_thought` as a tool call. Dify has run that tool itself, so
    here it is no call for the client: the record goes on whole as a vendor event, as its file, its
    prices and the speech behind the end do.
    """
    events = same_however_cut(decoder, recording_bytes(row))
    answer = folded(events)
    assert (row["text"], row["finish"], "stop") == (
        answer.text(),
        answer.finish.raw,
        answer.finish.reason,
    )
    assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()
    assert Usage(row["usage"]["prompt_tokens"], row["usage"]["completion_tokens"]) == answer.usage
    seen = [said for said in told(events) if "event" in said]
    called = [said for said in seen if said["event"] == "agent_thought" and said["tool"]]
    assert {(tool["name"], tool["arguments"]) for tool in row["tools"]} == {
        (said["tool"], said["tool_input"]) for said in called
    }
    assert ["tts_message", "tts_message_end"] == [said["event"] for said in seen][-2:]
    assert ["iPhone List"] == [said.title for said in events if isinstance(said, Citation)]
    if row["tools"]:
        assert 1 == sum(said["event"] == "message_file" for said in seen)


def test_a_chat():
    """Deltas, pings between them, the counts; the ids and the prices are told."""
    events = same_however_cut(decoder, CHAT)
    answer = folded(events)
    assert ("Héllo", "stop", "message_end", Usage(3, 2)) == (
        answer.text(),
        answer.finish.reason,
        answer.finish.raw,
        answer.usage,
    )
    assert IDS == told(events)[0]
    assert "0.1" == told(events)[1]["metadata"]["usage"]["total_price"]


def test_a_newer_agent_repeats_itself():
    """Its closing `message` is the whole answer: nothing is said twice, and what differs is taken
    back."""
    said = event("agent_message", answer="Good ") + event("agent_message", answer="mornin")
    assert (
        "Good morning"
        == folded(
            same_however_cut(decoder, said + event("message", answer="Good morning") + END)
        ).text()
    )
    events = same_however_cut(decoder, said + event("message", answer="Good night") + END)
    assert [TextRewrite(0, 5, "night")] == [e for e in events if isinstance(e, TextRewrite)]


def test_moderation_takes_everything_back():
    """Also what was said before reasoning came between; the finish says why."""
    thought = event("reasoning_chunk", data={"reasoning": "hm", "is_final": True})
    body = (
        event("message", answer="bad ")
        + thought
        + event("message", answer="words")
        + event("message_replace", answer="No.")
        + END
    )
    events = same_however_cut(decoder, body)
    answer = folded(events)
    assert ("No.", "hm", "content_filter") == (
        answer.text(),
        answer.reasoning(),
        answer.finish.reason,
    )
    assert 2 == sum(isinstance(e, BlockStart) for e in events)


def test_reasoning_ends_where_the_text_begins():
    """With or without its last chunk's mark."""
    body = (
        event("reasoning_chunk", data={"reasoning": "a", "is_final": False})
        + event("message", answer="b")
        + END
    )
    assert ("b", "a") == (
        folded(same_however_cut(decoder, body)).text(),
        folded(decode(decoder(), [body])).reasoning(),
    )


def test_a_workflow():
    """Its chunks are the text, its nodes vendor events; it has no `message_end`."""
    events = same_however_cut(
        decoder, FLOW + event("node_finished", data={"status": "failed", "error": "x"}) + WON
    )
    answer = folded(events)
    assert ("Hi", "stop", "workflow_finished") == (
        answer.text(),
        answer.finish.reason,
        answer.finish.raw,
    )
    assert ["workflow_started", "node_finished", "workflow_finished"] == [
        said["event"] for said in told(events)[1:]
    ]


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ({"text": "a", "b": "c"}, "a"),
        ({"poem": "a", "n": 1}, "a"),
        ({"x": "a", "y": "b"}, ""),
        (None, ""),
        ({"n": 1}, ""),
        ("a", ""),
    ],
)
def test_a_workflow_that_streams_no_text(outputs, text):
    """Its answer is the one text among its outputs, or the one under a usual name."""
    body = event("workflow_started", data={}) + event(
        "workflow_finished", data={"status": "succeeded", "outputs": outputs}
    )
    assert text == folded(same_however_cut(decoder, body)).text()


def test_a_workflow_takes_text_back():
    """`text_replace` is `message_replace` for workflows, but no verdict on what was said."""
    events = same_however_cut(decoder, FLOW + event("text_replace", data={"text": "Ho"}) + WON)
    assert ("Ho", "stop") == (folded(events).text(), folded(events).finish.reason)


def test_a_failed_workflow_is_a_failed_answer():
    """It says so in its last event and sends no `error`."""
    error = decode(
        decoder(),
        [FLOW + event("workflow_finished", data={"status": "failed", "error": "node broke"})],
    )[-1].error
    assert ("upstream_error", "node broke") == (error.kind, error.message)


@pytest.mark.parametrize(
    ("status", "code", "expected", "retryable"),
    [
        (400, "invalid_param", 400, False),
        (429, "rate_limit_error", 429, True),
        (500, "internal_server_error", 502, True),
    ],
)
def test_an_error_event_is_the_end(status, code, expected, retryable):
    """The HTTP status stayed 200; the event's own counts."""
    body = (
        event("message", answer="a")
        + event("error", status=status, code=code, message="no")
        + event("message", answer="b")
    )
    events = same_however_cut(decoder, body)
    error = events[-1].error
    assert ("upstream_error", code, "no", expected, retryable) == (
        error.kind,
        error.code,
        error.message,
        error.status,
        error.retryable,
    )
    assert "a" == folded(events).text()


def test_every_cut_before_the_end_is_an_error():
    """A body without `message_end` is no answer; the newlines behind it are not missed."""
    every_cut_is_an_error(decoder, CHAT[: -len(b"}\n\n")])


def test_garbage_behind_the_end_spoils_nothing():
    """The answer was complete before it came."""
    assert isinstance(decode(decoder(), [CHAT + b"data: {\n\n"])[-1], StreamEnd)


def test_json_in_place_of_a_stream():
    """An error, though the status was 200."""
    error = decode(
        decoder(),
        [b'{"code": "not_chat_app", "message": "Please check your app mode", "status": 400}'],
    )[-1].error
    assert ("not_chat_app", 400) == (error.code, error.status)


def test_a_text_too_long_to_compare():
    """Grows on; only a repetition of it cannot be read."""
    long = [event("agent_message", answer="x" * 300) for _ in range(4)]
    assert "x" * 1200 == folded(decode(decoder(1000), [*long, END])).text()
    assert (
        "upstream_malformed"
        == decode(decoder(1000), [*long, event("message", answer="x"), END])[-1].error.kind
    )


@unhurried
@given(
    spoiled(
        [CHAT, FLOW + WON, event("agent_message", answer="[[") + event("message", answer="é") + END]
    )
)
def test_garbage_never_raises(body):
    """Whatever comes, the grammar is kept and there is one end."""
    assert isinstance(decode(decoder(), [body])[-1], StreamEnd | StreamError)
