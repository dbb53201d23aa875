"""Workers that die: under load, again and again, and with a file that no longer lets them start."""

import asyncio
import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from proxy.cli import foreman
from proxy.observe.crew import Crew
from tests.cli.crowd import CROWD, Crowd, streaming
from tests.cli.test_workers import children, sockets
from tests.cli.tools import Started, metric, stage, started, until


def written(folder: Path, url: str) -> Path:
    file = folder / "mainstem.yaml"
    file.write_text(
        json.dumps(
            {
                "server": {"port": 0, "workers": 2, "drain_s": 4, "reload_check_s": 0.1},
                "admin": {"port": 0},
                "logs": {"level": "error"},
                "upstreams": {"far": {"dialect": "openai_chat", "base_url": url}},
                "models": {"*": [{"upstream": "far"}]},
            }
        )
    )
    return file


async def both_listen(proxy: Started, without: int) -> None:
    """Until there are two again, and the new one takes connections."""

    async def there() -> bool:
        now = children(proxy.process.pid)
        return len(now) == 2 and without not in now and min(map(sockets, now)) > 1

    await until(there)


@pytest.mark.slow
async def test_under_load_a_worker_takes_none_but_its_own_streams_along(tmp_path: Path) -> None:
    async with stage() as upstream:
        upstream.script = streaming
        async with started(
            "serve", "--config", str(written(tmp_path, upstream.url)), last="try"
        ) as proxy:
            admin = proxy.greeting.split("metrics  ")[1].split("/metrics")[0]
            crowd = Crowd(proxy.url)

            async def all_stream() -> bool:
                return CROWD * 0.8 < await metric(admin, "mainstem_streams_open")

            await until(all_stream)
            first, second = children(proxy.process.pid)
            os.kill(first, signal.SIGKILL)
            await both_listen(proxy, first)
            await asyncio.sleep(0.1)  # in which it is given its share
            await crowd.finish()
            assert second in children(proxy.process.pid)
            assert {
                "200 stream.end",
                "cut",
                "200 cut",
                "200 stream.end cut",
            } >= crowd.outcomes.keys()
            whole, cut = (
                crowd.outcomes["200 stream.end"],
                crowd.begun - crowd.outcomes["200 stream.end"],
            )
            assert 0 < cut < CROWD
            counted = await metric(
                admin,
                'mainstem_streams_total{client_dialect="native",model="*",outcome="completed"',
            )
            assert whole - CROWD <= counted <= whole + cut  # a reset may take along what was whole

            async def none_open() -> bool:
                return 0 == await metric(admin, "mainstem_streams_open")

            await until(none_open)
            assert 0 == (await proxy.end()).status


async def test_an_emptied_file_lets_no_worker_start_until_it_is_mended(tmp_path: Path) -> None:
    """What takes the dead one's place must not answer with the embedded mock."""
    async with stage() as upstream:
        file = written(tmp_path, upstream.url)
        text = file.read_text()
        async with (
            started("serve", "--config", str(file), last="try") as proxy,
            aiohttp.ClientSession() as session,
        ):
            first, second = children(proxy.process.pid)
            file.write_text("")
            os.kill(first, signal.SIGKILL)
            assert proxy.process.stderr is not None
            deaths = 0
            async with asyncio.timeout(30):
                while deaths < 2:
                    deaths += (
                        b"a worker died and is replaced" in await proxy.process.stderr.readline()
                    )
            for _ in range(5):
                async with session.post(
                    f"{proxy.url}/v1/stream", json={"model": "m", "prompt": "hi"}
                ) as response:
                    assert "far" == response.headers["x-mainstem-upstream"]
            file.write_text(text)
            proxy.process.send_signal(signal.SIGHUP)
            await both_listen(proxy, first)
            assert second in children(proxy.process.pid)
            ended = await proxy.end()
    assert 0 == ended.status


class Dead:
    """A worker that ended when it was looked at."""

    returncode = 1

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int:
        return self.returncode


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(s=1000.0)
    monkeypatch.setattr(foreman.time, "monotonic", lambda: now.s)
    return now


@pytest.fixture
def crew(tmp_path: Path, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One whose workers are all dead as soon as they are started."""
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    books = Crew(str(tmp_path))
    places: Any = SimpleNamespace(listening=list)
    made: Any = foreman.Foreman([], environ, 0, 1, places=places, books=books, ready=lambda: None)
    made._up = True
    pids = iter(range(1, 1000))

    def start(_: object) -> Dead:
        return Dead(next(pids))

    monkeypatch.setattr(made, "_start", start)
    yield made
    books.close()
    for pipe in (made._life, made._held, made._hear, made._told):
        os.close(pipe)


def waits(crew: Any, clock: SimpleNamespace, times: int, lived_s: float = 0) -> list[float]:
    """How long it is until the next start, each time."""
    found = []
    for _ in range(times):
        crew._add([])
        clock.s += lived_s
        crew._part()
        found.append(crew._due[0] - clock.s)
        clock.s = crew._due[0]
        crew._due = []
    return found


def test_a_worker_that_dies_again_and_again_is_started_ever_more_seldom(
    crew: Any, clock: SimpleNamespace
) -> None:
    assert [1, 2, 4, 8, 16, 30, 30] == waits(crew, clock, 7)
    assert [1] == waits(crew, clock, 1, lived_s=61)
    assert [2] == waits(crew, clock, 1)


def test_a_signal_to_reload_has_the_missing_ones_started_at_once(
    crew: Any, clock: SimpleNamespace
) -> None:
    crew._due = [clock.s + 30, clock.s + 16]
    crew._replace()
    assert {} == crew._workers
    crew._heed(bytes([signal.SIGHUP]))
    crew._replace()
    assert (2, []) == (len(crew._workers), crew._due)


def test_where_the_system_has_no_room_for_a_worker_it_is_tried_again(
    crew: Any, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(crew, "_start", fails)
    crew._due = [clock.s]
    crew._replace()
    assert ({}, [clock.s + 30]) == (crew._workers, crew._due)
