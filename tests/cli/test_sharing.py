"""Several processes of several workers, one Redis, and nginx before them that sends each request to
any: readers move when theirs dies, and are told when the one that generates does."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.test_workers import children, open_files
from tests.cli.tools import ROLE, STOP, metric, started, until
from tests.e2e.nginx_process import running_nginx
from tests.needs import requires
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.redis_server import RedisServer, redis_server

pytestmark = requires("redis", "nginx")
WORDS = [f"w{number} " for number in range(120)]
PACE_S = 0.03
LEASE_S = 2.0
READERS = 8
CROWD = 100


class Vendor:
    """Says the words, one after the other. `asked` are the connections on which it was asked: the
    ports of the proxy's side and of its own."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.request()
            ends = [peer.writer.get_extra_info(f"{end}name")[1] for end in ("peer", "sock")]
            self.asked.append((ends[0], ends[1]))
            peer.write(CHUNKED)
            peer.send(ROLE)
            for word in WORDS:
                said = {"choices": [{"index": 0, "delta": {"content": word}}]}
                peer.send(f"data: {json.dumps(said)}\n\n".encode())
                await asyncio.sleep(PACE_S)
            peer.send(STOP)
            peer.write(LAST_CHUNK)


class Scene:
    """`url` is nginx's. `pids` are all workers of all processes."""

    def __init__(
        self, url: str, parents: list[int], admins: list[str], vendor: Vendor, redis: RedisServer
    ) -> None:
        self.url = url
        self._parents = parents
        self.admins = admins
        self.vendor = vendor
        self.redis = redis

    def workers(self) -> set[int]:
        return {pid for parent in self._parents for pid in children(parent)}

    def generator(self) -> int:
        """The worker that asked the vendor last."""
        inode = _inode(*self.vendor.asked[-1])
        return next(pid for pid in self.workers() if f"socket:[{inode}]" in open_files(pid))

    async def all_there(self) -> None:
        """Until each dead worker has been replaced, and listens."""

        async def there() -> bool:
            now = [children(parent) for parent in self._parents]
            return all(len(pids) == 2 for pids in now) and all(
                sum(link.startswith("socket:") for link in open_files(pid)) > 2
                for pids in now
                for pid in pids
            )

        await until(there)


def _inode(here: int, there: int) -> str:
    """Of the socket between these ports."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = [[int(end.partition(":")[2], 16) for end in row[1:3]] for row in rows]
    return rows[ports.index([here, there])][9]


@asynccontextmanager
async def scene(folder: Path, lease_s: float = LEASE_S) -> AsyncIterator[Scene]:
    vendor = Vendor()
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_server())
        far = await stack.enter_async_context(raw_upstream(vendor))
        file = folder / "mainstem.yaml"
        config = {
            "server": {"port": 0, "workers": 2, "drain_s": 0.2},
            "admin": {"port": 0},
            "logs": {"level": "error"},
            "streams": {"resume": {"store": redis.url, "lease_s": lease_s}, "grace_s": 20},
            "upstreams": {"far": {"dialect": "openai_chat", "base_url": far}},
            "models": {"*": [{"upstream": "far"}]},
        }
        file.write_text(json.dumps(config))
        both = [
            await stack.enter_async_context(started("serve", "--config", str(file), last="try"))
            for _ in range(2)
        ]
        servers = " ".join(f"server {each.url.removeprefix('http://')};" for each in both)
        nginx = running_nginx(
            "http://both", f"upstream both {{ {servers} }} proxy_set_header Host $http_host;"
        )
        url = stack.enter_context(nginx)
        admins = [re.findall(r"metrics\s+(http://\S+)/metrics", each.greeting)[0] for each in both]
        yield Scene(url, [each.process.pid for each in both], admins, vendor, redis)


class EventSource:
    """Reads as a browser's does: where the connection ends it comes back with the last id, until
    204. `answers` are those that said anything: a process that has not heard of the end yet gives
    whoever comes back after it an empty one."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.events: list[dict[str, Any]] = []
        self.ids: list[int] = []
        self.last_id = ""
        self.answers = 0

    @property
    def text(self) -> str:
        return "".join(each["text"] for each in self.events if each["type"] == "text.delta")

    async def run(self) -> None:
        while True:
            headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
            known = len(self.ids)
            try:
                async with self._session.get(self._url, headers=headers) as response:
                    if response.status == 204:
                        return
                    if response.status == 200:
                        await self._read(response)
            except aiohttp.ClientError:
                pass  # cut, or nobody there
            self.answers += len(self.ids) > known
            await asyncio.sleep(0.1)

    async def _read(self, response: aiohttp.ClientResponse) -> None:
        named = ""
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("id: "):
                named = line[4:]
            elif line.startswith("data: "):
                self.events.append(json.loads(line[6:]))
            elif not line and named:
                self.last_id = named
                self.ids.append(int(named.rpartition(":")[2]))
                named = ""


