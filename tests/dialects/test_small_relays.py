"""Dialects of one prompt over themselves: nothing of a client's request is lost."""

import json
import random
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import NO_RULES, Rules
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from tests.dialects.answers import params
from tests.dialects.requests import mixed


def call(dialect: str, body: dict[str, Any], rules: Rules = NO_RULES, **options: Any) -> Outgoing:
    incoming = Incoming("POST", {}, {}, {}, json.dumps(body).encode())
    request = CLIENTS[dialect].parse_request(incoming).request
    return built(UPSTREAMS[dialect], request, TargetConfig("up", "theirs", "key", options, rules))


def _sider(dice: random.Random) -> dict[str, Any]:
    known = {"cid": "c", "tools": {"auto": ["search"]}, "files": [1], "tz_name": "UTC"}
    return {"prompt": "hi", "model": "theirs", "stream": True, **mixed(dice, known)}


def _chatglm(dice: random.Random) -> dict[str, Any]:
    known = {"max_length": 9, "top_p": 0.5}
    return {"query": "hi", "history": [["a", "b"]], "data": [1, {"a": 2}], **mixed(dice, known)}


def _plain(dice: random.Random) -> dict[str, Any]:
    return {"prompt": "hi", "model": "theirs", "stream": True, **mixed(dice, {})}


def _yiyan(dice: random.Random) -> dict[str, Any]:
    known = {"sessionId": "s", "file_ids": [1], "plugins": [{"a": 1}], "type": 10}
    return {"text": "hi", "model": "theirs", **mixed(dice, known)}


def _baidu_2026(dice: random.Random) -> dict[str, Any]:
    text = {"type": "TEXT", "data": {"text": {"query": "hi", "extData": "{}"}}}
    model = {"modelName": "theirs", "modelFunction": {"deepSearch": "1"}}
    search = {"usedModel": model, "ori_lid": "l", "chatParams": {"chat_token": "t"}}
    message = {"searchInfo": search, "query": [text], "from": "x", **mixed(dice, {})}
    return {"message": message, **mixed(dice, {"sa": "bkb", "rank": 1})}


def _baidu_2023(dice: random.Random) -> dict[str, Any]:
    message = {"content": {"query": "hi", "qtype": 0}, **mixed(dice, {"lastMsgId": "7"})}
    return {"message": message, "sessionId": "s", **mixed(dice, {"newTopic": True})}


_MADE = [
    ("sider", _sider, {}),
    ("chatglm", _chatglm, {}),
    ("plain", _plain, {}),
    ("yiyan", _yiyan, {}),
    ("baidu_chat", _baidu_2026, {}),
    ("baidu_chat", _baidu_2023, {"generation": "2023"}),
]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("dialect", "made", "options"), _MADE)
def test_a_request_arrives_as_it_was_written(
    dialect: str, made: Any, options: dict[str, Any], seed: int
) -> None:
    """Every key, known or not, in its order; the sample has the target's model already."""
    body = made(random.Random(seed))
    sent = call(dialect, body, **options)
    assert (True, ()) == (sent.relayed, sent.notes)
    assert json.dumps(body) == json.dumps(json.loads(sent.body))


def test_what_routing_and_the_operator_decide() -> None:
    """The model, that it streams, the account's own values, what is not let through."""
    asked = {
        "prompt": "hi",
        "stream": False,
        "model": "m",
        "done": "none",
        "x": 1,
        "tz_name": "UTC",
    }
    plain = call("plain", asked, Rules(refuse=("x",)), prompt_key="q")
    assert {"q": "hi", "stream": True, "model": "theirs", "tz_name": "UTC"} == json.loads(
        plain.body
    )
    assert {"refuse"} == params(plain.notes)
    sider = json.loads(call("sider", asked, cid="ours", tz_name="Asia/Tokyo").body)
    assert ("ours", "Asia/Tokyo", True, "theirs") == (
        sider["cid"],
        sider["tz_name"],
        sider["stream"],
        sider["model"],
    )
    glm = json.loads(call("chatglm", {"query": "hi", "model": "m", "stream": True}, data=[1]).body)
    assert {"query": "hi", "history": [], "data": [1]} == glm


def test_the_operators_session_goes_before_a_pages_own() -> None:
    """The model too, and that it streams."""
    page = {"text": "hi", "sessionId": "theirs", "model": "m", "stream": True, "jt": "x"}
    assert {"text": "hi", "sessionId": "ours", "model": "theirs", "jt": "x", "sign": "s"} == (
        json.loads(call("yiyan", page, session_id="ours", sign="s").body)
    )
    old = {"message": {"content": {"query": "hi"}}, "sessionId": "theirs", "stream": True}
    sent = call("baidu_chat", old, generation="2023", session_id="ours", cookie="c")
    assert {**old, "sessionId": "ours"} == {**json.loads(sent.body), "stream": True}
    assert "c" == sent.headers["Cookie"]
    text = {"type": "TEXT", "data": {"text": {"query": "hi"}}}
    new = {"message": {"query": [text], "searchInfo": {"chatParams": {"chat_token": "t", "x": 1}}}}
    sent = call("baidu_chat", new, chat_token="ours", ori_lid="l")
    assert {
        "chatParams": {"chat_token": "ours", "x": 1},
        "usedModel": {"modelName": "theirs"},
        "ori_lid": "l",
    } == json.loads(sent.body)["message"]["searchInfo"]


@pytest.mark.parametrize(
    ("dialect", "body", "options"),
    [
        ("baidu_chat", {"message": {"content": {"query": "hi"}}}, {}),
        ("plain", {"prompt": "hi", "system": "s"}, {}),
        ("plain", {"prompt": "hi"}, {"prompt_key": ""}),
        ("sider", {"prompt": "hi"}, {"generation": "chat"}),
        ("chatglm", {"query": "hi"}, {"api": True}),
    ],
)
def test_another_form_of_body_is_built(dialect: str, body: dict[str, Any], options: Any) -> None:
    """Where the upstream takes another one than the client's."""
    assert not call(dialect, body, **options).relayed
