"""HTTP/1.1 as clients speak it, and the log that it leaves: one line a request, nothing of what was
said, no trace of a broken client."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.cli.tools import (
    ASK,
    Client,
    Stage,
    Started,
    clients,
    events,
    log_lines,
    request_bytes,
    stage,
    started,
    until,
    whole,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Scene:
    """The proxy, and the upstream behind it."""

    def __init__(self, proxy: Started, upstream: Stage) -> None:
        self.url = proxy.url
        self.upstream = upstream
        self._proxy = proxy
        self._seen = ""

    async def logged(self) -> list[dict[str, Any]]:
        """The lines since the last call, up to that of a request that is made for this purpose."""
        async with clients(self.url) as connect:
            client = await connect()
            client.post({}, x_request_id="mark")
            await client.answer()
        assert self._proxy.process.stderr is not None
        lines: list[dict[str, Any]] = []
        while not lines or lines[-1].get("request_id") != "mark":
            lines += log_lines((await self._proxy.process.stderr.readline()).decode())
        return lines[:-1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    file = tmp_path_factory.mktemp("connections") / "mainstem.yaml"
    async with stage() as upstream:
        far = {"dialect": "openai_chat", "base_url": upstream.url, "api_key": "the-vendors-key"}
        file.write_text(
            json.dumps(
                {
                    "server": {"port": 0},
                    "upstreams": {"far": far},
                    "models": {"*": [{"upstream": "far"}]},
                }
            )
        )
        async with started("serve", "--config", str(file), last="try") as proxy:
            yield Scene(proxy, upstream)


@pytest.fixture(autouse=True)
def _whole(scene: Scene) -> None:
    scene.upstream.script = whole


async def ended_well(client: Client) -> bool:
    head, body = await client.answer()
    return head.startswith(b"HTTP/1.1 200 ") and events(body)[-1]["type"] == "stream.end"


async def test_one_connection_serves_one_request_after_another(scene: Scene) -> None:
    async with clients(scene.url) as connect:
        client = await connect()
        for body in (ASK, {}, ASK, {**ASK, "stream": False}, ASK):
            client.post(body)
            head, answer = await client.answer()
            assert (b" 400 " if not body else b" 200 ") in head.split(b"\r\n")[0] + b" "
            assert answer


async def test_requests_that_are_sent_at_once_are_answered_in_their_order(scene: Scene) -> None:
    async with clients(scene.url) as connect:
        client = await connect()
        client.writer.write(
            b"".join(
                request_bytes(json.dumps({**ASK, "model": f"m{number}"}).encode())
                for number in range(3)
            )
        )
        for number in range(3):
            head, body = await client.answer()
            assert head.startswith(b"HTTP/1.1 200 ")
            assert f"m{number}" == events(body)[0]["model"]


async def test_an_old_client_gets_a_body_that_ends_with_its_connection(scene: Scene) -> None:
    async with clients(scene.url) as connect:
        client = await connect()
        client.writer.write(
            request_bytes(json.dumps(ASK).encode()).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        )
        head, _, body = (await client.reader.read()).partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in head.lower()
        assert "stream.end" == events(body)[-1]["type"]


async def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(scene: Scene) -> None:
    request = request_bytes(json.dumps(ASK).encode(), Expect="100-continue")
    head, _, body = request.partition(b"\r\n\r\n")
    async with clients(scene.url) as connect:
        client = await connect()
        client.writer.write(head + b"\r\n\r\n")
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == await client.reader.readuntil(b"\r\n\r\n")
        client.writer.write(body)
        assert await ended_well(client)


async def test_clients_that_never_finish_their_requests_are_in_nobodys_way(scene: Scene) -> None:
    """They stop in the midst of the head or of the body, and leave when another has been served."""
    await scene.logged()
    request = request_bytes(json.dumps({**ASK, "prompt": "x" * 2000}).encode())
    head = request.index(b"\r\n\r\n") + 4
    cuts = [*range(0, head, 20), *range(head, len(request), 200)]
    async with clients(scene.url) as connect:
        stuck = await asyncio.gather(*(connect() for _ in cuts))
        for client, cut in zip(stuck, cuts, strict=True):
            client.writer.write(request[:cut])
        client = await connect()
        client.post()
        assert await ended_well(client)
    gone: list[dict[str, Any]] = []

    async def all_gone() -> bool:
        gone.extend(line for line in await scene.logged() if line["outcome"] != "completed")
        return len(gone) >= sum(cut >= head for cut in cuts)

    await until(all_gone)
    assert {("client_gone", 499)} == {(line["outcome"], line["status"]) for line in gone}


async def test_what_is_not_http_is_refused_and_leaves_no_trace_of_the_code(scene: Scene) -> None:
    await scene.logged()
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /\x00 HTTP/9\r\n\r\n",
        b"POST /v1/stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ):
        async with clients(scene.url) as connect:
            client = await connect()
            client.writer.write(sent)
            assert (await client.reader.read()).startswith(b"HTTP/1.")
    assert [] == [line for line in await scene.logged() if "exception" in line]


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ("mine-1.2_3", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ('"}{', False),
        ("caf\u00e9", False),
        ("../../etc", False),
    ],
)
async def test_a_harmless_request_id_is_kept_and_any_other_replaced(
    scene: Scene, asked: str, taken: bool
) -> None:
    await scene.logged()
    async with clients(scene.url) as connect:
        client = await connect()
        client.post(x_request_id=asked)
        head, body = await client.answer()
    given = head.lower().split(b"x-request-id: ")[1].split(b"\r\n")[0].decode()
    assert taken is (asked == given)
    assert 0 < len(given) <= 64
    (line,) = await scene.logged()
    assert [given, events(body)[0]["stream"]] == [line["request_id"], line["stream"]]


async def test_the_log_has_one_line_a_request_and_nothing_that_was_said(scene: Scene) -> None:
    await scene.logged()
    said = {
        "model": "m\nforged",
        "system": "the-secret-system",
        "prompt": "the-secret-prompt",
        "user": "the-secret-user",
    }
    headers = {
        "authorization": "Bearer the-clients-key",
        "x_api_key": "the-clients-key",
        "cookie": "the-cookie",
    }
    async with clients(scene.url) as connect:
        client = await connect()
        for body in (said, {**said, "stream": False}, {**said, "no-such-key": "the-secret-value"}):
            client.post(body, path="/v1/stream?x=the-query", **headers)
            await client.answer()
    lines = await scene.logged()
    assert [("completed", 200), ("completed", 200), ("bad_request", 400)] == [
        (line["outcome"], line["status"]) for line in lines
    ]
    text = json.dumps(lines)
    for secret in (
        "the-secret",
        "the-clients-key",
        "the-cookie",
        "the-query",
        "the-vendors-key",
        "Hello",
    ):
        assert secret not in text


async def test_a_connection_that_has_ended_is_watched_no_more(tmp_path: Path) -> None:
    """What looks at it later would find it closed, and say so in the log."""
    file = tmp_path / "mainstem.yaml"
    file.write_text(json.dumps({"server": {"port": 0}, "streams": {"write_timeout_s": 0.1}}))
    async with started("serve", "--config", str(file), last="mock") as proxy:
        async with clients(proxy.url) as connect:
            for _ in range(3):
                client = await connect()
                client.writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await client.reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        ended = await proxy.end()
        assert [] == [line for line in log_lines(ended.err) if line["level"] == "error"]
