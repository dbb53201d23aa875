"""Paths of a vendor's own, passed on as they are: what goes up and comes down, what never does, and
for whom."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.raw_upstream import Peer, raw_upstream
from tests.running import Running, one, running

KEY = "sk-the-operators-own-key-1234567890"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Seen:
    """What the vendor was sent."""

    def __init__(self) -> None:
        self.method = self.path = ""
        self.headers: dict[str, str] = {}
        self.body = b""


@asynccontextmanager
async def proxied(
    answer: Answer | None = None, dialect: str = "openai_chat", **more: Any
) -> AsyncIterator[tuple[Running, Seen]]:
    """The proxy before a vendor that writes down what it gets."""
    seen = Seen()

    async def vendor(request: web.Request) -> web.StreamResponse:
        seen.method, seen.path = request.method, request.raw_path
        seen.headers = {name.lower(): value for name, value in request.headers.items()}
        seen.body = await request.read()
        return await answer(request) if answer else web.json_response({"ok": True})

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", vendor)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    upstream = {"api_key": KEY, "pass_paths": ["*"], **more.pop("upstream", {})}
    try:
        async with running({**one(dialect, url, **upstream), **more}) as run:
            yield run, seen
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_any_path_goes_up_as_it_is(method: str) -> None:
    async with proxied() as (run, seen):
        path = "/pass/far/files/a%2Fb?x=1&y=%20"
        data = None if method == "GET" else b"\x00\xff binary"
        async with run.session.request(method, run.url + path, data=data) as response:
            assert (200, {"ok": True}) == (response.status, await response.json())
        assert (method, "/v1/files/a%2Fb?x=1&y=%20") == (seen.method, seen.path)
        assert (data or b"") == seen.body
        assert f"Bearer {KEY}" == seen.headers["authorization"]
        sample = 'client_dialect="pass",model="none",outcome="completed",upstream="far"'
        assert 1.0 == await run.metric(f"mainstem_streams_total{{{sample}}}")
        assert 1.0 == await run.metric(
            'mainstem_upstream_attempts_total{result="ok",upstream="far"}'
        )


async def test_only_headers_that_describe_the_request_go_up() -> None:
    sent = {
        "Content-Type": "audio/wav",
        "Accept": "text/plain",
        "OpenAI-Beta": "assistants=v2",
        "Authorization": "Bearer clients",
        "X-Api-Key": "clients",
        "Cookie": "a=b",
        "OpenAI-Organization": "org-of-another",
        "X-Forwarded-For": "10.0.0.1",
        "Origin": "http://127.0.0.1:3000",
        "X-Odd": "1",
        "Connection": "x-odd",
        "Traceparent": "00-1",
    }
    async with proxied(upstream={"forward_headers": ["traceparent"]}) as (run, seen):
        async with run.session.post(
            f"{run.url}/pass/far/audio?key=clients&x-mock-fault=cut", data=b"1", headers=sent
        ) as response:
            assert 200 == response.status
        assert "/v1/audio" == seen.path
        for name in ("content-type", "accept", "openai-beta", "traceparent"):
            assert sent[{n.lower(): n for n in sent}[name]] == seen.headers.pop(name)
        assert f"Bearer {KEY}" == seen.headers.pop("authorization")
        assert {"host", "content-length", "accept-encoding"} == set(seen.headers)
        assert "identity" == seen.headers["accept-encoding"]


@pytest.mark.parametrize(
    ("dialect", "header", "value"),
    [("anthropic", "x-api-key", KEY), ("gemini", "x-goog-api-key", KEY)],
)
async def test_the_key_is_where_the_dialect_has_it(dialect: str, header: str, value: str) -> None:
    async with proxied(dialect=dialect) as (run, seen):
        async with run.session.get(f"{run.url}/pass/far/files", headers={header: "x"}) as response:
            assert 200 == response.status
        assert value == seen.headers[header]
        assert "authorization" not in seen.headers


async def test_a_client_s_version_of_the_api_goes_before_ours() -> None:
    async with proxied(dialect="anthropic") as (run, seen):
        headers = {"anthropic-version": "2024-01-01", "anthropic-beta": "files"}
        async with run.session.get(f"{run.url}/pass/far/files", headers=headers) as response:
            assert 200 == response.status
        assert headers == {name: seen.headers[name] for name in headers}


async def test_what_comes_down_cannot_act_as_our_own_page() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            body=b"<script>",
            content_type="text/html",
            headers={
                "Set-Cookie": "a=b",
                "Access-Control-Allow-Origin": "https://evil.example",
                "Content-Disposition": "attachment",
                "X-Other": "1",
                "X-Ratelimit-Left": "7",
            },
        )

    async with proxied(answer, upstream={"return_headers": ["x-ratelimit-*"]}) as (run, _):
        async with run.session.get(f"{run.url}/pass/far/x") as response:
            headers = response.headers
            assert b"<script>" == await response.read()
        assert "sandbox" in headers["Content-Security-Policy"]
        assert ("nosniff", "attachment", "7") == (
            headers["X-Content-Type-Options"],
            headers["Content-Disposition"],
            headers["X-Ratelimit-Left"],
        )
        assert not {"Set-Cookie", "X-Other"} & set(headers)
        assert "https://evil.example" != headers.get("Access-Control-Allow-Origin")


async def test_a_stream_comes_down_piece_by_piece() -> None:
    go = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await go.wait()
        await response.write(b"data: 2\n\n")
        return response

    async with proxied(answer) as (run, _):
        async with run.session.post(f"{run.url}/pass/far/speech", data=b"{}") as response:
            assert b"data: 1\n\n" == await response.content.readany()
            assert 1.0 == await run.metric('mainstem_streams_open{upstream="far"}')
            go.set()
            assert b"data: 2\n\n" == await response.content.read()
        assert "text/event-stream" == response.headers["Content-Type"]


async def test_a_body_goes_up_piece_by_piece_and_is_never_held() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    async with proxied(limits={"max_body_bytes": 10_000}) as (run, seen):
        async with run.session.post(f"{run.url}/pass/far/files", data=pieces()) as response:
            assert 200 == response.status
        assert 4 << 20 == len(seen.body)
        assert "chunked" == seen.headers["transfer-encoding"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_are_bounded(chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 2000

    limits = {"max_pass_bytes": 1000}
    async with proxied(limits=limits) as (run, _):
        data = pieces() if chunked else b"x" * 2000
        async with run.session.post(f"{run.url}/pass/far/files", data=data) as response:
            assert 413 == response.status
            assert "max_pass_bytes" in (await response.json())["error"]["message"]


async def test_an_answer_that_is_too_large_is_cut() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 2000)

    async with proxied(answer, limits={"max_pass_bytes": 1000}) as (run, _):
        with pytest.raises(aiohttp.ClientError):
            async with run.session.get(f"{run.url}/pass/far/x") as response:
                await response.read()


async def test_an_answer_that_breaks_off_is_no_whole_one() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf"
        )

    async with (
        raw_upstream(script) as url,
        running(one("openai_chat", url, pass_paths=["*"])) as run,
    ):
        with pytest.raises(aiohttp.ClientError):
            async with run.session.get(f"{run.url}/pass/far/x") as response:
                await response.read()
        await asyncio.sleep(0.05)
        sample = 'client_dialect="pass",model="none",outcome="upstream_truncated",upstream="far"'
        assert 1.0 == await run.metric(f"mainstem_streams_total{{{sample}}}")


async def test_a_vendor_s_error_comes_down_without_our_key() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": f"No such key: {KEY}"}}, status=401)

    async with proxied(answer) as (run, _):
        async with run.session.get(f"{run.url}/pass/far/x") as response:
            assert 401 == response.status
            assert {"error": {"message": "No such key: ********"}} == await response.json()


async def test_a_redirect_is_refused() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:1/elsewhere")

    async with proxied(answer) as (run, _):
        async with run.session.get(f"{run.url}/pass/far/x") as response:
            assert 502 == response.status
            assert "redirect" in (await response.json())["error"]["message"]
            assert "Location" not in response.headers


@pytest.mark.parametrize(
    "path",
    [
        "/../admin",
        "/a/%2e%2e/%2e%2e/admin",
        "/a/..%2fadmin",
        "/a/%252e%252e/b",
        "/..;/x",
        "/%c0%ae%c0%ae/x",
        "/%25c0%25ae%25c0%25ae/x",
        "/a\\..\\b",
        "/\u2025/x",
    ],
)
async def test_no_path_climbs_out_of_the_base_url(path: str) -> None:
    """Sent raw, as no client library would."""
    async with proxied() as (run, seen):
        host, port = run.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET /pass/far{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1] in (b"400", b"404"), answer
        assert "" == seen.path


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/pass/far/embeddings", 200),
        ("GET", "/pass/far/files/f1", 200),
        ("DELETE", "/pass/far/files/f1", 403),
        ("POST", "/pass/far/chat/completions", 403),
        ("POST", "/pass/other/embeddings", 404),
        ("POST", "/pass/none/embeddings", 404),
        ("POST", "/pass/far", 404),
        ("TRACE", "/pass/far/embeddings", 405),
    ],
)
async def test_only_what_the_operator_lists_is_passed_on(
    method: str, path: str, status: int
) -> None:
    listed = {"pass_paths": ["/embeddings", "GET /files/*"]}
    async with proxied(upstream=listed) as (run, seen):
        async with run.session.request(method, run.url + path) as response:
            assert status == response.status
        assert (status == 200) == bool(seen.path)


async def test_it_is_off_unless_an_upstream_says_so() -> None:
    async with proxied(upstream={"pass_paths": []}) as (run, seen):
        async with run.session.post(f"{run.url}/pass/far/embeddings") as response:
            assert 404 == response.status
        assert "" == seen.path


@pytest.mark.parametrize(
    ("key", "status"),
    [("any", 200), ("some-models", 403), ("budget", 403), ("money", 403), ("none", 401)],
)
async def test_it_is_for_keys_without_bounds_that_cannot_be_held_there(
    key: str, status: int
) -> None:
    def entry(name: str, **more: Any) -> dict[str, Any]:
        digest = hashlib.sha256(f"secret-{name}".encode()).hexdigest()
        return {"name": name, "sha256": digest, "models": ["*"], **more}

    keys = [
        entry("any"),
        entry("some-models", models=["fast"]),
        entry("budget", tokens_per_minute=1000),
        entry("money", cost_per_day=1),
    ]
    async with proxied(auth={"keys": keys}) as (run, seen):
        headers = {} if key == "none" else {"Authorization": f"Bearer secret-{key}"}
        async with run.session.post(
            f"{run.url}/pass/far/embeddings", data=b"{}", headers=headers
        ) as response:
            assert status == response.status
        assert (status == 200) == bool(seen.path)


async def test_pages_that_may_not_call_pass_nothing_on() -> None:
    async with proxied(cors={"allow_origins": ["https://mine.example"]}) as (run, seen):
        headers = {"Origin": "https://other.example"}
        async with run.session.post(f"{run.url}/pass/far/x", headers=headers) as response:
            assert 403 == response.status
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        async with run.session.get(f"{run.url}/pass/far/x", headers=headers) as response:
            assert 403 == response.status
        assert "" == seen.path


@pytest.mark.parametrize(
    ("timeouts", "begin", "status"),
    [({"first_event_s": 0.15}, b"", 504), ({"idle_s": 0.15}, b"x", 200)],
)
async def test_each_wait_is_bounded(timeouts: dict[str, float], begin: bytes, status: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if begin:
            peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + begin)
        await peer.left()

    config = {"timeouts": timeouts}
    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url, pass_paths=["*"]), **config}) as run,
        run.session.post(f"{run.url}/pass/far/x", data=b"{}") as response,
    ):
        assert status == response.status
        if status == 200:
            with pytest.raises(aiohttp.ClientError):
                await response.read()


async def test_a_client_that_leaves_closes_the_upstream() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await peer.left()
        gone.set()

    async with (
        raw_upstream(script) as url,
        running(one("openai_chat", url, pass_paths=["*"])) as run,
    ):
        response = await run.session.get(f"{run.url}/pass/far/x")
        await response.content.readany()
        response.close()
        async with asyncio.timeout(2):
            await gone.wait()


async def test_an_upstream_s_places_hold() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await peer.left()

    bounds = {"pass_paths": ["*"], "max_streams": 1, "queue_s": 0}
    async with (
        raw_upstream(script) as url,
        running(one("openai_chat", url, **bounds)) as run,
        run.session.get(f"{run.url}/pass/far/x") as first,
    ):
        assert 200 == first.status
        async with run.session.get(f"{run.url}/pass/far/x") as second:
            assert 503 == second.status


async def test_a_drain_ends_what_is_passed_on() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await peer.left()

    async with raw_upstream(script) as url:
        async with running(one("openai_chat", url, pass_paths=["*"])) as run:
            response = await run.session.get(f"{run.url}/pass/far/x")
            await run.process.gateway.drain(0.1)
            with pytest.raises(aiohttp.ClientError):
                await response.read()
