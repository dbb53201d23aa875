import json

import pytest

from proxy.dialects.yiyan import DIALECT
from proxy.errors import Refused
from tests.dialects.answers import asked, params, posted, target

UPSTREAM, CLIENT = DIALECT.upstream, DIALECT.client


def built(request, **options):
    out = UPSTREAM.build_request(request, target(**options))
    return out, json.loads(out.body)


def test_a_first_turn():
    """The prompt is the text, and the conversation's name; nothing is minted."""
    out, body = built(asked("hi"))
    assert "/eb/chat/conversation/v2" == out.path
    expected = {
        "text": "hi",
        "sessionName": "hi",
        "sessionId": "",
        "parentChatId": "0",
        "model": "theirs",
        "sign": "",
        "timestamp": 0,
        "type": 10,
    }
    assert expected.items() <= body.items()
    assert {"Content-Type", "Accept", "device-type"} == out.headers.keys()
    assert () == out.notes


def test_the_operators_values_go_up():
    """Cookie, token, signature and the time that it was made for."""
    out, body = built(asked("hi"), cookie="c", acs_token="t", sign="s", timestamp=5)
    assert ("c", "t", "s", 5) == (
        out.headers["Cookie"],
        out.headers["Acs-Token"],
        body["sign"],
        body["timestamp"],
    )


def test_a_conversation_that_the_vendor_keeps():
    """Then only the newest turn goes up; without one the turns are written into the prompt."""
    out, body = built(asked("a", "b", "c"), session_id="S", parent_chat_id="P")
    assert ("c", "S", "P", {"messages"}) == (
        body["text"],
        body["sessionId"],
        body["parentChatId"],
        params(out.notes),
    )
    assert "User: a\n\nAssistant: b\n\nUser: c" == built(asked("a", "b", "c"))[1]["text"]


def test_settings_are_noted_as_lost():
    """Yiyan can be told the model and nothing else."""
    assert {"top_p", "user"} == params(built(asked("a", top_p=0.5, user="u"))[0].notes)


def parsed(body):
    return CLIENT.parse_request(posted(json.dumps(body).encode()))


def test_what_we_send_we_also_take():
    """In addition: our own request, read by our client half."""
    got = parsed(built(asked("hi"))[1])
    assert ("hi", "theirs", ()) == (got.request.last_user_text, got.request.model, got.notes)


def test_what_cannot_be_done_here_is_noted():
    """A conversation kept elsewhere, files, plugins."""
    got = parsed({"text": "hi", "sessionId": "S", "file_ids": [1], "plugins": [{}]})
    assert ("yiyan", {"sessionId", "file_ids", "plugins"}) == (got.request.model, params(got.notes))


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": 5}])
def test_the_text_must_be_there(body):
    """The refusal names the field."""
    with pytest.raises(Refused) as refused:
        parsed(body)
    assert ("bad_request", "text") == (refused.value.failure.kind, refused.value.failure.param)
