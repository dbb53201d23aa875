"""What runs now, for the operator: listed, cancelled, and shown to nobody else."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from proxy.app import Process
from proxy.observe.crew import socket_of
from proxy.server import siblings
from proxy.server.operating import PATH
from tests.raw_upstream import CHUNKED, Peer
from tests.relay.far import ROLE, Far, breaks_off_after, delta, proxied, silent, until
from tests.running import LOCAL_KEY, OPERATOR, Running, running, settings_of
from tests.server.test_operators import MOCKED, keys

SAYS = (
    b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
    b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
)
NAMED = CHUNKED.replace(b"\r\n\r\n", b"\r\nX-Request-Id: req_far_1\r\n\r\n")


async def speaks(peer: Peer) -> None:
    peer.write(NAMED)
    peer.send(ROLE + SAYS)
    await peer.left()


async def listed(run: Running) -> list[dict[str, Any]]:
    async with run.session.get(run.url + PATH, headers=OPERATOR) as response:
        assert 200 == response.status, await response.text()
        found: list[dict[str, Any]] = (await response.json())["streams"]
        return found


async def cancelled(run: Running, stream: str) -> int:
    async with run.session.delete(f"{run.url}{PATH}/{stream}", headers=OPERATOR) as response:
        return int(response.status)


def asked(run: Running, **body: Any) -> asyncio.Task[tuple[int, str]]:
    async def ask() -> tuple[int, str]:
        given = {"model": "m", "prompt": "hi", **body}
        async with run.session.post(f"{run.url}/v1/stream", json=given) as response:
            return response.status, await response.text()

    return asyncio.create_task(ask())


async def one_of(run: Running, **fields: Any) -> dict[str, Any]:
    """The one that is open, once it is like this."""
    while True:
        found = await listed(run)
        if len(found) == 1 and all(found[0][name] == value for name, value in fields.items()):
            return found[0]
        await asyncio.sleep(0.01)


async def test_a_stream_is_listed_as_far_as_it_is_and_can_be_cancelled() -> None:
    """Its client is told in band, its upstream is left, and the log says whose doing it was."""
    far = Far(speaks)
    with structlog.testing.capture_logs() as log:
        async with proxied(["far"], {"far": far}) as run:
            assert [] == await listed(run)
            client = asked(run)
            found = await one_of(run, state="streaming")
            assert 0 <= found.pop("age_s") < 60
            assert 0 < found.pop("bytes_out")
            stream = found.pop("id")
            assert found.pop("worker") > 0
            assert found.pop("request_id")
            assert {
                "work": "stream",
                "state": "streaming",
                "key": None,
                "client_dialect": "native",
                "model": "m",
                "upstream": "far",
                "upstream_model": "m",
                "output_tokens": 2,
                "counted": False,
                "bytes_waiting": 0,
            } == found
            assert 204 == await cancelled(run, stream)
            status, text = await client
            assert (200, True) == (status, '"kind":"cancelled"' in text)
            assert "operator" in text
            await until(lambda: run.process.gateway.open_requests == 0)
            assert [] == await listed(run)
            assert 404 == await cancelled(run, stream)
    (line,) = (line for line in log if line["event"] == "stream")
    assert ("cancelled", "operator") == (line["outcome"], line["ended_by"])
    assert ("req_far_1", "chatcmpl-1") == (line["vendor_request_id"], line["response_id"])
    (attempt,) = line["attempts"]
    assert attempt.startswith("far m ok 0.0")


@pytest.mark.parametrize("stream", [True, False])
async def test_what_still_looks_for_an_answer_is_listed_and_can_be_cancelled(stream: bool) -> None:
    far = Far(silent)
    async with proxied(["far"], {"far": far}) as run:
        client = asked(run, stream=stream)
        found = await one_of(run, state="waiting", upstream="far")
        assert 204 == await cancelled(run, found["id"])
        status, text = await client
        assert (499, True) == (status, "cancelled" in text)
        await until(lambda: far.left == 1)


async def test_a_search_for_another_target_after_commit_is_cancelled_in_band() -> None:
    model = {"targets": ["first", "second"], "continue_after_commit": True}
    second = Far(silent)
    async with proxied(model, {"first": Far(breaks_off_after("Hel")), "second": second}) as run:
        client = asked(run)
        await until(lambda: second.asked)
        found = await one_of(run, upstream="second")
        assert 204 == await cancelled(run, found["id"])
        status, text = await client
        assert (200, 1) == (status, text.count('"kind":"cancelled"'))
        await until(lambda: second.left == 1)


async def test_a_kept_stream_without_a_client_is_listed_and_can_be_cancelled() -> None:
    far = Far(speaks)
    async with proxied(["far"], {"far": far}, streams={"resume": {}, "grace_s": 60}) as run:
        async with run.session.post(
            f"{run.url}/v1/streams", json={"model": "m", "prompt": "hi"}
        ) as response:
            stream = (await response.json())["stream"]
        await one_of(run, id=stream, state="streaming")
        assert 204 == await cancelled(run, stream)
        async with run.session.get(f"{run.url}/v1/streams/{stream}") as response:
            assert '"kind":"cancelled"' in await response.text()
        await until(lambda: run.process.gateway.open_requests == 0)


async def test_what_a_slow_client_has_not_taken_waits() -> None:
    async def floods(peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE)
        while True:
            peer.send(delta("x" * 16_000))
            await peer.writer.drain()

    async with (
        proxied(["far"], {"far": Far(floods)}) as run,
        aiohttp.ClientSession(read_bufsize=1024) as session,
        session.post(f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi"}) as response,
    ):
        await response.content.readany()

        async def waits() -> bool:
            return bool((await one_of(run))["bytes_waiting"] >= 65_536)

        await until(waits)


@pytest.mark.parametrize("admin", [None, {"port": 0}])
async def test_without_keys_an_address_of_this_machine_opens_nothing(admin: Any) -> None:
    """What a proxy in front passes on comes from here too; a page and a neighbour in the pod do."""
    async with running({**MOCKED, "auth": "none", "admin": admin}) as run:
        url = run.process.admin_url or run.url
        for headers in ({}, {"x-api-key": ""}, {"x-api-key": "a guess"}, {"x-api-key": "a \udcff"}):
            for method, path in (("GET", PATH), ("DELETE", f"{PATH}/x")):
                async with run.session.request(method, url + path, headers=headers) as response:
                    assert 403 == response.status
                    assert "Access-Control-Allow-Origin" not in response.headers
                    assert "mainstem streams" in await response.text()
        for key in (OPERATOR, {"x-api-key": LOCAL_KEY}):
            async with run.session.get(url + PATH, headers=key) as response:
                assert 200 == response.status
        async with run.session.get(f"{url}{PATH}?key=the%20local%20key") as response:
            assert 403 == response.status  # an address stands in other logs


async def test_the_local_key_opens_nothing_else() -> None:
    async with running({**MOCKED, **keys()}) as run:
        for path in ("/metrics", "/mock/requests", "/v1/models"):
            async with run.session.get(run.url + path, headers=OPERATOR) as response:
                assert 401 == response.status


@pytest.mark.parametrize("admin", [None, {"port": 0}])
async def test_where_keys_are_it_is_for_an_admins_too(admin: Any) -> None:
    async with running({**MOCKED, **keys(), "admin": admin}) as run:
        url = run.process.admin_url or run.url
        for method, path in (("GET", PATH), ("DELETE", f"{PATH}/x")):
            good = 200 if method == "GET" else 404
            for key, status in (
                ("wrong", 401),
                ("a key", 403),
                ("an admin's", good),
                (LOCAL_KEY, good),
                (None, 401),
            ):
                headers = {} if key is None else {"x-api-key": key}
                async with run.session.request(method, url + path, headers=headers) as got:
                    assert status == got.status
        # not in an address, which stands in other logs
        async with run.session.get(f"{url}{PATH}?key=an%20admin's") as got:
            assert 401 == got.status
        if admin:  # there, and there alone
            async with run.session.get(run.url + PATH, headers=OPERATOR) as got:
                assert 404 == got.status


async def test_a_process_without_a_local_key_knows_none() -> None:
    process = Process(settings_of({**MOCKED, "auth": "none"}))
    await process.start()
    try:
        async with aiohttp.ClientSession() as session:
            for key in ("", "None"):
                headers = {"x-api-key": key}
                async with session.get(process.urls[0] + PATH, headers=headers) as response:
                    assert 403 == response.status
    finally:
        await process.stop()


@pytest.mark.parametrize(
    ("body", "length"),
    [
        (b"hello", 5),
        (b"[]", 2),
        (b'{"streams":[1]}', 15),
        (b'{"streams":[{"id":"abcdef"}]}', 29),
        (b'{"others":[]}', 13),
        (b'{"streams":[{"id":"\xff"}]}', 24),
        (b'{"streams":[{"age_s":1.0,"id":%b]}' % (b"[" * 100_000), 100_032),
        (b'{"streams":[{"age_s":1.0,"id":"a"}]%b}' % (b" " * 200_000), 200_036),  # too much
        (b'{"streams":[', 99),  # it dies in the midst of its answer
        (b"", 0),
    ],
)
async def test_a_worker_that_cannot_be_understood_hides_no_other(
    body: bytes, length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siblings, "_MAX_BYTES", 200_000)

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (length, body))
        writer.close()

    async with (
        await asyncio.start_unix_server(answer, tmp_path / socket_of(1)),
        proxied(["far"], {"far": Far(speaks)}) as run,
    ):
        run.process._siblings._folder = tmp_path
        asking = asked(run)
        assert "far" == (await one_of(run, upstream="far"))["upstream"]
        assert 404 == await cancelled(run, "nobodys")
        (one,) = await listed(run)
        assert 204 == await cancelled(run, one["id"])
        await asking
        run.process._siblings._folder = None