async def test_readers_move_when_theirs_dies_and_are_told_when_the_generator_does(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as it, aiohttp.ClientSession() as session:

        async def reading() -> tuple[int, list[EventSource], list[asyncio.Task[None]]]:
            """A stream that several read, and who generates it."""
            body = {"model": "m", "prompt": "hi"}
            async with session.post(f"{it.url}/v1/streams", json=body) as begun:
                where = it.url + begun.headers["Location"]
            readers = [EventSource(session, where) for _ in range(READERS)]
            tasks = [asyncio.create_task(each.run()) for each in readers]

            async def all_read() -> bool:
                return all(len(each.events) > 10 for each in readers)

            await until(all_read)
            return it.generator(), readers, tasks

        generator, readers, tasks = await reading()
        for pid in it.workers() - {generator}:
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            await asyncio.gather(*tasks)
        for each in readers:
            assert ("".join(WORDS), "stream.end") == (each.text, each.events[-1]["type"])
            assert list(range(len(each.ids))) == each.ids
        assert sum(each.answers for each in readers) > READERS

        await it.all_there()
        await asyncio.sleep(LEASE_S)  # for which a new process takes nobody for dead
        generator, readers, tasks = await reading()
        os.kill(generator, signal.SIGKILL)
        async with asyncio.timeout(LEASE_S + 5):  # the lease, and coming back on a busy machine
            await asyncio.gather(*tasks)
        for each in readers:
            error = each.events[-1]["error"]
            assert ("upstream_truncated", True) == (error["kind"], error["retryable"])
            assert "".join(WORDS).startswith(each.text)
    assert 2 == len(it.vendor.asked)


@pytest.mark.slow
async def test_a_redis_that_ends_and_begins_again_takes_no_answer_along(tmp_path: Path) -> None:
    """It begins again empty, under a crowd: each has a stream, which another reads. The lease is so
    long that a busy machine makes nobody seem dead."""
    async with scene(tmp_path, lease_s=20) as it, aiohttp.ClientSession() as session:
        asking = [
            EventSource(session, f"{it.url}/v1/stream?model=m&prompt={number}")
            for number in range(CROWD)
        ]
        tasks = [asyncio.create_task(each.run()) for each in asking]

        async def all_read() -> bool:
            return all(each.last_id for each in asking)

        await until(all_read)
        watching = [
            EventSource(session, f"{it.url}/v1/streams/{each.last_id.partition(':')[0]}")
            for each in asking
        ]
        tasks += [asyncio.create_task(each.run()) for each in watching]

        async def all_watch() -> bool:
            return all(each.last_id for each in watching)

        await until(all_watch)
        await it.redis.stop()
        await asyncio.sleep(0.5)
        await it.redis.start()
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks)
        for each in (*asking, *watching):
            assert ("".join(WORDS), "stream.end", 1) == (
                each.text,
                each.events[-1]["type"],
                each.answers,
            )
        assert CROWD == len(it.vendor.asked)
        assert sum([await metric(url, "mainstem_store_errors_total") for url in it.admins])
