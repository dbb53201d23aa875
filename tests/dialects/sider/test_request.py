import json

import pytest

from proxy.dialects.sider import DIALECT
from proxy.errors import Refused
from tests.dialects.answers import asked, params, posted, target

UPSTREAM, CLIENT = DIALECT.upstream, DIALECT.client


def built(request, **options):
    out = UPSTREAM.build_request(request, target(**options))
    return out, json.loads(out.body)


def test_v1_is_what_the_post_shows():
    """The eight fields of its request, and prompt_key."""
    out, body = built(asked("hi"), api_key="jwt")
    assert "/api/v1/completion/text" == out.path
    assert body == {
        "prompt": "hi",
        "stream": True,
        "app_name": "ChitChat_Edge_Ext",
        "app_version": "2.4.0",
        "tz_name": "Asia/Hong_Kong",
        "cid": "",
        "model": "theirs",
        "from": "ask",
        "prompt_key": "custom",
    }
    assert "Bearer jwt" == out.headers["Authorization"]
    assert () == out.notes


@pytest.mark.parametrize(
    ("generation", "path", "has", "has_not"),
    [
        (
            "v2",
            "/api/v2/completion/text",
            {"search", "files", "app_name"},
            {"prompt_key", "branch"},
        ),
        (
            "v3",
            "/api/v3/completion/text",
            {"prompt_templates", "branch", "app_name"},
            {"prompt_key"},
        ),
        (
            "chat",
            "/api/chat/v1/completions",
            {"multi_content", "prompt_templates"},
            {"prompt", "app_name"},
        ),
    ],
)
def test_later_generations(generation, path, has, has_not):
    """Each on its own path, in its own words."""
    out, body = built(asked("hi"), generation=generation, app_name="Mine")
    assert (path, "chat") == (out.path, body["from"])
    assert has <= body.keys()
    assert not has_not & body.keys()
    assert "Mine" == (body.get("app_name") or out.headers["X-App-Name"])


def test_chat_says_the_prompt_in_parts():
    """`text` and what was typed are the same."""
    _, body = built(asked("hi"), generation="chat")
    assert [{"type": "text", "text": "hi", "user_input_text": "hi"}] == body["multi_content"]


def test_nothing_is_minted():
    """No key, no Authorization; no cookie and no id but the operator's."""
    out, body = built(asked("hi"))
    assert {"Content-Type", "Accept"} == out.headers.keys()
    assert "" == body["cid"]


def test_a_talk_is_written_into_the_prompt_unless_the_vendor_remembers_it():
    """With a cid only the newest turn goes up."""
    out, body = built(asked("a", "b", "c"))
    assert ("User: a\n\nAssistant: b\n\nUser: c", {"messages"}) == (
        body["prompt"],
        params(out.notes),
    )
    out, body = built(asked("a", "b", "c", vendor={"cid": "C9"}))
    assert ("c", "C9", {"messages"}) == (body["prompt"], body["cid"], params(out.notes))


def test_settings_are_noted_as_lost():
    """Sider can be told the model and nothing else."""
    out, _ = built(asked("a", max_tokens=5, temperature=0.0, stop=["x"], n=2))
    assert {"max_tokens", "temperature", "stop", "n"} == params(out.notes)


def test_an_unknown_generation_is_refused():
    """The sentence says which there are."""
    with pytest.raises(Refused) as refused:
        built(asked("a"), generation="v9")
    assert "v1, v2, v3, chat" in refused.value.failure.message


BODY = {
    "prompt": "hi",
    "stream": True,
    "app_name": "ChitChat_Edge_Ext",
    "app_version": "2.4.0",
    "tz_name": "Asia/Hong_Kong",
    "cid": "",
    "model": "gpt3.5",
    "from": "ask",
}


def parsed(body, **more):
    return CLIENT.parse_request(posted(json.dumps(body).encode(), **more))


def test_the_posts_request():
    """No field of it is lost or strange."""
    got = parsed(BODY, path={"generation": "v1"})
    assert ("gpt3.5", "hi", True, ()) == (
        got.request.model,
        got.request.last_user_text,
        got.request.stream,
        got.notes,
    )


def test_what_we_send_we_also_take():
    """In addition: every generation's request, read by our client half."""
    for generation in ("v1", "v2", "v3", "chat"):
        _, body = built(asked("hi"), generation=generation)
        got = parsed(body, path={} if generation == "chat" else {"generation": generation})
        assert ("theirs", "hi", ()) == (got.request.model, got.request.last_user_text, got.notes)


def test_what_cannot_be_done_here_is_noted():
    """A conversation kept elsewhere, files, tools, pictures, strange keys."""
    more = {"cid": "C1", "files": [{}], "tools": {"auto": ["search"]}, "search": True, "wat": 1}
    assert {"cid", "files", "tools", "search", "unknown_key"} == params(parsed(BODY | more).notes)
    content = [{"type": "text", "user_input_text": "a"}, {"type": "file", "file_id": "x"}]
    got = parsed({"multi_content": content})
    assert ("a", "sider", {"multi_content"}) == (
        got.request.last_user_text,
        got.request.model,
        params(got.notes),
    )


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x", "stream": "yes"}, "stream"),
        ({"multi_content": []}, "multi_content"),
    ],
)
def test_a_bad_request_names_its_field(body, param):
    """In one sentence."""
    with pytest.raises(Refused) as refused:
        parsed(body)
    assert ("bad_request", param) == (refused.value.failure.kind, refused.value.failure.param)


@pytest.mark.parametrize(
    ("body", "mine"),
    [
        (json.dumps(BODY).encode(), True),
        (b'{"prompt":"x"}', False),
        (b'{"query":"x"}', False),
        (b"", False),
        (b"\xff", False),
        (b"[]", False),
    ],
)
def test_which_requests_on_a_shared_path_are_siders(body, mine):
    """Those that say what the page says of itself."""
    assert mine is CLIENT.claims(posted(body))
