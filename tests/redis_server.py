"""A real Redis for tests: on a port of its own, with a password and no persistence. It may be
stopped, started again and frozen."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from tests.needs import program
from tests.ports import free_port

PASSWORD = "pass-w0rd"


class RedisServer:
    """One server. `url` holds its password, `place` does not."""

    def __init__(self, folder: str, **options: str) -> None:
        """`options` are of its configuration, beside its own."""
        self.port = free_port()
        self.place = f"127.0.0.1:{self.port}"
        self.url = f"redis://:{PASSWORD}@{self.place}/0"
        self.socket_url = f"unix://:{PASSWORD}@{folder}/socket"
        self._folder = folder
        self.options = options
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it answers."""
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "unixsocket": f"{self._folder}/socket",
            "save": "",
            "appendonly": "no",
            "requirepass": PASSWORD,
            **self.options,
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self._process = await asyncio.create_subprocess_exec(
            program("redis"), *arguments, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(20):
            # it tells nobody when it is ready
            while await self._said(b"PING\r\n") != b"-NOAUTH Authentication required.\r\n":  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """At once: what it knew is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def freeze(self) -> None:
        """It takes connections and questions, and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    async def everything(self) -> bytes:
        """All keys and what stands there."""
        async with Redis.from_url(self.url) as client:
            found = [b""]
            async for key in client.scan_iter():
                kind = await client.type(key)
                value: object = (
                    await client.xrange(key) if kind == b"stream" else await client.get(key)
                )
                found += [key, repr(value).encode()]
            return b"\n".join(found)

    async def entries(self, stream: str) -> list[tuple[int, int]]:
        """Of a stream's log: the number of each entry, and its bytes."""
        async with Redis.from_url(self.url) as client:
            found = await client.xrange(f"{{mainstem}}:stream:{stream}:log")
        return [(int(number.split(b"-")[0]), len(said[b"e"])) for number, said in found]

    async def forget(self, pattern: str) -> None:
        """The keys that match are gone, as when it evicts them."""
        async with Redis.from_url(self.url) as client:
            await client.delete(*[key async for key in client.scan_iter(pattern)])

    async def run(self, *command: str) -> Any:
        """Any command, as whoever may do everything."""
        async with Redis.from_url(self.url) as client:
            return await client.execute_command(*command)

    async def everlasting(self) -> int:
        """How many keys do not expire."""
        async with Redis.from_url(self.url) as client:
            return len([key async for key in client.scan_iter() if await client.ttl(key) < 0])

    async def _said(self, question: bytes) -> bytes:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return b""
        try:
            writer.write(question)
            return await reader.readline()
        except OSError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def redis_server(**options: str) -> AsyncIterator[RedisServer]:
    folder = tempfile.mkdtemp()
    server = RedisServer(folder, **options)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def redis_cluster() -> AsyncIterator[list[RedisServer]]:
    """Three masters. Each has a third of the keys, and says of any other where it is."""
    async with AsyncExitStack() as stack:
        nodes: list[RedisServer] = []
        for _ in range(3):
            bus = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
            nodes.append(await stack.enter_async_context(redis_server(**bus)))
        clients = [
            await stack.enter_async_context(Redis.from_url(node.url, decode_responses=True))
            for node in nodes
        ]
        for at, client in enumerate(clients):
            begin, end = 16384 * at // 3, 16384 * (at + 1) // 3 - 1
            await client.execute_command(f"CLUSTER ADDSLOTSRANGE {begin} {end}")
            await client.execute_command(f"CLUSTER SET-CONFIG-EPOCH {at + 1}")
        for node in nodes[1:]:
            bus_port = node.options["cluster-port"]
            await clients[0].execute_command(f"CLUSTER MEET 127.0.0.1 {node.port} {bus_port}")
        async with asyncio.timeout(20):
            for client in clients:
                # nobody is told when they have found one another
                while (await client.execute_command("CLUSTER INFO"))["cluster_state"] != "ok":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        yield nodes


async def move_slot(nodes: list[RedisServer], key: str) -> None:
    """The slot of this key goes, empty, to the next node: as after a failover to a replica that had
    not heard of anything yet."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Redis.from_url(node.url)) for node in nodes]
        slot = await clients[0].execute_command("CLUSTER KEYSLOT", key)
        at = slot * 3 // 16384
        new = (await clients[(at + 1) % 3].execute_command("CLUSTER MYID")).decode()
        command = f"CLUSTER SETSLOT {slot} NODE {new}"
        await clients[(at + 1) % 3].execute_command(command)
        pipe = clients[at].pipeline()  # a node does not give away a slot with a key in it
        pipe.flushall()
        pipe.execute_command(command)
        await pipe.execute()
        await clients[(at + 2) % 3].execute_command(command)


ODD_ANSWERS = (b"$5\r\nhello\r\n", b"*2\r\n:1\r\n*0\r\n", b"*-1\r\n", b":x\r\n")


@asynccontextmanager
async def no_redis(answer: bytes) -> AsyncIterator[str]:
    """The address of what is none: it takes what begins a connection, and answers all else so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while line := await reader.readline():
                parts = []
                for _ in range(int(line[1:])):
                    size = int((await reader.readline())[1:])
                    parts.append((await reader.readexactly(size + 2))[:-2])
                writer.write(b"+OK\r\n" if parts[0].upper() == b"CLIENT" else answer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
