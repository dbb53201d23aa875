"""What is asked of Coze, and its errors."""

import json

import pytest

from proxy.dialects.coze import DIALECT
from proxy.errors import Refused
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tests.dialects.answers import asked, params, target

UPSTREAM = DIALECT.upstream
RESULT = Message("tool", [ToolResultPart("t1", "21 degrees")])
CALLED = [
    Message("user", "Weather?"),
    Message("assistant", [ReasoningPart("hm"), ToolCallPart("t1", "weather", "{}")]),
    RESULT,
]


def built(request, **options):
    outgoing = UPSTREAM.build_request(request, target(**options))
    return outgoing, json.loads(outgoing.body)


def turns(body):
    return [(turn["role"], turn["type"], turn["content"]) for turn in body["additional_messages"]]


def test_a_chat():
    """The model is the bot; earlier turns are messages of their own; the system text stands
    first."""
    outgoing, body = built(
        asked("One?", "1", "Two?", system="Be brief.", user="u", metadata={"k": "v"}), api_key="pat"
    )
    assert ("/v3/chat", "Bearer pat") == (outgoing.path, outgoing.headers["Authorization"])
    assert ("theirs", "u", True, {"k": "v"}) == (
        body["bot_id"],
        body["user_id"],
        body["stream"],
        body["meta_data"],
    )
    assert [
        ("user", "question", "Be brief."),
        ("user", "question", "One?"),
        ("assistant", "answer", "1"),
        ("user", "question", "Two?"),
    ] == turns(body)
    assert {"system"} == params(outgoing.notes)


def test_a_user_is_insisted_on():
    outgoing, body = built(asked("Hi"), user="op")
    assert ("op", {"user"}) == (body["user_id"], params(outgoing.notes))


def test_a_conversation_that_coze_keeps():
    """Only the newest turn goes; the id is part of the address."""
    request = ChatRequest(
        model="m",
        messages=asked("One?", "1", "Two?").messages,
        vendor={"conversation_id": "a/b", "chat_id": "c"},
        user="u",
    )
    outgoing, body = built(request)
    assert "/v3/chat?conversation_id=a%2Fb" == outgoing.path
    assert [("user", "question", "Two?")] == turns(body)
    assert {"messages"} == params(outgoing.notes)
    assert not {"conversation_id", "chat_id"} & body.keys()


def test_results_go_back_to_the_chat_that_waits():
    request = ChatRequest(
        model="m", messages=CALLED, vendor={"conversation_id": "a", "chat_id": "c"}
    )
    outgoing, body = built(request)
    assert "/v3/chat/submit_tool_outputs?conversation_id=a&chat_id=c" == outgoing.path
    assert {
        "tool_outputs": [{"tool_call_id": "t1", "output": "21 degrees"}],
        "stream": True,
    } == body


def test_results_without_their_chat_are_text():
    """Which is said, with the way to do better."""
    outgoing, body = built(ChatRequest(model="m", messages=CALLED, user="u"))
    assert ("user", "question", "21 degrees") == turns(body)[-1]
    assert {"messages.tool_result", "messages.tool_call", "messages.reasoning"} == params(
        outgoing.notes
    )


def test_images_go_by_address():
    request = ChatRequest(
        model="m",
        user="u",
        messages=[
            Message(
                "user",
                [
                    TextPart("See"),
                    ImagePart("https://x/i.png"),
                    ImagePart("data:image/png;base64,AA=="),
                ],
            )
        ],
    )
    outgoing, body = built(request)
    (turn,) = body["additional_messages"]
    assert "object_string" == turn["content_type"]
    assert [
        {"type": "text", "text": "See"},
        {"type": "image", "file_url": "https://x/i.png"},
    ] == json.loads(turn["content"])
    assert {"messages.image_url"} == params(outgoing.notes)


def test_a_workflow():
    """The model is the workflow; the prompt is one of its parameters."""
    outgoing, body = built(
        asked("Hi", user="u"), workflow=True, input="topic", parameters={"tone": "dry"}
    )
    assert "/v1/workflow/stream_run" == outgoing.path
    assert {"workflow_id": "theirs", "parameters": {"tone": "dry", "topic": "Hi"}} == body


def test_what_a_bot_decides_cannot_be_asked_for():
    """Each is a note; the vendor's own keys go through."""
    outgoing, body = built(
        asked("Hi", temperature=0.5, seed=1, user="u", vendor={"auto_save_history": True})
    )
    assert {"temperature", "seed"} == params(outgoing.notes)
    assert body["auto_save_history"] is True


@pytest.mark.parametrize("options", [{}, {"workflow": True}])
def test_nothing_to_ask(options):
    with pytest.raises(Refused) as refused:
        built(ChatRequest(model="m", messages=[Message("assistant", "Hi")]), **options)
    assert "messages" == refused.value.failure.param


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"code":4100,"msg":"authentication is invalid"}', ("upstream_error", 401, "4100")),
        (200, b'{"code":4000,"msg":"bot_id"}', ("upstream_error", 400, "4000")),
        (429, b'{"code":4009,"msg":"busy"}', ("rate_limited", 429, "4009")),
        (502, b"<html>", ("upstream_status", 502, None)),
    ],
)
def test_errors_before_the_stream(status, body, expected):
    """Mostly under HTTP 200."""
    found = UPSTREAM.parse_error(status, {}, body)
    assert expected == (found.kind, found.status, found.code or None)


@pytest.mark.parametrize(
    "body", [b'{"code":0,"msg":"","data":{}}', b'{"data":{}}', b"event:done\n"]
)
def test_an_answer_is_no_error(body):
    assert UPSTREAM.parse_error(200, {}, body) is None
