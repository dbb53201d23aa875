"""What is asked of Dify, what its clients ask, and its errors."""

import json

import pytest

from proxy.dialects.dify import DIALECT
from proxy.errors import Refused, failure
from proxy.request import ChatRequest, ImagePart, Message, TextPart
from tests.dialects.answers import asked, params, posted, target

CLIENT, UPSTREAM = DIALECT.client, DIALECT.upstream


def built(request, **options):
    outgoing = UPSTREAM.build_request(request, target(**options))
    return outgoing, json.loads(outgoing.body)


def parsed(**body):
    return CLIENT.parse_request(posted(json.dumps({"query": "Hi", "user": "u", **body}).encode()))


def test_one_question():
    """The key chooses the app, a user is insisted on, and no name is wanted for the
    conversation."""
    outgoing, body = built(asked("Hi"), api_key="app-1")
    assert ("/chat-messages", "Bearer app-1") == (outgoing.path, outgoing.headers["Authorization"])
    expected = {
        "query": "Hi",
        "inputs": {},
        "response_mode": "streaming",
        "user": "mainstem",
        "conversation_id": "",
        "auto_generate_name": False,
    }
    assert expected == body
    assert {"user"} == params(outgoing.notes)


def test_a_talk_is_written_into_the_question():
    """Unless Dify remembers it."""
    request = asked("One?", "1", "Two?", system="Be brief.", user="u")
    outgoing, body = built(request)
    assert "Be brief.\n\nUser: One?\n\nAssistant: 1\n\nUser: Two?" == body["query"]
    assert {"messages", "system"} == params(outgoing.notes)
    outgoing, body = built(
        ChatRequest(model="m", messages=request.messages, vendor={"conversation_id": "c1"})
    )
    assert ("Two?", "c1") == (body["query"], body["conversation_id"])


@pytest.mark.parametrize(
    ("app", "path"), [("completion", "/completion-messages"), ("workflow", "/workflows/run")]
)
def test_apps_that_take_variables(app, path):
    """The prompt is one of them."""
    outgoing, body = built(asked("Hi"), app=app, input="topic", inputs={"tone": "dry"}, user="op")
    assert (path, {"tone": "dry", "topic": "Hi"}, "op") == (
        outgoing.path,
        body["inputs"],
        body["user"],
    )
    assert not {"query", "conversation_id"} & body.keys()


def test_images_go_by_address():
    """Data would have to be uploaded first, which is said."""
    request = ChatRequest(
        model="m",
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
    assert [{"type": "image", "transfer_method": "remote_url", "url": "https://x/i.png"}] == body[
        "files"
    ]
    assert "messages.image_url" in params(outgoing.notes)


def test_what_an_app_decides_cannot_be_asked_for():
    """Each is a note; the vendor's own keys go through."""
    request = asked(
        "Hi", temperature=0.5, max_tokens=5, stop=["x"], user="u", vendor={"workflow_id": "w"}
    )
    outgoing, body = built(request)
    assert {"temperature", "max_tokens", "stop"} == params(outgoing.notes)
    assert "w" == body["workflow_id"]


def test_wrong_options_are_the_operators():
    with pytest.raises(Refused) as refused:
        built(asked("Hi"), app="bot")
    assert "internal" == refused.value.failure.kind


def test_nothing_to_ask():
    with pytest.raises(Refused) as refused:
        built(ChatRequest(model="m", messages=[Message("assistant", "Hi")]))
    assert "messages" == refused.value.failure.param


def test_a_clients_question():
    """Only `response_mode: streaming` streams, as at Dify; the model comes from us."""
    request = parsed(response_mode="streaming").request
    assert ([Message("user", "Hi")], "u", True, "dify") == (
        request.messages,
        request.user,
        request.stream,
        request.model,
    )
    assert not parsed().request.stream
    assert "fast" == parsed(model="fast").request.model
    assert (
        "slow"
        == CLIENT.parse_request(posted(b'{"query":"a"}', query={"model": "slow"})).request.model
    )


def test_a_clients_images():
    """By address; an uploaded file is not ours to read."""
    files = [
        {"type": "image", "transfer_method": "remote_url", "url": "https://x/i.png"},
        {"type": "image", "transfer_method": "local_file", "upload_file_id": "f"},
    ]
    got = parsed(files=files)
    assert [TextPart("Hi"), ImagePart("https://x/i.png")] == got.request.messages[0].content
    assert {"files"} == params(got.notes)


def test_a_clients_losses_are_noted():
    """What Dify would have kept, and what nobody knows."""
    got = parsed(
        inputs={"a": 1},
        conversation_id="c",
        workflow_id="w",
        trace_id="t",
        parent_message_id="p",
        strange=1,
    )
    assert {
        "inputs",
        "conversation_id",
        "workflow_id",
        "trace_id",
        "parent_message_id",
        "unknown_key",
    } == params(got.notes)
    assert "c" == got.options


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"user":"u"}', "query"),
        (b'{"query":""}', "query"),
        (b'{"query":5}', "query"),
        (b'{"query":"a","response_mode":"fast"}', "response_mode"),
        (
            b'{"query":"a","files":[{"type":"image","transfer_method":"remote_url"}]}',
            "files[0].url",
        ),
        (b'{"query":"a","files":[{"type":"image"}]}', "files[0].transfer_method"),
    ],
)
def test_a_wrong_question_is_refused_by_name(body, param):
    with pytest.raises(Refused) as refused:
        CLIENT.parse_request(posted(body))
    assert param == refused.value.failure.param


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (
            400,
            b'{"code": "provider_quota_exceeded", "message": "No quota", "status": 400}',
            "bad_request",
            "provider_quota_exceeded",
        ),
        (
            401,
            b'{"code": "unauthorized", "message": "Access token is invalid", "status": 401}',
            "upstream_status",
            "unauthorized",
        ),
        (
            404,
            b'{"code": "not_found", "message": "Conversation Not Exists.", "status": 404}',
            "model_not_found",
            "not_found",
        ),
        (
            429,
            b'{"code": "too_many_requests", "message": "Too many", "status": 429}',
            "rate_limited",
            "too_many_requests",
        ),
        (502, b"<html>bad gateway</html>", "upstream_status", None),
    ],
)
def test_errors_before_the_stream(status, body, kind, code):
    """With Dify's own word for each, where there is one."""
    found = UPSTREAM.parse_error(status, {}, body)
    assert (kind, code) == (found.kind, found.code or None)


def test_an_answer_is_no_error():
    assert UPSTREAM.parse_error(200, {}, b'{"event": "message", "answer": "hi"}') is None
    assert UPSTREAM.parse_error(200, {}, b"data: {}\n\n") is None


def test_an_error_for_a_client():
    """In Dify's shape and with its status; a code of Dify's own goes through."""
    reply = CLIENT.render_error(failure("rate_limited", "slow down", retry_after_s=7))
    assert (429, {"code": "too_many_requests", "message": "slow down", "status": 429}) == (
        reply.status,
        json.loads(reply.body),
    )
    assert "7" == reply.headers["retry-after"]
    for code, expected in (
        ("provider_quota_exceeded", "provider_quota_exceeded"),
        ("another vendor's", "internal_server_error"),
    ):
        assert (
            expected
            == json.loads(CLIENT.render_error(failure("upstream_error", "x", code=code)).body)[
                "code"
            ]
        )
