"""Keys and tokens through the whole proxy: what is the operator's, what is counted, logged, and
kept by a reload."""

import json
from typing import Any

import pytest
import structlog

from proxy.cli.serve import _greeting
from proxy.settings.model import Settings
from proxy.settings.secret import MASK
from tests.jwt_issuer import AUDIENCE, ISSUER, key_set, public, publishing, rsa_key, token
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.relay.far import until
from tests.running import Running, one, running
from tests.server.access.test_keys import sha256
from tests.server.test_failures import ASK, HELLO, STOP

USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":20,"total_tokens":50}}\n\n'


def keys(**of_web: Any) -> dict[str, Any]:
    web = {"name": "web", "sha256": sha256("a key"), **of_web}
    return {
        "auth": {
            "keys": [
                web,
                {"name": "prometheus", "sha256": sha256("an admin's"), "models": [], "admin": True},
            ]
        }
    }


async def finished(peer: Peer) -> None:
    while True:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO + STOP.replace(b"data: [DONE]\n\n", USAGE + b"data: [DONE]\n\n"))
        peer.write(LAST_CHUNK)


async def got(run: Running, path: str, key: str | None) -> tuple[int, str]:
    async with run.session.get(
        run.url + path, headers={} if key is None else {"x-api-key": key}
    ) as response:
        return response.status, await response.text()


async def asked(run: Running, key: str = "a key") -> int:
    async with run.session.post(
        f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": key}
    ) as response:
        await response.read()
        return int(response.status)


MOCKED = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"m": [{"upstream": "far"}]},
}


@pytest.mark.parametrize(
    ("path", "shown"), [("/metrics", "mainstem_build_info"), ("/mock/requests", "[]")]
)
async def test_with_keys_the_operators_pages_are_an_admins(path: str, shown: str) -> None:
    async with running({**MOCKED, **keys()}) as run:
        for key, status in ((None, 401), ("wrong", 401), ("a key", 403), ("an admin's", 200)):
            found, text = await got(run, path, key)
            assert status == found, text
            assert (shown in text) is (status == 200)
            if key in (None, "a key"):
                assert "set `admin:`" in json.loads(text)["error"]["message"]


@pytest.mark.parametrize(
    ("auth", "admin_url", "said"),
    [("none", None, False), (keys()["auth"], "http://b", False), (keys()["auth"], None, True)],
)
def test_the_greeting_says_who_may_read_the_metrics(
    auth: Any, admin_url: str | None, said: bool
) -> None:
    settings = Settings.model_validate({**MOCKED, "auth": auth})
    assert (
        f"{admin_url or 'http://a'}/metrics (for a key"
        in _greeting("http://a", admin_url, settings)
    ) is said


@pytest.mark.parametrize("auth", [None, "none"])
@pytest.mark.parametrize("path", ["/metrics", "/mock/requests"])
async def test_without_keys_they_are_open(auth: str | None, path: str) -> None:
    async with running({**MOCKED, "auth": auth}) as run:
        assert 200 == (await got(run, path, None))[0]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_whether_it_lives_may_be_asked_without_a_key(path: str) -> None:
    async with running({**MOCKED, **keys()}) as run:
        assert (200, "ok\n") == await got(run, path, None)


async def test_a_port_of_its_own_shows_the_metrics_to_whoever_reaches_it() -> None:
    async with running({**MOCKED, **keys(), "admin": {"port": 0}}) as run:
        async with run.session.get(f"{run.process.admin_url}/metrics") as response:
            assert 200 == response.status
        assert 404 == (await got(run, "/metrics", "an admin's"))[0]


async def test_what_a_stream_used_counts_for_the_next_one() -> None:
    async with (
        raw_upstream(finished) as url,
        running({**one("openai_chat", url), **keys(tokens_per_minute=60)}) as run,
    ):
        assert [200, 200, 429] == [await asked(run) for _ in range(3)]


PRICES = {"*": {"input_per_million": 1000, "output_per_million": 10_000}}


async def ends_of(run: Running) -> list[Any]:
    """The usage at the end of a stream, and of the same as a document."""
    ends = []
    for stream in (True, False):
        body, headers = {**ASK, "stream": stream}, {"x-api-key": "a key"}
        async with run.session.post(f"{run.url}/v1/stream", json=body, headers=headers) as got:
            text = await got.text()
        frames = [row[6:] for row in text.splitlines() if row.startswith("data: ")]
        ends.append(json.loads(frames[-1] if stream else text)["usage"])
    return ends


async def test_what_a_stream_cost_is_said_everywhere_alike() -> None:
    """To the client, in the log and in the metrics: 30 tokens in and 20 out, at these prices."""
    with structlog.testing.capture_logs() as log:
        async with (
            raw_upstream(finished) as url,
            running(
                {**one("openai_chat", url, prices=PRICES), "costs": {"currency": "EUR"}}
            ) as run,
        ):
            said = {"amount": 0.23, "currency": "EUR"}
            assert [said, said] == [usage["cost"] for usage in await ends_of(run)]
            assert 0.46 == await run.metric('mainstem_cost_total{model="*",upstream="far"}')
    assert [0.23, 0.23] == [line["cost"] for line in log if line["event"] == "stream"]


async def test_without_a_price_no_cost_is_said() -> None:
    with structlog.testing.capture_logs() as log:
        async with raw_upstream(finished) as url, running(one("openai_chat", url)) as run:
            assert [None, None] == [usage["cost"] for usage in await ends_of(run)]
            assert "mainstem_cost_total{" not in (await got(run, "/metrics", None))[1]
    assert not any("cost" in line for line in log if line["event"] == "stream")


