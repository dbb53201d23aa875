"""What the tests of the command line share: running a command to its end, raw clients, and what the
proxy says of itself."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from tests.e2e.proxy_process import command
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream

ROOT = Path(__file__).parents[2]
# A command on a busy machine: a start is half a second of one core, and a test may start seven.
END_S = 60
WITHIN_S = 15  # for what comes true soon, on a busy machine
ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
ASK = {"model": "m", "prompt": "hi"}


class Ended(NamedTuple):
    """How a command ended, and all that it wrote."""

    status: int
    out: str
    err: str


async def mainstem(
    *arguments: str | bytes, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> Ended:
    """Runs `mainstem ...` to its end; one that does not end is killed and fails the test."""
    process = await asyncio.create_subprocess_exec(
        *command(),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    try:
        async with asyncio.timeout(END_S):
            out, err = await process.communicate(stdin)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


class Started(NamedTuple):
    """A command that runs. `greeting` is what it printed first, `url` the first address in it."""

    process: asyncio.subprocess.Process
    greeting: str
    url: str

    async def end(self, number: int = signal.SIGTERM) -> Ended:
        """Sends the signal and waits for the end."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> Ended:
        """Waits for the end; `out` is what it printed after its greeting."""
        async with asyncio.timeout(END_S):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(self.process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def started(
    *arguments: str, last: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> AsyncIterator[Started]:
    """Runs `mainstem ...` until the block is left; `last` begins the last line of its greeting."""
    process = await asyncio.create_subprocess_exec(
        *command(),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    try:
        greeting = ""
        async with asyncio.timeout(END_S):
            while not greeting.rpartition("\n")[0].rpartition("\n")[2].lstrip().startswith(last):
                line = await process.stdout.readline()
                assert line, (await process.communicate())[1].decode()
                greeting += line.decode()
        found = re.search(r"https?://\S+", greeting)
        assert found
        yield Started(process, greeting, found[0])
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


class Stage:
    """A raw upstream whose script a test sets before it asks."""

    def __init__(self) -> None:
        self.url = ""
        self.script: Callable[[Peer], Awaitable[None]] = whole

    async def play(self, peer: Peer) -> None:
        await self.script(peer)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    upstream = Stage()
    async with raw_upstream(upstream.play) as url:
        upstream.url = url
        yield upstream


async def whole(peer: Peer) -> None:
    """A short answer, complete."""
    await peer.request()
    peer.write(CHUNKED)
    peer.send(ROLE + HELLO)
    peer.send(STOP)
    peer.write(LAST_CHUNK)


class Client:
    """One raw connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def post(self, body: Mapping[str, Any] = ASK, path: str = "/v1/stream", **headers: str) -> None:
        self.writer.write(request_bytes(json.dumps(body).encode(), path, **headers))

    async def answer(self) -> tuple[bytes, bytes]:
        """The head and the body of one answer, chunks undone; the connection may go on."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        if b"content-length" in fields:
            return head, await self.reader.readexactly(int(fields[b"content-length"]))
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)
        return head, body

    def leave(self) -> None:
        self.writer.transport.abort()


def request_bytes(body: bytes, path: str = "/v1/stream", **headers: str) -> bytes:
    fields = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


@asynccontextmanager
async def clients(url: str) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Gives what opens a connection; all of them are dropped at the end. Options are those of
    asyncio.open_connection."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    opened: list[Client] = []

    async def connect(**options: Any) -> Client:
        place = () if "sock" in options else (host, int(port))
        opened.append(Client(*await asyncio.open_connection(*place, **options)))
        return opened[-1]

    try:
        yield connect
    finally:
        for client in opened:
            client.leave()
        await asyncio.sleep(0)


async def until_refused(connect: Callable[[], Awaitable[object]]) -> None:
    """Waits until nobody takes connections any more. One that had come when the port was closed, and
    was not taken yet, is reset."""

    async def refused() -> bool:
        try:
            await connect()
        except (ConnectionRefusedError, ConnectionResetError):
            return True
        return False

    await until(refused)


def events(body: bytes) -> list[dict[str, Any]]:
    """The native events in a body."""
    return [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: ")]


async def metric(url: str, name: str) -> float:
    """The sum of the samples whose line begins with `name`."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text()
    return sum(
        float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name)
    )


async def until_metric(url: str, name: str, wanted: float) -> None:
    """Waits until `metric` is this: whoever has read an answer to its end may ask before the process
    that gave it has counted it."""
    found: list[float] = []

    async def so() -> bool:
        found[:] = [await metric(url, name)]
        return found == [wanted]

    try:
        await until(so)
    except TimeoutError:
        raise AssertionError(f"{name}: {found} instead of {wanted}") from None


async def until(true: Callable[[], Awaitable[bool]], within_s: float = WITHIN_S) -> None:
    """Waits for what must come true soon."""
    async with asyncio.timeout(within_s):
        while not await true():  # noqa: ASYNC110  it is another process that makes it true
            await asyncio.sleep(0.02)


def log_lines(err: str) -> list[dict[str, Any]]:
    """The JSON lines of a log. Raises ValueError for a line that is none."""
    return [json.loads(line) for line in err.splitlines()]
