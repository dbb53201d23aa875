"""One process over reloads: what runs keeps the configuration that it began with, what comes has
the new one."""

import asyncio
import gc
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proxy.observe.record import StreamRecord
from tests.cli.tools import HELLO, STOP
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running

ASK = {"model": "m", "prompt": "hi"}
SECRET = "the-clients-key"
KEY = {"name": "web", "sha256": hashlib.sha256(SECRET.encode()).hexdigest()}
HEADERS = {"authorization": f"Bearer {SECRET}"}
PLAYED = {
    "upstreams": {"demo": {"dialect": "plain", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "demo"}]},
}
SLOW = {
    "upstreams": {"demo": {"dialect": "anthropic", "mock": {"fault": "stall@2"}}},
    "models": {"*": [{"upstream": "demo"}]},
}


class Upstream:
    """Says hello, and goes on when it is told to. `asked`: how often."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.go = asyncio.Event()

    async def play(self, peer: Peer) -> None:
        self.asked += 1
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await self.go.wait()
        peer.send(HELLO + STOP)
        peer.write(LAST_CHUNK)

    def config(self, **more: Any) -> dict[str, Any]:
        return {**one("openai_chat", self.url), **more}


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    async with raw_upstream(made.play) as url:
        made.url = url
        yield made


@asynccontextmanager
async def talking(run: Running, **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    """A stream in its midst."""
    async with run.session.post(
        f"{run.url}/v1/stream", json=ASK, headers=headers or HEADERS
    ) as response:
        assert 200 == response.status, await response.text()
        await response.content.readuntil(b"text.delta")
        yield response


async def rest_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The last event of a stream; there is one of its kind."""
    lines = (await response.read()).decode().split("\n")
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    ends = [event for event in events if event["type"] in ("stream.end", "stream.error")]
    assert [events[-1]] == ends
    return dict(ends[0])


