"""The file is watched, a reload loses nothing, and nothing is left behind: the real command, alone
and with two workers."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.crowd import CROWD, Crowd, streaming
from tests.cli.test_workers import open_files
from tests.cli.tools import (
    HELLO,
    STOP,
    Stage,
    Started,
    clients,
    events,
    log_lines,
    metric,
    stage,
    started,
    until,
    until_metric,
)
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer

ENDLESS = 10
LOOK_S = 0.1
SERVER = {"port": 0, "drain_s": 4, "reload_check_s": LOOK_S}
BAD = ("sever: {}", "upstreams: [", "", "models: {'*': [{upstream: nobody}]}")


def config(
    url: str, *, server: dict[str, Any] | None = None, name: str = "far", **upstream: Any
) -> dict[str, Any]:
    far = {"dialect": "openai_chat", "base_url": url, **upstream}
    return {
        "server": {**SERVER, **(server or {})},
        "admin": {"port": 0},
        "logs": {"format": "json", "level": "warning"},
        "upstreams": {name: far},
        "models": {"*": [{"upstream": name}]},
    }


class Scene:
    """The proxy and its file."""

    def __init__(self, proxy: Started, file: Path) -> None:
        self.file = file
        self.process = proxy.process
        self.ended = proxy.ended
        self.end = proxy.end
        self.url = proxy.url
        self.admin = proxy.greeting.split("metrics  ")[1].split("/metrics")[0]

    def write(self, text: str) -> None:
        other = self.file.with_name("other")
        other.write_text(text)
        other.replace(self.file)

    async def read(self, result: str, times: int = 1) -> None:
        """Until it has been read again so often with this result."""

        async def counted() -> bool:
            return times <= await metric(
                self.admin, f'mainstem_config_reloads_total{{result="{result}"}}'
            )

        await until(counted)


@asynccontextmanager
async def scene(folder: Path, given: dict[str, Any], **env: str) -> AsyncIterator[Scene]:
    file = folder / "mainstem.yaml"
    file.write_text(json.dumps(given))
    async with started("serve", "--config", str(file), last="try", env=env) as proxy:
        yield Scene(proxy, file)


async def key_seen(it: Scene, upstream: Stage) -> bytes:
    """The key that the upstream is sent."""
    seen: list[bytes] = []

    async def tells(peer: Peer) -> None:
        head = await peer.request()
        seen.append(
            next(
                line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization:")
            ).split()[-1]
        )
        peer.write(CHUNKED)
        peer.send(HELLO + STOP)
        peer.write(LAST_CHUNK)

    upstream.script = tells
    async with clients(it.url) as connect:
        client = await connect()
        client.post()
        assert "stream.end" == events((await client.answer())[1])[-1]["type"]
    return seen[0]


async def test_the_file_and_the_key_file_are_watched_each_for_itself(tmp_path: Path) -> None:
    """The key is as Kubernetes mounts a Secret: a link to a link to a folder, and the one in the
    middle is swapped."""
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "key").write_text(version)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "key").symlink_to("..data/key")
    async with stage() as upstream, scene(tmp_path, config(upstream.url, api_key_file="key")) as it:
        assert b"v1" == await key_seen(it, upstream)
        (tmp_path / "new").symlink_to("v2")
        (tmp_path / "new").replace(tmp_path / "..data")
        await it.read("ok")
        assert b"v2" == await key_seen(it, upstream)
        it.write(json.dumps(config(upstream.url, api_key="in-the-file")))
        await it.read("ok", 2)
        assert b"in-the-file" == await key_seen(it, upstream)
        ended = await it.end()
        assert (0, "") == (ended.status, ended.err)


async def test_a_bad_file_is_said_once_and_an_emptied_one_never_brings_the_mock(
    tmp_path: Path,
) -> None:
    async with (
        stage() as upstream,
        scene(tmp_path, config(upstream.url)) as it,
        aiohttp.ClientSession() as session,
    ):
        for number, text in enumerate(BAD, 1):
            it.write(text)
            await it.read("failed", number)
            await asyncio.sleep(LOOK_S)  # another look
        async with session.post(
            f"{it.url}/v1/stream", json={"model": "m", "prompt": "hi"}
        ) as response:
            assert "far" == response.headers["x-mainstem-upstream"]
        ended = await it.end()
    lines = log_lines(ended.err)
    assert ["configuration not reloaded: nothing was changed"] * len(BAD) == [
        line["event"] for line in lines
    ]
    assert "names no upstreams any more" in lines[2]["problems"][0]


async def test_a_hundred_reloads_leave_no_file_open(tmp_path: Path) -> None:
    """Each brings other mocks than the one before, and somebody asks one. Two names are used in
    turn: each name stays in the metrics, which are read after each reload."""
    scenarios = ("echo", "hello")

    def played(number: int) -> dict[str, Any]:
        name = scenarios[number % 2]
        upstream = {"dialect": "plain", "mock": {"tokens_per_s": 0, "scenario": name}}
        return {
            **config(""),
            "server": {**SERVER, "reload_check_s": 0},
            "upstreams": {name: upstream},
            "models": {"*": [{"upstream": name}]},
        }

    async with scene(tmp_path, played(0)) as it, aiohttp.ClientSession() as session:

        async def ask(number: int) -> None:
            async with session.post(
                f"{it.url}/v1/stream", json={"model": "m", "prompt": "hi"}
            ) as response:
                assert scenarios[number % 2] == response.headers["x-mainstem-upstream"]
                assert b"stream.end" in await response.read()

        await ask(0)
        before = len(open_files(it.process.pid))
        for number in range(1, 101):
            it.write(json.dumps(played(number)))
            it.process.send_signal(signal.SIGHUP)
            await it.read("ok", number)
            await ask(number)

        async def none_left() -> bool:  # but a connection or two of those who ask
            return len(open_files(it.process.pid)) <= before + 4

        await until(none_left)
        assert 0 == (await it.end()).status


async def test_a_swap_of_an_upstream_under_load_loses_no_stream(tmp_path: Path) -> None:
    """From the moment that the reload is counted each new stream is at the new upstream; those that
    ran end at the old one; none fails."""
    held, released = 30, asyncio.Event()

    async def holds(peer: Peer) -> None:
        while True:  # the connection is used again
            await peer.request()
            peer.write(CHUNKED)
            peer.send(HELLO)
            if b"hold" in peer.body:
                await released.wait()
            peer.send(STOP)
            peer.write(LAST_CHUNK)

    def swapped(name: str) -> dict[str, Any]:
        given = config("", server={"reload_check_s": 0})
        far = {"dialect": "openai_chat", "base_url": upstream.url}
        return {
            **given,
            "upstreams": {"old": far, "new": far},
            "models": {"*": [{"upstream": name}]},
        }

    loaded = False
    asked: dict[bool, list[str]] = {False: [], True: []}

    async def asks(session: aiohttp.ClientSession) -> None:
        after = 0
        while after < 5:
            begun = loaded
            async with session.post(
                f"{it.url}/v1/stream", json={"model": "m", "prompt": "hi"}
            ) as response:
                assert b"stream.end" in await response.read()
                asked[begun].append(response.headers["x-mainstem-upstream"])
            after += begun

    async with stage() as upstream:
        upstream.script = holds
        async with (
            scene(tmp_path, swapped("old")) as it,
            clients(it.url) as connect,
            aiohttp.ClientSession() as session,
        ):
            running = [await connect() for _ in range(held)]
            for client in running:
                client.post({"model": "m", "prompt": "hold"})
            await asyncio.gather(*(client.reader.readuntil(b"text.delta") for client in running))
            askers = [asyncio.create_task(asks(session)) for _ in range(5)]
            it.write(json.dumps(swapped("new")))
            it.process.send_signal(signal.SIGHUP)
            await it.read("ok")
            loaded = True
            await asyncio.gather(*askers)
            await until_metric(it.admin, 'mainstem_streams_open{upstream="old"}', held)
            released.set()
            for client in running:
                rest = await client.reader.readuntil(b"\r\n0\r\n\r\n")
                assert (1, 0) == (rest.count(b'"stream.end"'), rest.count(b'"stream.error"'))
            assert {"new"} == set(asked[True])
            await until_metric(
                it.admin,
                'mainstem_streams_total{client_dialect="native",model="*",outcome="completed",upstream="old"}',
                held + asked[False].count("old"),
            )
            assert 0 == (await it.end()).status


async def read_again_and_again(it: Scene, url: str) -> None:
    """20 signals, and 10 other files, good and bad in turn, written by one who takes no care; the
    last one is good."""
    for number in range(20):
        if number % 4 == 3:
            it.file.write_text(
                json.dumps(config(url, name=f"far-{number}", timeouts={"idle_s": 5 + number}))
            )
        elif number % 4 == 1:
            it.file.write_text(BAD[number // 4 % len(BAD)])
        it.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(0.15)
    await it.read("failed", 2)
    await it.read("ok", 2)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
async def test_no_stream_is_lost_by_reloads_and_none_is_cut_by_the_end(
    tmp_path: Path, workers: int
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    async with stage() as upstream:
        upstream.script = streaming
        async with (
            scene(
                tmp_path, config(upstream.url, server={"workers": workers}), TMPDIR=str(temporary)
            ) as it,
            clients(it.url) as connect,
        ):
            endless = [await connect() for _ in range(ENDLESS)]
            for client in endless:
                client.post({"model": "m", "prompt": "endless"})
            crowd = Crowd(it.url)
            await read_again_and_again(it, upstream.url)
            await crowd.finish()
            assert {"200 stream.end": crowd.begun} == crowd.outcomes
            assert crowd.begun > CROWD
            await until_metric(it.admin, "mainstem_streams_total{", crowd.begun)
            await until_metric(it.admin, "mainstem_streams_open", ENDLESS)

            last = [await connect() for _ in range(CROWD)]
            for client in last:
                client.post()
            await asyncio.gather(*(client.reader.readuntil(b"text.delta") for client in last))
            it.process.send_signal(signal.SIGTERM)
            for client in last:
                rest = await client.reader.readuntil(b"\r\n0\r\n\r\n")
                assert (1, 0) == (rest.count(b'"stream.end"'), rest.count(b'"stream.error"'))
            for client in endless:
                rest = await client.reader.readuntil(b"\r\n0\r\n\r\n")
                assert (0, 1) == (rest.count(b'"stream.end"'), rest.count(b'"stream.error"'))
                assert b'"kind":"shutdown"' in rest
            ended = await it.ended()
    assert 0 == ended.status
    assert "Traceback" not in ended.err
    kept = temporary / f"mainstem-{os.getuid()}"  # where local keys are
    assert ([kept], []) == (list(temporary.iterdir()), list(kept.iterdir()))
