"""The decoder: the samples of Coze's SDK, and small streams of our own."""

import json

import pytest
from hypothesis import given

from proxy.dialects.coze import DIALECT
from proxy.events import StreamEnd, StreamError, Usage
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
# Two runs stand spliced in this sample: the first fails, which ends an answer, and what the second
# says comes after that end.
SPLICED = "coze/cozepy-workflow-run.sse"


def decoder():
    return UPSTREAM.decoder(LIMIT, {})


def event(name, body):
    return f"event:{name}\ndata:{json.dumps(body, ensure_ascii=False)}\n\n".encode()


def message(state, content, **more):
    said = {
        "id": "m1",
        "role": "assistant",
        "type": "answer",
        "content": content,
        "content_type": "text",
        **more,
    }
    return event(f"conversation.message.{state}", said)


def chat(state, **more):
    said = {
        "id": "chat1",
        "conversation_id": "conv1",
        "last_error": {"code": 0, "msg": ""},
        "status": state,
        **more,
    }
    return event(f"conversation.chat.{state}", said)


BEGIN = chat("created", usage={"token_count": 0, "output_count": 0, "input_count": 0}) + chat(
    "in_progress"
)
COUNTS = {"token_count": 5, "output_count": 2, "input_count": 3}
END = chat("completed", usage=COUNTS) + b'event:done\ndata:"[DONE]"\n\n'
OWN = (
    BEGIN
    + message("delta", "", reasoning_content="hm")
    + message("delta", "Hé")
    + message("delta", "llo")
    + message("completed", "Héllo")
    + END
)
CALLS = [
    {
        "id": f"t{n}",
        "type": "function",
        "function": {"name": "weather", "arguments": f'{{"n":{n}}}'},
    }
    for n in (1, 2)
]
ACTION = chat(
    "requires_action",
    required_action={"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": CALLS}},
    usage=COUNTS,
)


@needs_recordings
@pytest.mark.parametrize("row", facts("coze"), ids=lambda row: row["file"])
def test_the_sdks_samples(row):
    """Text, finish, usage and error are those of the sample, however it is cut."""
    events = same_however_cut(decoder, recording_bytes(row))
    answer = folded(events)
    if row["file"] == SPLICED:
        assert row["text"].startswith(answer.text())
        assert answer.text().endswith('怕坐不下！"}')
        assert (str(row["error"]["error_code"]), row["error"]["error_message"]) == (
            answer.error.code,
            answer.error.message,
        )
    else:
        assert (row["text"], row["finish"], "stop") == (
            answer.text(),
            answer.finish.raw,
            answer.finish.reason,
        )
        assert Usage(row["usage"]["input_count"], row["usage"]["output_count"]) == answer.usage
        assert [
            {"chat_id": "7382159487131697202", "conversation_id": "7381473525342978089"}
        ] == told(events)


def test_a_chat():
    """Reasoning and text; the whole message at the end is not said twice; the zeros at the start
    count nothing."""
    events = same_however_cut(decoder, OWN)
    answer = folded(events)
    assert ("Héllo", "hm", "completed", Usage(3, 2)) == (
        answer.text(),
        answer.reasoning(),
        answer.finish.raw,
        answer.usage,
    )


def test_either_spacing():
    """`event:x` and `event: x` both occur, and so does CRLF."""
    spaced = OWN.replace(b"event:", b"event: ").replace(b"data:", b"data: ").replace(b"\n", b"\r\n")
    assert same_however_cut(decoder, OWN) == same_however_cut(decoder, spaced)


def test_a_message_without_deltas():
    """Some are only told whole."""
    body = (
        BEGIN
        + message("delta", "a", id="m0")
        + message("completed", "a", id="m0")
        + message("completed", "b")
        + END
    )
    assert "ab" == folded(same_however_cut(decoder, body)).text()


def test_what_the_bot_does_itself_is_told():
    """Its plugins' calls, its suggestions and its cards are neither text nor calls for the
    client."""
    extras = [
        message("completed", "{}", type=kind)
        for kind in ("function_call", "tool_response", "verbose", "follow_up")
    ]
    card = message("delta", "{}", content_type="card")
    audio = event("conversation.audio.delta", {"content": "AAAA", "content_type": "audio"})
    events = same_however_cut(
        decoder, BEGIN + b"".join(extras) + card + audio + message("delta", "a") + END
    )
    assert ("a", []) == (folded(events).text(), folded(events).tool_calls())
    assert 6 == sum("event" in said for said in told(events))


