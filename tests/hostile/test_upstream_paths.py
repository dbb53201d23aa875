"""Where a request goes is the configuration's choice alone: no model's name, path or query of a
client moves it."""

import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from proxy.codec.base import TargetConfig
from proxy.dialects.registry import UPSTREAMS
from proxy.errors import Refused
from proxy.net.paths import checked_path
from proxy.request import ChatRequest, Message
from proxy.upstream.client import Endpoint, Upstreams, _url
from tests.hostile.upstream import Far, good, listening
from tests.properties import examples
from tests.running import Running, running
from tests.samples import SAMPLES

BASE = "/base/v9"
HOSTILE = [
    *(
        "..",
        ".",
        "../",
        "../../admin",
        "a/../../b",
        "..%2fadmin",
        "%2e%2e/admin",
        "%2e%2e%2fadmin",
        "%252e%252e%252fadmin",
        "..%5cadmin",
    ),
    *(
        "..\\admin",
        "a\\..\\..\\b",
        "@evil.example",
        "a@evil.example",
        ":8080",
        "a:8080",
        "//evil.example/x",
        "/etc/passwd",
        "https://evil.example/",
    ),
    *(
        "a?x=1",
        "a?alt=json&key=k",
        "a#b",
        "#",
        "?",
        "a&b=c",
        "a;b",
        "..;/admin",
        "a b",
        " ",
        "a\r\nHost: evil.example",
        "a\nb",
        "a\x00b",
        "\x7f",
        "\t",
    ),
    *(
        "\u2024\u2024/admin",
        "\uff0e\uff0e/admin",
        "\uff0e\uff0e\uff0fadmin",
        "a\u2215b",
        "a\u2044..\u2044b",
        "\u202e",
        "模型",
        "é",
        "\U0001f600",
    ),
    *(
        "a" * 201,
        "a/" * 300,
        "a" * 5000,
        "../" * 200,
        "~",
        "models/../x",
        "tunedModels/../../x",
        "arn:aws:bedrock:us-east-1:1:x/../../y",
        "a/./b",
    ),
    *(
        "a//b",
        "{model}",
        "%",
        "%zz",
        "%00",
        "%0d%0aHost:%20evil",
        "a%2Fb",
        "|",
        '"',
        "<script>",
        "^",
        "`",
    ),
]
MODELS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.lists(
        st.sampled_from(
            [*"./\\%@:?#&;a2efF \r\n\u2024\uff0f", "..", "%2e", "%2F", "%25", "models/"]
        ),
        max_size=12,
    ).map("".join),
)


def path_for(dialect: str, model: str, **request: Any) -> str | None:
    """The path of the request as it goes out; None where it is refused, naming the model."""
    asked = ChatRequest(model=model, messages=[Message("user", "hi")], **request)
    try:
        return checked_path(
            UPSTREAMS[dialect]
            .build_request(asked, TargetConfig("far", "", "key", SAMPLES[dialect].options))
            .path
        )
    except Refused as refused:
        if (400, "model") != (refused.failure.status, refused.failure.param):
            raise
        return None


def plain_name(dialect: str) -> str:
    """A model's name as the vendor has them: where its sample's has a slash, so has this."""
    return "q/q" if "/" in SAMPLES[dialect].model else "qq"


def fixed(dialect: str) -> tuple[str, str]:
    """What stands before and behind a plain name in the path."""
    path = path_for(dialect, plain_name(dialect))
    assert path is not None
    before, _, after = path.partition(plain_name(dialect))
    return before, after


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_which_dialects_name_the_model_in_the_path(dialect: str) -> None:
    """So that the tests below look where there is something to see."""
    plain = path_for(dialect, plain_name(dialect))
    assert plain is not None
    assert bool(SAMPLES[dialect].path_names) == (plain != fixed(dialect)[0])


@pytest.mark.parametrize("dialect", UPSTREAMS)
@given(model=MODELS)
@examples(150)
def test_no_name_of_a_model_leads_elsewhere(dialect: str, model: str) -> None:
    """The address is the base URL, the dialect's own path, and at most the name in its one place,
    which no reader takes for more."""
    path = path_for(dialect, model or "m")
    if path is None:
        return
    before, after = fixed(dialect)
    url = _url(f"https://host.example:444{BASE}", path)
    read = urlsplit(str(url))
    assert ("https", "host.example:444") == (read.scheme, read.netloc)
    assert ("host.example", 444, None, None) == (url.host, url.port, url.user, url.password)
    assert "" == read.fragment
    assert str(url).isascii()
    assert not set(str(url)) & set(" \r\n\t\\")
    if not SAMPLES[dialect].path_names:
        assert before == path
    elif path.startswith(before):
        assert path.endswith(after)
        name = path[len(before) : len(path) - len(after)]
        assert "?" not in name
        assert SAMPLES[dialect].path_names == "slashes" or "/" not in name
        assert not {"..", ".", ""} & set(name.split("/"))
    else:  # forms of the name that have a path of their own
        assert path.startswith(("/v1/predictions", "/v1beta/tunedModels/")), path


@pytest.mark.parametrize(
    "at",
    [
        "/a/../b",
        "/a/%2e%2e/b",
        "/a/..%2fb",
        "/%252e%252e/b",
        "/a\\b",
        "/a b",
        "/a#b",
        "a",
        "@evil",
        "",
        "/a\r\nb",
        "/é",
        "/%zz",
    ],
)
def test_a_path_that_a_dialect_let_slip_is_not_sent(at: str) -> None:
    """The last guard, whatever a dialect does."""
    with pytest.raises(Refused) as refused:
        checked_path(at)
    assert ("bad_request", "model") == (refused.value.failure.kind, refused.value.failure.param)


