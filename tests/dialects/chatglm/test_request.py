import json

import pytest

from proxy.dialects.chatglm import DIALECT
from proxy.errors import Refused
from proxy.request import ChatRequest, Message
from tests.dialects.answers import asked, params, posted, target

UPSTREAM, CLIENT = DIALECT.upstream, DIALECT.client


def built(request, **options):
    out = UPSTREAM.build_request(request, target(**options))
    return out, json.loads(out.body)


def test_earlier_turns_are_pairs():
    """The report server's three fields, all of which it demands."""
    out, body = built(asked("a", "b", "c"), data=[1])
    assert ("/data", {"query": "c", "history": [["a", "b"]], "data": [1]}) == (out.path, body)
    assert () == out.notes


def test_turns_of_one_side_in_a_row_become_one():
    """The vendor knows only question and answer; the system text stands before the first
    question."""
    roles = [
        ("user", "a"),
        ("user", "b"),
        ("assistant", "c"),
        ("assistant", "d"),
        ("tool", "e"),
        ("user", "f"),
    ]
    request = ChatRequest(
        model="m", messages=[Message(role, text) for role, text in roles], system="s"
    )
    out, body = built(request)
    assert ([["s\na\nb", "c\nd"]], "e\nf") == (body["history"], body["query"])
    assert {"system"} == params(out.notes)


def test_a_talk_that_the_assistant_opens():
    """Its question is empty."""
    request = ChatRequest(model="m", messages=[Message("assistant", "hello"), Message("user", "a")])
    assert [["", "hello"]] == built(request)[1]["history"]


def test_a_last_turn_of_the_assistant_is_left_out():
    """The vendor answers questions, it does not go on writing."""
    out, body = built(asked("a", "b", "c", "d"))
    assert ("c", [["a", "b"]], {"messages"}) == (body["query"], body["history"], params(out.notes))


def test_without_a_question_it_is_refused():
    """There is nothing to answer."""
    with pytest.raises(Refused) as refused:
        built(ChatRequest(model="m", messages=[Message("assistant", "x")]))
    assert "messages" == refused.value.failure.param


def test_the_report_server_takes_no_settings():
    """They are noted as lost."""
    out, _ = built(asked("a", max_tokens=5, temperature=0.5, top_p=0.9, seed=1))
    assert {"max_tokens", "temperature", "top_p", "seed"} == params(out.notes)


def test_api_py():
    """Its path, its words; what max_length counts is noted."""
    out, body = built(asked("a", max_tokens=5, temperature=0.5, seed=1), api=True)
    assert ("/", {"prompt": "a", "history": [], "max_length": 5, "temperature": 0.5}) == (
        out.path,
        body,
    )
    assert {"max_tokens", "seed"} == params(out.notes)


def parsed(body, **more):
    return CLIENT.parse_request(posted(json.dumps(body).encode(), **more))


def test_the_posts_page():
    """Its three fields, and nothing is lost."""
    got = parsed({"query": "c", "history": [["a", "b"]], "data": []})
    turns = [("user", "a"), ("assistant", "b"), ("user", "c")]
    assert turns == [(turn.role, turn.text) for turn in got.request.messages]
    assert ("chatglm", True, ()) == (got.request.model, got.request.stream, got.notes)


def test_data_is_said_as_json():
    """The server would write it into its prompt; the page's empty query stays possible with it."""
    got = parsed({"query": "report", "history": [], "data": [{"销售额": 5}]})
    assert 'report\n\n[{"销售额":5}]' == got.request.last_user_text
    assert {"data"} == params(got.notes)
    assert "[1]" == parsed({"query": "", "data": [1]}).request.last_user_text


def test_settings_and_model():
    """api.py's words, and a model from the body or the query."""
    got = parsed(
        {
            "query": "a",
            "max_length": 9,
            "temperature": 0.5,
            "top_p": 0.9,
            "model": "x",
            "stream": False,
            "wat": 1,
        }
    )
    request = got.request
    assert (9, 0.5, 0.9, "x", False) == (
        request.max_tokens,
        request.temperature,
        request.top_p,
        request.model,
        request.stream,
    )
    assert {"unknown_key"} == params(got.notes)
    assert "y" == parsed({"query": "a"}, query={"model": "y"}).request.model


def test_an_empty_query_is_a_greeting():
    """The report server takes a line of its own for it."""
    got = parsed({"query": "", "history": [], "data": []})
    assert "你好" == got.request.last_user_text
    assert {"query"} == params(got.notes)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "query"),
        ({"query": 5}, "query"),
        ({"query": "a", "history": "x"}, "history"),
        ({"query": "a", "history": [["a"]]}, "history[0]"),
        ({"query": "a", "history": [["a", 5]]}, "history[0][1]"),
    ],
)
def test_a_bad_request_names_its_field(body, param):
    """In one sentence."""
    with pytest.raises(Refused) as refused:
        parsed(body)
    assert ("bad_request", param) == (refused.value.failure.kind, refused.value.failure.param)


@pytest.mark.parametrize(
    ("body", "mine"),
    [(b'{"query":"x"}', True), (b'{"prompt":"x"}', False), (b"", False), (b"[", False)],
)
def test_which_requests_on_a_shared_path_are_ours(body, mine):
    """Those with a query."""
    assert mine is CLIENT.claims(posted(body))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, b'{"detail":[{"loc":["body","data"],"msg":"Field required"}]}', "bad_request"),
        (500, b"", "upstream_status"),
        (200, b'{"detail":"x"}', "upstream_error"),
    ],
)
def test_upstream_errors(status, body, kind):
    """The framework's own form, or nothing at all."""
    assert kind == UPSTREAM.parse_error(status, {}, body).kind
    assert UPSTREAM.parse_error(200, {}, b'{"response":"x"}') is None
