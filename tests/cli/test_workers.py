"""`workers: 2`: one port, one account, and nobody left behind."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.cli.tools import (
    HELLO,
    STOP,
    Client,
    clients,
    log_lines,
    mainstem,
    metric,
    stage,
    started,
    until,
    until_metric,
    until_refused,
)
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer

REQUESTS = 40


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid: int) -> bool:
    """Not gone, and no zombie that its new parent has yet to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def open_files(pid: int) -> list[str]:
    """What a process has open. It may close one, or end, while it is looked at."""
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append(str(file.readlink()))
    return found


def sockets(pid: int) -> int:
    return sum("socket:" in name for name in open_files(pid))


def has_open(pid: int, path: Path) -> bool:
    return str(path) in open_files(pid)


def written(folder: Path, url: str) -> str:
    config = {
        "server": {"port": 0, "workers": 2, "drain_s": 10},
        "admin": {"port": 0},
        "upstreams": {"far": {"dialect": "openai_chat", "base_url": url}},
        "models": {"*": [{"upstream": "far"}]},
    }
    file = folder / "mainstem.yaml"
    file.write_text(json.dumps(config))
    return str(file)


COMPLETED = 'mainstem_streams_total{client_dialect="native",model="*",outcome="completed"'
LOST = 'mainstem_streams_total{client_dialect="none",model="none",outcome="internal",upstream="far"'