@pytest.mark.parametrize("end", [b"", b'event:done\ndata:"[DONE]"\n\n'])
def test_the_clients_tools(end):
    """Calls come whole; the stream ends and waits for their results."""
    answer = folded(same_however_cut(decoder, BEGIN + ACTION + end))
    assert ("tool_calls", "requires_action", Usage(3, 2)) == (
        answer.finish.reason,
        answer.finish.raw,
        answer.usage,
    )
    assert [("t1", "weather", '{"n":1}'), ("t2", "weather", '{"n":2}')] == [
        (c.tool.id, c.tool.name, c.text) for c in answer.tool_calls()
    ]


def test_a_chat_that_is_called_off():
    """Is no answer that ended by itself."""
    answer = folded(same_however_cut(decoder, BEGIN + message("delta", "a") + chat("canceled")))
    assert ("other", "canceled") == (answer.finish.reason, answer.finish.raw)


@pytest.mark.parametrize(
    ("frame", "code", "status"),
    [
        (chat("failed", last_error={"code": 4013, "msg": "too fast"}), "4013", 429),
        (event("error", {"code": 4100, "msg": "token"}), "4100", 401),
        (event("error", {"code": 5000, "msg": "inner"}), "5000", 502),
        (event("error", "no object"), None, 502),
        (event("Error", {"error_code": 4000, "error_message": "parameter"}), "4000", 400),
        (chat("failed", last_error=None), None, 502),
    ],
)
def test_failures_in_the_stream(frame, code, status):
    """Each has its code, and the status that it stands for."""
    events = same_however_cut(
        decoder, BEGIN + message("delta", "a") + frame + message("delta", "b")
    )
    error = events[-1].error
    assert ("a", "upstream_error", code, status) == (
        folded(events).text(),
        error.kind,
        error.code or None,
        error.status,
    )


def test_a_workflow_that_asks_back():
    """Its question is the answer; what it waits for is told."""
    body = event("Message", {"content": "Which city?", "content_type": "text"}) + event(
        "Interrupt", {"interrupt_data": {"event_id": "e"}}
    )
    events = same_however_cut(
        decoder, body + b"event: PING\ndata: {}\n\n" + event("Done", {"debug_url": "x"})
    )
    answer = folded(events)
    assert ("Which city?", "other", "Interrupt") == (
        answer.text(),
        answer.finish.reason,
        answer.finish.raw,
    )
    assert {"interrupt_data": {"event_id": "e"}} == told(events)[0]["data"]


def test_a_workflows_end():
    """`Done` is all that it says."""
    assert (
        "stop"
        == folded(
            same_however_cut(decoder, event("Message", {"content": "a"}) + event("Done", {}))
        ).finish.reason
    )


@pytest.mark.parametrize(
    "name", ["conversation.message.delta", "conversation.message.completed", "Message"]
)
def test_a_frame_that_is_no_object_is_malformed(name):
    error = same_however_cut(decoder, BEGIN + event(name, 5))[-1].error
    assert "upstream_malformed" == error.kind


def test_a_call_without_a_function_is_none():
    """So is a step without a text."""
    action = {"submit_tool_outputs": {"tool_calls": [{"id": "t0"}, CALLS[0]]}}
    body = (
        BEGIN + event("Message", {"content": ""}) + chat("requires_action", required_action=action)
    )
    answer = folded(same_however_cut(decoder, body))
    assert ("", ["t1"]) == (answer.text(), [call.tool.id for call in answer.tool_calls()])


def test_every_cut_is_an_error():
    """Until the chat says that it is completed; `done` adds nothing."""
    every_cut_is_an_error(
        decoder, BEGIN + message("delta", "a") + chat("completed")[: -len(b"}\n\n")]
    )


def test_json_in_place_of_a_stream():
    """Coze refuses under HTTP 200."""
    error = decode(decoder(), [b'{"code":4100,"msg":"authentication is invalid"}'])[-1].error
    assert ("4100", 401, "authentication is invalid") == (error.code, error.status, error.message)


@unhurried
@given(spoiled([OWN, BEGIN + ACTION, event("Message", {"content": "é"}) + event("Done", {})]))
def test_garbage_never_raises(body):
    """Whatever comes, the grammar is kept and there is one end."""
    assert isinstance(decode(decoder(), [body])[-1], StreamEnd | StreamError)
