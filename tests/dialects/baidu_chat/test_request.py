import json

import pytest

from proxy.dialects.baidu_chat import DIALECT
from proxy.errors import Refused
from proxy.request import ChatRequest, ImagePart, Message, Reasoning, TextPart
from tests.dialects.answers import asked, params, posted, target

UPSTREAM, CLIENT = DIALECT.upstream, DIALECT.client


def built(request, **options):
    out = UPSTREAM.build_request(request, target(**options))
    return out, json.loads(out.body)


def test_2026_is_the_default():
    """The prompt in message.query, the model among the search settings, its turn fixed."""
    out, body = built(asked("hi"))
    message = body["message"]
    assert ("/aichat/api/conversation", "bkb", "csaitab", 1) == (
        out.path,
        body["sa"],
        body["setype"],
        body["rank"],
    )
    assert [
        {"type": "TEXT", "data": {"text": {"query": "hi", "extData": "{}", "text_type": ""}}}
    ] == message["query"]
    assert "" == message["content"]["query"]
    assert {
        "modelName": "theirs",
        "modelFunction": {"deepSearch": "0", "thinkMode": "0"},
    } == message["searchInfo"]["usedModel"]


def test_2023():
    """The post's body: the prompt in message.content, three ids."""
    out, body = built(asked("hi"), generation="2023", session_id="S", aisearch_id="1", pv_id="2")
    assert ("hi", 0) == (body["message"]["content"]["query"], body["message"]["content"]["qtype"])
    assert ("S", "1", "2", False) == (
        body["sessionId"],
        body["aisearchId"],
        body["pvId"],
        body["newTopic"],
    )
    assert () == out.notes


@pytest.mark.parametrize("generation", ["2023", "2026"])
def test_nothing_is_minted(generation):
    """Without the operator's values every id and token is empty and there is no cookie."""
    out, body = built(asked("hi"), generation=generation)
    assert {"Content-Type", "Accept"} == out.headers.keys()
    if generation == "2023":
        assert ["", "", ""] == [body["sessionId"], body["aisearchId"], body["pvId"]]
    else:
        search = body["message"]["searchInfo"]
        assert ["", ""] == [search["ori_lid"], search["chatParams"]["chat_token"]]


def test_the_operators_values_go_up():
    """Cookie, token, conversation, modes."""
    out, body = built(
        asked("hi"), cookie="BDUSS=x", chat_token="T", ori_lid="L", deep_search=True, think=True
    )
    search = body["message"]["searchInfo"]
    assert ("BDUSS=x", "T", "L") == (
        out.headers["Cookie"],
        search["chatParams"]["chat_token"],
        search["ori_lid"],
    )
    assert {"deepSearch": "1", "thinkMode": "1"} == search["usedModel"]["modelFunction"]


@pytest.mark.parametrize(("effort", "mode"), [("none", "0"), ("low", "1"), (None, "1")])
def test_thinking_is_on_or_off(effort, mode):
    """And that this is less than was asked is noted."""
    out, body = built(asked("hi", reasoning=Reasoning(effort=effort)))
    assert mode == body["message"]["searchInfo"]["usedModel"]["modelFunction"]["thinkMode"]
    assert {"reasoning"} == params(out.notes)


def test_pictures_of_the_newest_turn_go_up():
    """Those of earlier turns are noted as lost."""
    picture = ImagePart("https://x.test/a.png")
    turn = Message("user", [TextPart("what?"), picture])
    out, body = built(ChatRequest(model="m", messages=[turn]))
    assert {"type": "IMAGE", "data": {"image": {"url": picture.url}}} == body["message"]["query"][1]
    assert () == out.notes
    out, _ = built(
        ChatRequest(model="m", messages=[turn, Message("assistant", "a"), Message("user", "b")])
    )
    assert {"messages", "messages.image_url"} == params(out.notes)


def test_a_talk_is_written_into_the_prompt():
    """The vendor keeps it under ids that are not ours."""
    out, body = built(asked("a", "b", "c", seed=1), generation="2023")
    assert "User: a\n\nAssistant: b\n\nUser: c" == body["message"]["content"]["query"]
    assert {"messages", "seed"} == params(out.notes)


def test_an_unknown_generation_is_refused():
    """The sentence says which there are."""
    with pytest.raises(Refused) as refused:
        built(asked("a"), generation="2030")
    assert "2023 or 2026" in refused.value.failure.message


def parsed(body):
    return CLIENT.parse_request(posted(json.dumps(body).encode()))


def test_a_page_of_2023():
    """It names no model."""
    got = parsed(
        {
            "message": {"inputMethod": "keyboard", "content": {"query": "hi", "qtype": 0}},
            "sessionId": "x",
        }
    )
    assert ("baidu_chat", "hi", "2023", ()) == (
        got.request.model,
        got.request.last_user_text,
        got.options.generation,
        got.notes,
    )


def test_what_we_send_we_also_take():
    """In addition: a 2026 request with a picture and thinking, read by our client half; what is
    lost is noted."""
    turn = Message("user", [TextPart("what?"), ImagePart("https://x.test/a.png")])
    _, body = built(
        ChatRequest(model="m", messages=[turn]), think=True, deep_search=True, ori_lid="L"
    )
    got = parsed(body)
    assert ([turn], "theirs", "2026") == (
        got.request.messages,
        got.request.model,
        got.options.generation,
    )
    assert "medium" == got.request.reasoning.effort
    assert {"ori_lid", "deepSearch"} == params(got.notes)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "message"),
        ({"message": 5}, "message"),
        ({"message": {"content": {"query": ""}}}, "message.content.query"),
        ({"message": {"query": []}}, "message.query"),
        (
            {"message": {"query": [{"data": {"text": {"query": 5}}}]}},
            "message.query[0].data.text.query",
        ),
    ],
)
def test_a_bad_request_names_its_field(body, param):
    """In one sentence."""
    with pytest.raises(Refused) as refused:
        parsed(body)
    assert ("bad_request", param) == (refused.value.failure.kind, refused.value.failure.param)
