"""What happens when a client leaves, reconnects, or is not let in; and what every answer
carries."""

import asyncio
import hashlib
import json
from typing import Any

import aiohttp
import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running
from tests.server.test_failures import ASK, HELLO, STOP, events_of

ORIGIN = {"Origin": "https://page.example"}


async def left_after(run: Running, gone: asyncio.Event) -> float:
    """Open a stream, read its first bytes, drop the connection; answers the seconds until the
    upstream noticed."""
    loop = asyncio.get_running_loop()
    response = await run.session.post(f"{run.url}/v1/stream", json=ASK)
    await response.content.readany()
    began = loop.time()
    response.close()
    async with asyncio.timeout(2):
        await gone.wait()
    return loop.time() - began


async def test_when_the_client_leaves_the_upstream_is_closed() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await peer.left()
        gone.set()

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        await left_after(run, gone)
        await asyncio.sleep(0.05)
        assert 1.0 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="*",outcome="client_gone",upstream="far"}'
        )
        assert 0.0 == await run.metric('mainstem_streams_open{upstream="far"}')


async def test_a_client_that_leaves_before_content_is_noticed_too() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.left()
        gone.set()

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        task = asyncio.create_task(run.session.post(f"{run.url}/v1/stream", json=ASK))
        await asked.wait()
        task.cancel()
        async with asyncio.timeout(2):
            await gone.wait()


@pytest.mark.parametrize(("policy", "outcome"), [("finish", "completed"), ("grace", "client_gone")])
async def test_a_generation_may_outlive_its_client(policy: str, outcome: str) -> None:
    go, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await go.wait()
        if policy == "finish":
            peer.send(STOP)
            peer.write(LAST_CHUNK)
        await peer.left()
        gone.set()

    async with (
        raw_upstream(script) as url,
        running(
            {**one("openai_chat", url), "streams": {"on_disconnect": policy, "grace_s": 0.2}}
        ) as run,
    ):
        response = await run.session.post(f"{run.url}/v1/stream", json=ASK)
        await response.content.readany()
        response.close()
        await asyncio.sleep(0.1)
        assert not gone.is_set()
        go.set()
        await asyncio.sleep(0.3)
        assert 1.0 == await run.metric(
            f'mainstem_streams_total{{client_dialect="native",model="*",outcome="{outcome}",upstream="far"}}'
        )


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_reconnect_never_runs_a_prompt_again(method: str) -> None:
    async def never(peer: Peer) -> None:
        raise AssertionError("the upstream was called")

    async with (
        raw_upstream(never) as url,
        running({**one("openai_chat", url), "auth": "none"}) as run,
    ):
        query = "?model=m&prompt=hi" if method == "GET" else ""
        headers = {"Last-Event-ID": "st_1:4", **ORIGIN}
        async with run.session.request(
            method,
            f"{run.url}/v1/stream{query}",
            headers=headers,
            json=None if method == "GET" else ASK,
        ) as response:
            assert 204 == response.status
            assert "*" == response.headers["Access-Control-Allow-Origin"]