async def asked(run: Running, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    async with run.session.post(
        f"{run.url}/v1/stream",
        json={**ASK, "stream": False},
        headers=HEADERS if headers is None else headers,
    ) as response:
        return response.status, await response.json()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  nothing announces it
            await asyncio.sleep(0.01)


async def test_a_removed_upstream_serves_its_streams_to_their_end() -> None:
    async with upstream() as far, running(far.config()) as run, talking(run) as old:
        await run.reload(PLAYED)
        status, answer = await asked(run)
        assert (200, "demo", 1) == (status, answer["upstream"], far.asked)
        far.go.set()
        assert "stream.end" == (await rest_of(old))["type"]
        assert 0 == await run.metric('mainstem_streams_open{upstream="far"}')


async def test_a_removed_key_keeps_its_streams_and_gets_no_more() -> None:
    async with (
        upstream() as far,
        running(far.config(auth={"keys": [KEY]})) as run,
        talking(run) as old,
    ):
        await run.reload(far.config(auth={"keys": [{"name": "other", "sha256": "0" * 64}]}))
        status, answer = await asked(run)
        assert (401, "unauthorized") == (status, answer["error"]["kind"])
        far.go.set()
        assert "stream.end" == (await rest_of(old))["type"]


async def test_auth_that_is_switched_on_is_for_those_who_come() -> None:
    async with upstream() as far, running(far.config()) as run, talking(run) as old:
        await run.reload(far.config(auth={"keys": [KEY]}))
        far.go.set()
        assert 401 == (await asked(run, {}))[0]
        assert 200 == (await asked(run))[0]
        assert "stream.end" == (await rest_of(old))["type"]


async def test_shorter_timeouts_are_for_those_who_come() -> None:
    async with upstream() as far, running(far.config()) as run, talking(run) as old:
        await run.reload(far.config(timeouts={"total_s": 0.3, "idle_s": 0.3}))
        async with talking(run) as new:
            event = await rest_of(new)
        assert "stream.error" == event["type"]
        assert event["error"]["kind"] in ("idle_timeout", "total_timeout")
        far.go.set()
        assert "stream.end" == (await rest_of(old))["type"]


async def test_longer_timeouts_do_not_save_those_who_run() -> None:
    async with (
        upstream() as far,
        running(far.config(timeouts={"total_s": 0.5})) as run,
        talking(run) as old,
    ):
        await run.reload(far.config())
        async with talking(run) as new:
            assert "total_timeout" == (await rest_of(old))["error"]["kind"]
            far.go.set()
            assert "stream.end" == (await rest_of(new))["type"]


async def test_lowered_limits_end_nothing_and_count_what_is_open() -> None:
    async with upstream() as far, running(far.config(limits={"max_streams": 3})) as run:
        async with talking(run) as first, talking(run) as second:
            await run.reload(far.config(limits={"max_streams": 2, "max_event_bytes": 10}))
            status, answer = await asked(run)
            assert (503, "overloaded") == (status, answer["error"]["kind"])
            far.go.set()
            assert ["stream.end"] * 2 == [
                (await rest_of(stream))["type"] for stream in (first, second)
            ]
        await run.reload(far.config(limits={"max_streams": 2}))
        assert 200 == (await asked(run))[0]


async def test_a_keys_streams_are_counted_over_a_reload() -> None:
    key = {**KEY, "max_streams": 1}
    async with upstream() as far, running(far.config(auth={"keys": [key]})) as run:
        async with talking(run) as old:
            await run.reload(far.config(auth={"keys": [key]}, logs={"level": "warning"}))
            assert 429 == (await asked(run))[0]
            far.go.set()
            assert "stream.end" == (await rest_of(old))["type"]
        assert 200 == (await asked(run))[0]


async def test_a_mock_that_is_removed_plays_its_streams_on_and_then_stops() -> None:
    async with running(SLOW) as run:
        listener = run.mock.address
        async with talking(run):
            await run.reload(PLAYED)
            assert 200 == (await asked(run))[0]
            assert 2 == len(run.process.mocks._servers)
        await until(
            lambda: gc.collect() >= 0 and [run.process.mocks.newest] == run.process.mocks._servers
        )
        await until(lambda: not run.process.mocks._finishing)
        with pytest.raises(aiohttp.ClientConnectorError):
            await run.session.get(listener)


async def test_a_mocks_account_is_there_when_there_is_a_mock() -> None:
    async with upstream() as far, running(far.config()) as run:
        far.go.set()
        assert 404 == (await run.session.get(f"{run.url}/mock/requests")).status
        await run.reload(PLAYED)
        assert 200 == (await asked(run))[0]
        async with run.session.get(f"{run.url}/mock/requests") as response:
            assert 1 == len(await response.json())


async def test_streams_that_have_ended_are_forgotten() -> None:
    """Also those whose answer was closed in the midst of being read: whatever is raised there is
    not to hold on to them."""

    def records() -> int:
        gc.collect()
        return sum(isinstance(thing, StreamRecord) for thing in gc.get_objects())

    async with upstream() as far, running(far.config()) as run:
        far.go.set()
        before = records()  # of earlier tests of this process
        for _ in range(30):
            async with run.session.post(f"{run.url}/v1/stream", json=ASK) as response:
                assert "stream.end" == (await rest_of(response))["type"]
        # the connection's last one
        assert 1 >= records() - before


async def test_a_hundred_reloads_under_way_leave_no_task_and_no_socket() -> None:
    """Each brings another mock; streams begin and end all the while."""
    async with running(PLAYED) as run:
        assert 200 == (await asked(run))[0]
        before = sockets()
        for number in range(100):
            name = f"demo-{number}"
            plain = {"dialect": "plain", "mock": {"tokens_per_s": 0}}
            reloading = run.reload(
                {"upstreams": {name: plain}, "models": {"*": [{"upstream": name}]}}
            )
            answers = await asyncio.gather(
                *(asked(run) for _ in range(3)), reloading, *(asked(run) for _ in range(3))
            )
            assert {200} == {answer[0] for answer in answers if answer is not None}
        await until(
            lambda: (
                gc.collect() >= 0
                and not run.process.mocks._finishing
                and len(run.process.mocks._servers) == 1
            )
        )
        # connections that six askers at once hold open, on both sides
        await until(lambda: sockets() <= before + 12)


def sockets() -> int:
    return sum(
        "socket:" in str(file.readlink())
        for file in Path("/proc/self/fd").iterdir()
        if file.is_symlink()
    )


@pytest.mark.parametrize(("scheme", "loads"), [("http", 0), ("https", 1)])
async def test_authorities_are_loaded_at_once_where_an_upstream_has_https(
    monkeypatch: pytest.MonkeyPatch, scheme: str, loads: int
) -> None:
    """And after a reload, so that no request waits for them."""
    called = []
    monkeypatch.setattr("proxy.app.load_waiting", lambda: called.append(1))
    config = one("openai_chat", f"{scheme}://127.0.0.1:9")
    async with running(config) as run:
        await run.reload({**config, "retry": {"retries": 1}})
    assert 2 * loads == len(called)