async def test_two_workers_are_one_proxy(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await go.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with (
        stage() as upstream,
        started("serve", "--config", written(tmp_path, upstream.url), last="try") as proxy,
    ):
        admin = proxy.greeting.split("metrics  ")[1].split("/metrics")[0]
        first, second = workers = children(proxy.process.pid)
        async with clients(proxy.url) as connect:
            for client in await asyncio.gather(*(connect() for _ in range(REQUESTS))):
                client.post()
                await client.answer()
            await until_metric(admin, COMPLETED, REQUESTS)
            assert min(map(sockets, workers)) > 4  # every worker has some of them

        upstream.script = waits
        async with clients(proxy.url) as connect:
            talking = await asyncio.gather(*(connect() for _ in range(REQUESTS)))
            for client in talking:
                client.post()
            await asyncio.gather(*(client.reader.readuntil(b"Hello") for client in talking))
            await until_metric(admin, "mainstem_streams_open", REQUESTS)

            os.kill(first, signal.SIGKILL)
            await until_replaced(proxy.process.pid, first)
            kept = await metric(admin, "mainstem_streams_open")
            assert 0 < kept < REQUESTS
            for name in ("process_cpu_seconds_total", "process_resident_memory_bytes"):
                for pid in (proxy.process.pid, second):
                    assert 0 < await metric(admin, f'{name}{{pid="{pid}"}}')
                assert 0 == await metric(admin, f'{name}{{pid="{first}"}}')
            await until_metric(admin, "mainstem_worker_restarts_total", 1)
            await until_metric(admin, LOST, REQUESTS - kept)
            go.set()

        async def both_reloaded() -> bool:  # also the new one, which may still be starting
            return 2 == await metric(admin, 'mainstem_config_reloads_total{result="ok"}')

        proxy.process.send_signal(signal.SIGHUP)
        await until(both_reloaded)
        # every stream has an end: those of the dead worker too
        await until_metric(admin, "mainstem_streams_total", 2 * REQUESTS)

        workers = [second, *(child for child in children(proxy.process.pid) if child != second)]
        upstream.script, go = waits, asyncio.Event()
        async with clients(proxy.url) as connect:
            last = await connect()
            last.post()
            await last.reader.readuntil(b"Hello")
            proxy.process.send_signal(signal.SIGTERM)
            await until_refused(connect)
            go.set()
            assert b'"stream.end"' in await last.reader.read()
        ended = await proxy.ended()
    assert 0 == ended.status
    assert not any(map(runs, workers))
    died = [
        (line["pid"], line["status"]) for line in log_lines(ended.err) if line["level"] == "error"
    ]
    assert [(first, -signal.SIGKILL)] == died


async def test_workers_end_with_their_parent_and_are_us_wherever_it_was_started(
    tmp_path: Path,
) -> None:
    """What a killed parent leaves in the temporary folder is its workers' as long as they run, and
    the next start takes it away."""
    (tmp_path / "proxy.py").write_text("raise SystemExit('the wrong module')")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = {
        "MAINSTEM_SERVER__WORKERS": "2",
        "MAINSTEM_SERVER__DRAIN_S": "0.1",
        "TMPDIR": str(temporary),
    }
    async with started("serve", "--port", "0", last="mock", env=env, cwd=tmp_path) as proxy:
        workers = children(proxy.process.pid)
        assert 2 == len(workers)
        left = next(temporary.glob("mainstem-metrics-*"))
        assert all(has_open(worker, left) for worker in workers)
        assert -signal.SIGKILL == (await proxy.end(signal.SIGKILL)).status

        async def gone() -> bool:
            return not any(map(runs, workers))

        await until(gone)
    os.utime(left, (1, 1))  # it is some time later
    async with started("serve", "--port", "0", last="mock", env=env) as proxy:
        assert [left.name] != [found.name for found in temporary.iterdir()]
        assert not left.exists()
        assert 0 == (await proxy.end()).status
    kept = temporary / f"mainstem-{os.getuid()}"  # where local keys are
    assert ([kept], []) == (list(temporary.iterdir()), list(kept.iterdir()))


async def test_what_any_worker_has_open_is_listed_and_cancelled_by_one_command(
    tmp_path: Path,
) -> None:
    """Whichever of them is asked; one that was killed is asked no more."""

    async def speaks(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await peer.left()

    async with stage() as upstream:
        upstream.script = speaks
        config = written(tmp_path, upstream.url)
        async with started("serve", "--config", config, last="try") as proxy:
            admin = proxy.greeting.split("metrics  ")[1].split("/metrics")[0]

            async def listed() -> list[dict[str, Any]]:
                ended = await mainstem("streams", "--url", admin, "--json")
                assert 0 == ended.status, ended.err
                streams: list[dict[str, Any]] = json.loads(ended.out)["streams"]
                return streams

            async def are_listed(ids: set[str]) -> bool:
                """A worker that does not answer in time is left out."""
                return ids == {each["id"] for each in await listed()}

            async with clients(proxy.url) as connect:
                talking = await asyncio.gather(*(connect() for _ in range(20)))
                for client in talking:
                    client.post()
                await asyncio.gather(*(client.reader.readuntil(b"Hello") for client in talking))
                found = await listed()
                assert 20 == len({stream["id"] for stream in found})
                assert set(children(proxy.process.pid)) == {each["worker"] for each in found}
                ages = [stream["age_s"] for stream in found]
                assert sorted(ages, reverse=True) == ages

                for stream in found[:4]:
                    ended = await mainstem("streams", "--url", admin, "--cancel", stream["id"])
                    assert (0, "cancelled\n") == (ended.status, ended.out)
                left = {each["id"] for each in found[4:]}
                await until(lambda: are_listed(left))
                ended = await mainstem("streams", "--url", admin, "--cancel", found[0]["id"])
                assert (1, True) == (ended.status, "Nothing that runs" in ended.err)

                killed = found[4]["worker"]
                os.kill(killed, signal.SIGKILL)
                await until_replaced(proxy.process.pid, killed)
                kept = {each["id"] for each in found[4:] if each["worker"] != killed}
                await until(lambda: are_listed(kept))

                ended = await mainstem("streams", "--url", admin)
                head, *rows, last = ended.out.splitlines()
                assert ["id", "state", "age", "key"] == head.split()[:4]
                assert f"{len(kept)} open" == last
                assert kept == {row.split()[0] for row in rows}


async def until_replaced(parent: int, killed: int) -> None:
    async def replaced() -> bool:
        now = children(parent)
        return len(now) == 2 and killed not in now

    await until(replaced)


async def test_a_client_stops_its_answer_whichever_worker_gives_it(tmp_path: Path) -> None:
    """Each stop comes on a connection of its own, which may be another worker's."""
    chats, left = 10, 0

    async def speaks(peer: Peer) -> None:
        nonlocal left
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await peer.left()
        left += 1

    async def chat(client: Client, name: str) -> None:
        parts = [{"type": "text", "text": "hi"}]
        client.post({"id": name, "messages": [{"role": "user", "parts": parts}]}, "/v1/ai-sdk")
        await client.reader.readuntil(b"Hello")

    async with (
        stage() as upstream,
        started("serve", "--config", written(tmp_path, upstream.url), last="try") as proxy,
        clients(proxy.url) as connect,
    ):
        upstream.script = speaks
        talking = [await connect() for _ in range(chats)]
        for number, client in enumerate(talking):
            await chat(client, f"chat-{number}")
        for number, client in enumerate(talking):
            other = await connect()
            other.post({}, f"/v1/ai-sdk/chat-{number}/stop")
            assert b" 204 " in await other.reader.readuntil(b"\r\n")
            async with asyncio.timeout(10):
                assert b'"error"' in await client.reader.readuntil(b"0\r\n\r\n")

        async def gone() -> bool:
            return left == chats

        await until(gone)