async def finished(peer: Peer) -> None:
    while True:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO + STOP)
        peer.write(LAST_CHUNK)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "said"),
    [
        ("POST", "/v1/stream", b"{", {}, 400, "not JSON"),
        ("POST", "/v1/stream", b'{"model": 1, "prompt": "x"}', {}, 400, "model"),
        (
            "POST",
            "/v1/stream",
            b'{"model": "m", "prompt": "x", "temprature": 1}',
            {},
            400,
            "temperature",
        ),
        ("POST", "/v1/stream", b'{"model": "m", "prompt": "\xff"}', {}, 400, "UTF-8"),
        ("POST", "/v1/stream", b"[" * 4000, {}, 400, ""),
        ("POST", "/v1/stream", b"hello", {"Content-Type": "text/plain"}, 415, "application/json"),
        ("POST", "/v1/stream", b"x" * 5000, {}, 413, "max_body_bytes"),
        ("PUT", "/v1/stream", b"{}", {}, 405, "GET or POST"),
        ("POST", "/v1/chat/completions", b"{", {}, 400, "not JSON"),
        ("DELETE", "/v1/chat/completions", b"", {}, 405, "POST"),
        ("POST", "/v1/messages", b'{"model": "m"}', {}, 400, "max_tokens"),
        ("POST", "/v1/messages", b"x" * 5000, {}, 413, "max_body_bytes"),
        ("GET", "/v1/nothing", b"", {}, 404, "/v1/stream"),
    ],
)
async def test_bad_input_gets_a_sentence_in_the_dialects_shape(  # noqa: PLR0917
    method: str, path: str, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    async with (
        raw_upstream(finished) as url,
        running(
            {**one("openai_chat", url), "auth": "none", "limits": {"max_body_bytes": 4096}}
        ) as run,
    ):
        sent = {"Content-Type": "application/json", **headers, **ORIGIN}
        async with run.session.request(method, run.url + path, data=body, headers=sent) as response:
            document = await response.json(content_type=None)
            assert status == response.status, document
            assert said in document["error"]["message"]
            assert ("error" == document.get("type")) is (path == "/v1/messages")
            assert "*" == response.headers["Access-Control-Allow-Origin"]
            assert response.headers["x-request-id"]
        assert "stream.end" == (await events_of(run))[-1]["type"]


async def test_a_body_that_lies_about_its_length_or_grows_is_bounded() -> None:
    async def endless() -> Any:
        for _ in range(10_000):
            yield b"x" * 1000

    async with (
        raw_upstream(finished) as url,
        running({**one("openai_chat", url), "limits": {"max_body_bytes": 4096}}) as run,
    ):
        try:
            async with run.session.post(
                f"{run.url}/v1/stream", data=endless(), headers={"Content-Type": "application/json"}
            ) as response:
                assert 413 == response.status
        except aiohttp.ClientError:
            # the answer came, and the connection was closed, while the body was still being sent
            pass


KEY = "a key"
AUTH = {
    "auth": {
        "keys": [
            {
                "name": "web",
                "sha256": hashlib.sha256(KEY.encode()).hexdigest(),
                "models": ["m"],
                "max_streams": 1,
                "requests_per_minute": 5,
            }
        ]
    }
}


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": f"Bearer {KEY}"}, ""),
        ({"x-api-key": KEY}, ""),
        ({"x-goog-api-key": KEY}, ""),
        ({}, "&key=a%20key"),
    ],
)
async def test_a_key_is_taken_as_each_sdk_sends_it(headers: dict[str, str], query: str) -> None:
    async with raw_upstream(finished) as url, running({**one("openai_chat", url), **AUTH}) as run:
        async with run.session.get(
            f"{run.url}/v1/stream?model=m&prompt=hi{query}", headers=headers
        ) as response:
            assert 200 == response.status, await response.text()


@pytest.mark.parametrize(
    ("headers", "model", "status", "kind"),
    [
        ({}, "m", 401, "unauthorized"),
        ({"Authorization": "Bearer wrong"}, "m", 401, "unauthorized"),
        ({"Authorization": f"Bearer {KEY}"}, "other", 403, "forbidden"),
    ],
)
async def test_who_may_not_is_told_why(
    headers: dict[str, str], model: str, status: int, kind: str
) -> None:
    async with raw_upstream(finished) as url, running({**one("openai_chat", url), **AUTH}) as run:
        async with run.session.post(
            f"{run.url}/v1/stream", json={"model": model, "prompt": "x"}, headers=headers
        ) as response:
            assert (status, kind) == (response.status, (await response.json())["error"]["kind"])


async def test_a_keys_rate_is_bounded() -> None:
    async with raw_upstream(finished) as url, running({**one("openai_chat", url), **AUTH}) as run:
        statuses = []
        for _ in range(6):
            async with run.session.post(
                f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": KEY}
            ) as response:
                statuses.append(response.status)
                await response.read()
        assert [200] * 5 + [429] == statuses
        assert 1 <= int(response.headers["Retry-After"]) <= 60