async def test_what_a_stream_cost_counts_for_the_next_one() -> None:
    async with raw_upstream(finished) as url:
        config = {**one("openai_chat", url, prices=PRICES), **keys(cost_per_day=0.3)}
        async with running(config) as run:
            assert [200, 200, 429] == [await asked(run) for _ in range(3)]
            async with run.session.post(
                f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": "a key"}
            ) as refused:
                assert 86_000 < int(refused.headers["Retry-After"]) <= 86_401
                assert "0.3 of money a day" in await refused.text()


async def test_who_leaves_before_the_counts_come_pays_for_what_was_made() -> None:
    async def begun(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.write(CHUNKED)
            peer.send(HELLO)
            await peer.left()

    async with raw_upstream(begun) as url:
        config = {**one("openai_chat", url, prices=PRICES), **keys(cost_per_day=0.001)}
        async with running(config) as run:
            response = await run.session.post(
                f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": "a key"}
            )
            await response.content.readany()
            response.close()
            await until(lambda: run.process.gateway.open_requests == 0)
            assert 429 == await asked(run)


async def test_what_each_key_used_is_counted_where_that_is_wanted() -> None:
    """Subjects of tokens count as one."""
    jwt = {"issuer": ISSUER, "audience": AUDIENCE}
    for by_key in (False, True):
        async with (
            publishing(key_set(public(rsa_key(), "a"))) as service,
            raw_upstream(finished) as url,
        ):
            config = {**one("openai_chat", url, prices=PRICES), **keys()}
            config["auth"]["jwt"] = {**jwt, "jwks_url": service.url}
            async with running({**config, "metrics": {"by_key": by_key}}) as run:
                for secret in ("a key", "a key", token(sub="ann"), token(sub="bob")):
                    assert 200 == await asked(run, secret)
                _, text = await got(run, "/metrics", "an admin's")
                rows = {row for row in text.splitlines() if row.startswith("mainstem_key_")}
        assert by_key is bool(rows)
        for key in ("web", "(subjects)") if by_key else ():
            by = f'key="{key}",model="*"'
            assert {
                f'mainstem_key_streams_total{{{by},outcome="completed"}} 2.0',
                f'mainstem_key_tokens_total{{direction="input",{by}}} 60.0',
                f'mainstem_key_tokens_total{{direction="output",{by}}} 40.0',
                f"mainstem_key_cost_total{{{by}}} 0.46",
            } <= rows


async def test_a_reload_keeps_a_keys_open_streams_and_its_rate() -> None:
    async def begun(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await peer.left()

    async with raw_upstream(begun) as url:
        config = {**one("openai_chat", url), **keys(max_streams=1, requests_per_minute=3)}
        async with running(config) as run:
            response = await run.session.post(
                f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": "a key"}
            )
            await response.content.readany()
            await run.process._adopt(
                Settings.model_validate({**config, "streams": {"heartbeat_s": 7}})
            )
            for said in ("1 streams open", "1 streams open", "3 requests a minute"):
                async with run.session.post(
                    f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": "a key"}
                ) as refused:
                    assert said in await refused.text()
            response.close()


async def test_a_token_is_taken_and_its_subject_is_logged_and_the_token_is_not() -> None:
    jwt = {"issuer": ISSUER, "audience": AUDIENCE, "models": ["m"]}
    async with (
        publishing(key_set(public(rsa_key(), "a"))) as service,
        raw_upstream(finished) as url,
    ):
        config = {**one("openai_chat", url), "auth": {"jwt": {**jwt, "jwks_url": service.url}}}
        with structlog.testing.capture_logs() as log:
            async with running(config) as run:
                assert 1 == len(service.asked)  # at the start, so that no client waits for it
                good, bad = token(sub="ann\nforged line"), token(exp=1)
                assert [200, 401, 401] == [
                    await asked(run, secret) for secret in (good, bad, "a key")
                ]
                assert 401 == (await got(run, "/metrics", None))[0]
                assert 403 == (await got(run, "/metrics", good))[0]
        assert ["ann?forged line"] == [
            line["key"] for line in log if line["event"] == "stream" and line.get("key")
        ]
        for part in (*good.split("."), *bad.split(".")):
            assert part not in str(log)


async def refused(peer: Peer) -> None:
    while True:
        await peer.request()
        body = b'{"error": {"message": "No such model; you said hello hello.", "code": "gone"}}'
        peer.write(
            b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )


WHY = ("outcome", "error", "error_code", "upstream_status", "asked")


async def why_of(config: dict[str, Any], body: Any) -> tuple[Any, ...]:
    """What the line of a stream that fails says of it."""
    with structlog.testing.capture_logs() as log:
        async with running(config) as run:
            headers = {"Origin": run.url}
            async with run.session.post(f"{run.url}/v1/stream", json=body, headers=headers) as got:
                await got.read()
    (line,) = (line for line in log if line["event"] == "stream")
    assert line["origin"] == run.url
    return tuple(line.get(name) for name in WHY)


async def test_the_line_of_a_failed_stream_says_why_it_failed_and_what_was_asked() -> None:
    """The vendor's status, code and message, without the prompt that it repeats."""
    async with raw_upstream(refused) as url:
        asked_of = f"{url.partition('://')[2]}/chat/completions"
        said = f"No such model; you said {MASK}"
        assert ("upstream_status", said, "gone", 500, asked_of) == await why_of(
            one("openai_chat", url), {"model": "m", "prompt": "hello hello"}
        )
    outcome, error, code, status, place = await why_of(one("openai_chat", url), ASK)
    assert ("connect_failed", None, None, asked_of) == (outcome, code, status, place)
    assert error.startswith("far ")
    unknown = {"model": "x", "prompt": "p"}
    outcome, error, code, status, place = await why_of(MOCKED, unknown)
    assert ("model_not_found", None, None, None) == (outcome, code, status, place)
    assert error
