"""A real Redis for tests: on a port of its own, with a password and no persistence. It may be
stopped, started again and frozen."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from tests.needs import program
from tests.ports import free_port

PASSWORD = "pass-w0rd"


class RedisServer:
    """One server. `url` holds its password, `place` does not."""

    def __init__(self, folder: str) -> None:
        self.port = free_port()
        self.place = f"127.0.0.1:{self.port}"
        self.url = f"redis://:{PASSWORD}@{self.place}/0"
        self.socket_url = f"unix://:{PASSWORD}@{folder}/socket"
        self._folder = folder
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
async def redis_server() -> AsyncIterator[RedisServer]:
    folder = tempfile.mkdtemp()
    server = RedisServer(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)
