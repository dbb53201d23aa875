"""Prompts and keys stay where they belong: whatever fails, none stands in a log, a metric, a
traceback or another client's answer, and an upstream's key in no client's answer at all.
"""

import base64
import hashlib
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from msgspec.structs import replace

from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.observe import logs
from proxy.settings.model import Settings
from tests.hostile.upstream import Far, answer, asked_in, far_of, listening
from tests.running import Running, one, running
from tests.samples import SAMPLES

KEY = "sk-UPSTREAMKEY-0123/456+789=abcdef"
CLIENT = "CLIENTKEY-a1b2c3d4e5f6"
PROMPT = "PROMPTMARK of somebody"
COOKIE = "COOKIEVALUE9876543210"
SAMPLE = SAMPLES["openai_chat"]
SAID = f"Bad request with {KEY}, Authorization: Bearer {KEY}, {quote(KEY, safe='')}, {base64.b64encode(KEY.encode()).decode()}, {COOKIE}: {PROMPT}"
ERROR = {"error": {"message": SAID, "type": KEY, "code": KEY, "param": KEY}}
ECHO = json.dumps(ERROR).encode()
FRAME = b"data: " + ECHO + b"\n\n"
HEAD = SAMPLE.opening + SAMPLE.first

WRONG: dict[str, bytes] = {
    **{
        f"status {status}": answer(ECHO, "application/json", f"{status} X")
        for status in (400, 401, 402, 403, 404, 413, 422, 429, 500, 503, 529)
    },
    "text of an error": answer(SAID.encode(), "text/plain", "500 X"),
    "error as first frame": answer(FRAME),
    "error under 200": answer(ECHO, "application/json"),
    "error in the midst": answer(HEAD + FRAME),
    "garbage": answer(b"data: {" + SAID.encode() + b"\n\n"),
    "garbage in the midst": answer(HEAD + b"data: {" + SAID.encode() + b"\n\n"),
    "truncated": answer(HEAD),
    "empty": answer(b""),
    "page": answer(SAID.encode(), "text/html"),
    "redirect": answer(b"", "text/plain", "307 X", Location=f"https://h/?key={KEY}"),
    "no HTTP": SAID.encode() + b"\r\n\r\n",
    "odd header": b"HTTP/1.1 200 OK\r\n" + SAID.encode() + b"\r\n\r\n",
    "odd coding": answer(SAID.encode(), Content_Encoding="gzip"),
}


@pytest.fixture(params=["json", "console"])
def logged(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """All that is logged, down to debug, by us and by libraries."""
    kept, level, out = logging.getLogger().handlers[:], logging.getLogger().level, io.StringIO()
    logs.configure(request.param, "debug", out)
    logging.getLogger("mainstem.http").setLevel(logging.DEBUG)
    yield out
    logging.getLogger().handlers = kept
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def told(text: str) -> list[str]:
    """Which of the secrets stand in a text."""
    forms = {
        "the upstream's key": (
            KEY,
            KEY[:20],
            quote(KEY, safe=""),
            base64.b64encode(KEY.encode()).decode()[:24],
        ),
        "the client's key": (CLIENT, hashlib.sha256(CLIENT.encode()).hexdigest()),
        "the prompt": (PROMPT, PROMPT.split(" ", maxsplit=1)[0]),
        "the cookie": (COOKIE,),
    }
    return [
        name for name, said in forms.items() if any(each.lower() in text.lower() for each in said)
    ]


def config(url: str) -> dict[str, Any]:
    auth = {
        "keys": [
            {"name": "web", "sha256": hashlib.sha256(key.encode()).hexdigest()} for key in (CLIENT,)
        ]
    }
    auth["keys"].append({"name": "other", "sha256": hashlib.sha256(b"other").hexdigest()})
    upstream = one("openai_chat", url, api_key=KEY, headers={"cookie": f"sid={COOKIE}"})
    return {**upstream, "auth": auth, "breaker": {"failures": 0}}


async def asked(run: Running, client: str) -> str:
    """All of an answer, head and body."""
    status, body, headers = await asked_in(
        run, client, headers={"Authorization": f"Bearer {CLIENT}"}, body=prompting(client)
    )
    return f"{status} {dict(headers)} {body.decode()}"


def prompting(client: str) -> Any:
    return {
        "native": {"model": "m", "prompt": PROMPT},
        "openai_chat": {
            "model": "m",
            "messages": [{"role": "user", "content": PROMPT}],
            "stream": True,
        },
        "anthropic": {
            "model": "m",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": PROMPT}],
            "stream": True,
        },
        "ollama": {"model": "m", "messages": [{"role": "user", "content": PROMPT}]},
    }[client]


async def afterwards(run: Running) -> str:
    """The metrics, and what another client gets."""
    async with run.session.get(f"{run.url}/metrics") as response:
        metrics = await response.text()
    async with run.session.post(
        f"{run.url}/v1/stream",
        json={"model": "m", "prompt": "x", "zzz": 1},
        headers={"x-api-key": "other"},
    ) as response:
        return metrics + await response.text()


@pytest.mark.parametrize("client", ["native", "openai_chat", "anthropic", "ollama"])
async def test_every_way_to_fail_upstream(client: str, logged: io.StringIO) -> None:
    """With a vendor that repeats everything it was sent. The client may read its own prompt again,
    and nothing else."""
    far = Far(b"")
    async with listening(far), running(config(far.url)) as run:
        for name, wrong in WRONG.items():
            far.answers = (wrong,)
            got = await asked(run, client)
            assert not set(told(got)) - {"the prompt"}, (name, got)
        rest = await afterwards(run)
    # it was sent what it repeats
    assert f"authorization: bearer {KEY}".encode().lower() in far.asked[0].lower()
    assert PROMPT.encode() in far.asked[0]
    assert [] == told(rest)
    text = logged.getvalue()
    assert [] == told(text)
    assert len(WRONG) + 1 == sum(
        '"event": "stream"' in line or " stream " in line for line in text.splitlines()
    )


@pytest.mark.parametrize("status", ["200 OK", "429 X"])
async def test_a_key_for_the_name_of_a_request_or_in_a_header_goes_nowhere(
    status: str, logged: io.StringIO
) -> None:
    """Such names are in the log, and headers go to clients where the operator says so."""
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}
    frame = json.dumps({"id": f"chat-{KEY}", "choices": [choice]}).encode()
    body = b"data: " + frame + b"\n\ndata: [DONE]\n\n" if status == "200 OK" else b"{}"
    names = {"x_request_id": f"Bearer {KEY}", "x_limit": KEY, "x_other": "7"}
    far = Far(answer(body, SAMPLE.content_type, status, **names))
    async with listening(far):
        upstream = one("openai_chat", far.url, api_key=KEY, return_headers=["x-*"])
        async with running(upstream) as run:
            got, _, headers = await asked_in(run, "openai_chat")
    assert (int(status[:3]), "7", None) == (got, headers.get("x-other"), headers.get("x-limit"))
    assert [] == told(f"{dict(headers)}{logged.getvalue()}")