async def test_a_keys_streams_and_all_streams_are_bounded() -> None:
    async def hold(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await peer.left()

    async with raw_upstream(hold) as url:
        async with running({**one("openai_chat", url), **AUTH}) as run:
            first = await run.session.post(
                f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": KEY}
            )
            async with run.session.post(
                f"{run.url}/v1/stream", json=ASK, headers={"x-api-key": KEY}
            ) as second:
                assert 429 == second.status
            first.close()
        async with running({**one("openai_chat", url), "limits": {"max_streams": 1}}) as run:
            first = await run.session.post(f"{run.url}/v1/stream", json=ASK)
            async with run.session.post(f"{run.url}/v1/stream", json=ASK) as second:
                assert (503, "overloaded", "1") == (
                    second.status,
                    (await second.json())["error"]["kind"],
                    second.headers["Retry-After"],
                )
            first.close()


async def test_a_page_of_another_origin_is_refused_before_anything_runs() -> None:
    async def never(peer: Peer) -> None:
        raise AssertionError("the upstream was called")

    config = {"cors": {"allow_origins": ["https://app.example"]}}
    async with raw_upstream(never) as url, running({**one("openai_chat", url), **config}) as run:
        async with run.session.get(
            f"{run.url}/v1/stream?model=m&prompt=x", headers={"Origin": "https://evil.example"}
        ) as response:
            assert (403, "forbidden") == (response.status, (await response.json())["error"]["kind"])
            assert "Access-Control-Allow-Origin" not in response.headers
            assert "Origin" == response.headers["Vary"]


async def test_preflights_grant_what_is_asked() -> None:
    async with (
        raw_upstream(finished) as url,
        running({**one("openai_chat", url), "auth": "none"}) as run,
    ):
        asked = {
            **ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "access-control-allow-origin,x-stainless-os",
        }
        for path in ("/v1/stream", "/v1/chat/completions", "/v1/messages", "/data", "/nothing"):
            async with run.session.options(run.url + path, headers=asked) as response:
                assert 204 == response.status
                assert "*" == response.headers["Access-Control-Allow-Origin"]
                assert "POST" in response.headers["Access-Control-Allow-Methods"]
                assert "access-control-allow-origin, x-stainless-os" == response.headers[
                    "Access-Control-Allow-Headers"
                ].replace(",", ", ").replace("  ", " ")


async def test_a_streams_headers() -> None:
    async with (
        raw_upstream(finished) as url,
        running({**one("openai_chat", url), "auth": "none"}) as run,
    ):
        body = {**ASK, "reasoning": {"max_tokens": 5}}
        async with run.session.post(
            f"{run.url}/v1/stream", json=body, headers={**ORIGIN, "x-request-id": "mine-1"}
        ) as response:
            headers = response.headers
            assert "text/event-stream; charset=utf-8" == headers["Content-Type"]
            assert "no-cache, no-transform" == headers["Cache-Control"]
            assert "no" == headers["X-Accel-Buffering"]
            assert "mine-1" == headers["x-request-id"]
            assert "far" == headers["x-mainstem-upstream"]
            assert "changed:reasoning.max_tokens" == headers["x-mainstem-notes"]
            assert "Content-Encoding" not in headers
        async with run.session.post(
            f"{run.url}/v1/stream", json={**body, "on_loss": "refuse"}
        ) as response:
            assert 400 == response.status
            assert "reasoning.max_tokens" == (await response.json())["error"]["param"]


async def test_what_is_the_operators_is_not_for_other_origins() -> None:
    async with (
        raw_upstream(finished) as url,
        running({**one("openai_chat", url), "auth": "none"}) as run,
    ):
        for path in ("/metrics", "/livez", "/readyz"):
            async with run.session.get(run.url + path, headers=ORIGIN) as response:
                assert 200 == response.status
                assert "Access-Control-Allow-Origin" not in response.headers


async def test_drain_lets_streams_end_and_tells_the_rest() -> None:
    async def hold(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        if json.loads(peer.body)["model"] == "short":
            await asyncio.sleep(0.2)
            peer.send(STOP)
            peer.write(LAST_CHUNK)
        await peer.left()

    async with (
        raw_upstream(hold) as url,
        running({**one("openai_chat", url), "server": {"drain_s": 0.5}}) as run,
    ):
        tasks = [
            asyncio.create_task(events_of(run, {"model": name, "prompt": "x"}))
            for name in ("short", "long")
        ]
        await asyncio.sleep(0.1)
        await run.process.gateway.drain(0.5)
        short, long = await asyncio.gather(*tasks)
        assert "stream.end" == short[-1]["type"]
        assert ("stream.error", "shutdown") == (long[-1]["type"], long[-1]["error"]["kind"])
        async with run.session.get(f"{run.url}/readyz") as response:
            assert 503 == response.status
        async with run.session.post(f"{run.url}/v1/stream", json=ASK) as response:
            assert (503, "shutdown") == (response.status, (await response.json())["error"]["kind"])


async def test_a_client_of_http_1_0_gets_the_plain_body() -> None:
    async with raw_upstream(finished) as url, running(one("openai_chat", url)) as run:
        host, port = run.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/stream?model=m&prompt=x HTTP/1.0\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        assert "Transfer-Encoding" not in text
        assert text.rstrip().splitlines()[-2].startswith('data: {"type":"stream.end"')


async def test_a_header_may_come_twice() -> None:
    """As proxies add a `Via`, and browsers over HTTP/2 split their cookies; in an answer too."""

    async def script(peer: Peer) -> None:
        await peer.request()
        cookies = b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        peer.write(CHUNKED.replace(b"\r\n", cookies, 1))
        peer.send(HELLO + STOP)
        peer.write(LAST_CHUNK)

    headers = [("Via", "1.1 a"), ("Cookie", "a=1"), ("Via", "1.1 b"), ("Cookie", "b=2")]
    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        async with run.session.post(f"{run.url}/v1/stream", json=ASK, headers=headers) as response:
            assert 200 == response.status
            assert '"type":"stream.end"' in await response.text()


async def test_an_event_source_may_ask_a_long_prompt() -> None:
    async with raw_upstream(finished) as url, running(one("openai_chat", url)) as run:
        async with run.session.get(
            f"{run.url}/v1/stream", params={"model": "m", "prompt": "问" * 4000}
        ) as response:
            assert 200 == response.status
            assert "stream.end" in await response.text()