@pytest.mark.parametrize(
    "at",
    [
        "/v1/chat",
        "/model/arn%3Aaws%3Ax%2Fy/z",
        "/v1beta/models/a..b:stream?alt=sse",
        "/a?b=../c",
        "/%E6%A8%A1",
    ],
)
def test_a_plain_path_stays_as_it_is(at: str) -> None:
    assert at == checked_path(at)


async def asked_for(run: Running, model: str, how: str) -> tuple[int, str]:
    """Status and body, the model said in each place where a client can say it."""
    if how == "gemini":
        body: Any = {"contents": [{"parts": [{"text": "hi"}]}]}
        url = URL(
            f"{run.url}/v1beta/models/{quote(model, safe='')}:streamGenerateContent", encoded=True
        )
        async with run.session.post(url, json=body) as response:
            return response.status, await response.text("latin-1")
    if how == "query":
        async with run.session.get(
            f"{run.url}/v1/stream", params={"model": model, "prompt": "hi"}
        ) as response:
            return response.status, await response.text("latin-1")
    path, body = {
        "native": ("/v1/stream", {"model": model, "prompt": "hi"}),
        "ollama": ("/api/chat", {"model": model, "messages": [{"role": "user", "content": "hi"}]}),
    }[how]
    async with run.session.post(f"{run.url}{path}", json=body) as response:
        return response.status, await response.text("latin-1")


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize("how", ["native", "query", "gemini", "ollama"])
async def test_on_the_wire_too(dialect: str, how: str) -> None:
    """What a raw upstream is sent: one host, one prefix, as many segments as the dialect has; all
    else was refused before."""
    before, after = fixed(dialect)
    far, sample = Far(good(SAMPLES[dialect])), SAMPLES[dialect]
    async with listening(far):
        upstream = {
            "dialect": dialect,
            "base_url": far.url + BASE,
            "api_key": "key",
            "options": dict(sample.options),
        }
        async with running(
            {"upstreams": {"far": upstream}, "models": {"*": [{"upstream": "far"}]}}
        ) as run:
            for model in HOSTILE:
                asked = len(far.asked)
                status, text = await asked_for(run, model, how)
                assert status != 500, (model, text)
                if len(far.asked) == asked:
                    assert status in (400, 404), (model, text)
    for line, sent in zip(far.lines, far.asked, strict=True):
        verb, target, version = line.split(" ")
        assert ("POST", "HTTP/1.1") == (verb, version) or (sample.follows and verb == "GET")
        assert target.startswith(
            (
                BASE + before.partition("?")[0],
                f"{BASE}/v1/predictions",
                f"{BASE}/v1beta/tunedModels/",
            )
        )
        assert not {".", ".."} & set(target.partition("?")[0].split("/")), target
        assert "//" not in target
        if sample.path_names != "slashes":
            assert (BASE + before + after).count("/") == target.count("/")
        head = sent.partition(b"\r\n\r\n")[0].lower()
        assert 1 == head.count(b"\r\nhost: ")
        assert f"\r\nhost: {far.url.removeprefix('http://')}".encode() in head


@pytest.mark.parametrize("dialect", ["openai_chat", "dify", "coze"])
async def test_what_a_client_says_about_paths_is_content(dialect: str) -> None:
    """`path`, `base_url`, `options` and the like in a request go nowhere but into the body, or are
    refused."""
    said = {
        "path": "/evil",
        "base_url": "https://evil.example",
        "options": {"path": "/evil"},
        "conversation_id": "../../evil?x=1#y",
        "host": "evil",
    }
    far = Far(good(SAMPLES[dialect]))
    async with listening(far):
        upstream = {
            "dialect": dialect,
            "base_url": far.url + BASE,
            "options": dict(SAMPLES[dialect].options),
        }
        async with running(
            {"upstreams": {"far": upstream}, "models": {"*": [{"upstream": "far"}]}}
        ) as run:
            for body in (
                {"model": "m", "prompt": "hi", "vendor": said},
                {"model": "m", "prompt": "hi", **said},
            ):
                async with run.session.post(
                    f"{run.url}/v1/stream", json=body, params={"path": "/evil", "upstream": "x"}
                ) as response:
                    await response.read()
    assert 1 == len(far.asked)  # the second has unknown keys
    target = far.lines[0].split(" ")[1]
    assert target.partition("?")[0] == BASE + fixed(dialect)[0].partition("?")[0]
    assert "/evil" not in target
    assert "#" not in target


async def test_a_path_of_the_configuration_has_the_last_word() -> None:
    far = Far(good(SAMPLES["gemini"]))
    async with listening(far):
        upstream = {"dialect": "gemini", "base_url": far.url, "path": "/mine?alt=sse"}
        async with running(
            {"upstreams": {"far": upstream}, "models": {"*": [{"upstream": "far"}]}}
        ) as run:
            assert 200 == (await asked_for(run, "gemini-pro", "native"))[0]
    assert ["POST /mine?alt=sse HTTP/1.1"] == far.lines


async def test_a_name_too_long_for_a_path_is_refused_before_a_connection() -> None:
    upstreams = Upstreams()
    call = UPSTREAMS["bedrock_converse"].build_request(
        ChatRequest(model="a" * 9000, messages=[Message("user", "hi")]),
        TargetConfig("far", "", "key", {}),
    )
    with pytest.raises(Refused) as refused:
        await upstreams.open(Endpoint("far", "http://127.0.0.1:9", None, {}, 1.0), call)
    await upstreams.close()
    assert "bad_request" == refused.value.failure.kind
    assert "aaaa" not in json.dumps(refused.value.failure.message)