async def test_an_upstream_that_is_not_there(logged: io.StringIO) -> None:
    async with running(config("http://127.0.0.1:9")) as run:
        got = await asked(run, "native")
        assert [] == told(got + await afterwards(run))
    assert [] == told(logged.getvalue())


def _raising(error: Callable[[], Exception]) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        secret, words = KEY, PROMPT  # a traceback that showed locals would show these
        raise error() from ValueError(f"{secret} {words} {CLIENT}")

    return fail


@pytest.mark.parametrize(
    "error", [KeyError, ValueError, RuntimeError, AssertionError, UnicodeError, LookupError]
)
@pytest.mark.parametrize(
    "where",
    ["build_request", "decoder", "feed", "close", "parse_error", "encoder", "parse_request"],
)
async def test_a_defect_of_ours_says_nothing_of_what_was_handled(
    error: type[Exception], where: str, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    """Its traceback is logged, with its kind and its place; the client gets a sentence."""
    half, client = UPSTREAMS["openai_chat"], CLIENTS["native"]
    fail = _raising(lambda: error(f"{KEY} {CLIENT} {PROMPT}"))
    far = far_of("openai_chat")
    if where in ("build_request", "decoder", "parse_error"):
        monkeypatch.setitem(UPSTREAMS, half.name, replace(half, **{where: fail}))
    elif where in ("feed", "close"):
        monkeypatch.setattr(type(half.decoder(9, {})), where, fail)
        far.answers = (answer(HEAD if where == "close" else SAMPLE.whole),)
    else:
        monkeypatch.setitem(CLIENTS, client.name, replace(client, **{where: fail}))
    if where == "parse_error":
        far.answers = (answer(ECHO, "application/json", "500 X"),)
    async with listening(far), running(config(far.url)) as run:
        got = await asked(run, "native")
    assert [] == told(got)
    assert "internal" in got
    text = logged.getvalue()
    assert [] == told(text)
    assert error.__name__ in text
    assert "in fail" in text
    assert 2 <= len(text.splitlines())


async def test_settings_show_no_secret() -> None:
    """Neither as they print themselves, nor when they are refused."""
    options = {"aws_secret_access_key": KEY, "cookie": COOKIE}
    shown = Settings.model_validate(
        one("openai_chat", "https://h", api_key=KEY, headers={"cookie": COOKIE}, options=options)
    )
    assert [] == told(f"{shown!r} {shown} {shown.upstreams['far']!r}")
    with pytest.raises(ValueError, match="api_key") as refused:
        Settings.model_validate(one("openai_chat", "https://h", api_key=f"{KEY}\n{KEY}é"))
    assert [] == told(str(refused.value))


@pytest.mark.parametrize("client", CLIENTS)
async def test_with_pass_through_a_clients_key_is_told_to_nobody(
    client: str, logged: io.StringIO
) -> None:
    """Not even back to the client: its page may show messages to others, or log them."""
    body = json.dumps({"error": {"message": f"bad key {CLIENT}", "code": CLIENT}}).encode()
    far = Far(b"")
    async with listening(far), running(one("openai_chat", far.url, pass_through=True)) as run:
        for wrong in (
            answer(body, "application/json", "401 No"),
            answer(b"data: " + body + b"\n\n"),
            answer(HEAD + b"data: " + body + b"\n\n"),
        ):
            far.answers = (wrong,)
            _, got, headers = await asked_in(run, client, headers={"x-api-key": CLIENT})
            assert [] == told(got.decode() + str(dict(headers)))
    assert CLIENT.encode() in far.asked[0]
    assert [] == told(logged.getvalue())
