"""nginx, HAProxy, Caddy and Envoy with the files of deploy/, for real: each accepts its file, each
chunk goes through before the next one is sent, over HTTP/2, and a client's leaving is passed on."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.crowd import Crowd, streaming
from tests.cli.tools import Started, metric, stage, started, until
from tests.deploy import fronts
from tests.needs import Part, program, requires
from tests.ports import free_port

WAIT_S = 10.0
CHUNK = b"data: " + b"x" * 100 + b"\n\n"
# more than the 4 KB that a default nginx keeps back, without any header from us
CHUNKS = 60
EACH = [pytest.param(name, marks=requires(name, "curl")) for name in fronts.FRONTS]
PAIRED = [pytest.param(name, marks=requires(name)) for name in ("nginx", "haproxy")]
CROWD = 40


@pytest.mark.parametrize("name", EACH)
def test_the_file_as_it_stands_is_accepted(name: Part, tmp_path: Path) -> None:
    """By the program itself; only places that need root, or a certificate, are moved."""
    places = {"to": 8080, "ready": 9091, "plain": 8000, "tls": 8443}
    fronts.check(name, fronts.localised(name, tmp_path, places))


@pytest.mark.parametrize("name", PAIRED)
def test_so_it_is_with_the_second_process(name: Part, tmp_path: Path) -> None:
    places = {"to": 8080, "ready": 9091, "plain": 8000, "tls": 8443, "second": 8081, "ready2": 9092}
    fronts.check(name, fronts.localised(name, tmp_path, places, second=True))


class Vendor:
    """An upstream that sends a chunk each time it is told to, and notices when its client leaves.
    It is ready for whoever asks."""

    def __init__(self) -> None:
        self.send: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.head = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b" /readyz " in head:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            else:
                self.head = head
                await self._stream(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):  # a connection that asked nothing
            pass
        finally:
            writer.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        gone = asyncio.create_task(reader.read())
        while not gone.done():
            chunk = asyncio.create_task(self.send.get())
            await asyncio.wait({gone, chunk}, return_when=asyncio.FIRST_COMPLETED)
            if chunk.done():
                writer.write(b"%x\r\n%b\r\n" % (len(chunk.result()), chunk.result()))
            else:
                chunk.cancel()
        with contextlib.suppress(ConnectionError):
            await gone
        self.left.set()


@pytest.mark.parametrize("name", EACH)
async def test_each_chunk_passes_before_the_next_is_sent_and_a_departure_is_passed_on(
    name: Part, tmp_path: Path
) -> None:
    """By curl, over HTTP/2."""
    vendor = Vendor()
    server = await asyncio.start_server(vendor, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    front = fronts.running(name, tmp_path, port, ready=port)
    place = await asyncio.to_thread(front.__enter__)
    try:
        url = f"https://localhost:{place.tls}/v1/stream"
        words = ("-sSNi", "--http2", "--cacert", str(place.certificate), "-d", "{}", url)
        curl = await asyncio.create_subprocess_exec(
            program("curl"), *words, stdout=asyncio.subprocess.PIPE
        )
        assert curl.stdout is not None
        vendor.send.put_nowait(CHUNK)
        async with asyncio.timeout(WAIT_S):
            head = await curl.stdout.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/2 200")
            assert b"content-encoding" not in head.lower()
            await curl.stdout.readuntil(CHUNK)
            for _ in range(CHUNKS):
                vendor.send.put_nowait(CHUNK)
                await curl.stdout.readuntil(CHUNK)
            assert f"host: localhost:{place.tls}".encode() in vendor.head.lower()
            curl.kill()
            await vendor.left.wait()
            await curl.wait()
            refused = await asyncio.create_subprocess_exec(
                *(program("curl"), "-sS", "-o", "/dev/null", "-w", "%{http_code}"),
                *("--cacert", str(place.certificate), f"https://localhost:{place.tls}/metrics"),
                stdout=asyncio.subprocess.PIPE,
            )
            assert b"404" == (await refused.communicate())[0]
    finally:
        await asyncio.to_thread(front.__exit__, None, None, None)
        server.close()


class Process:
    """A Mainstem at a port of its own, which may be started anew."""

    def __init__(self, file: Path, upstream: str) -> None:
        self.port, self.admin = free_port(), free_port()
        self._file = file
        file.write_text(
            json.dumps(
                {
                    "server": {"port": self.port, "announce_s": 3, "drain_s": 10},
                    "admin": {"port": self.admin},
                    "logs": {"level": "warning"},
                    "upstreams": {"far": {"dialect": "openai_chat", "base_url": upstream}},
                    "models": {"*": [{"upstream": "far"}]},
                }
            )
        )

    async def serves(self) -> bool:
        """Whether the front has found it, and sends it streams."""
        return await metric(f"http://127.0.0.1:{self.admin}", "mainstem_streams_open") > 0

    @contextlib.asynccontextmanager
    async def runs(self) -> AsyncIterator[Started]:
        async with started("serve", "--config", str(self._file), last="try") as proxy:
            yield proxy


@pytest.mark.parametrize("name", PAIRED)
async def test_two_processes_are_restarted_in_turn_and_no_stream_fails(
    name: Part, tmp_path: Path
) -> None:
    """By the clients' own count; new streams are begun all the while."""
    async with stage() as upstream, contextlib.AsyncExitStack() as stack:
        upstream.script = streaming
        both = [Process(tmp_path / f"{number}.yaml", upstream.url) for number in (1, 2)]
        runs = [await stack.enter_async_context(each.runs()) for each in both]
        first, second = both
        front = fronts.running(
            name,
            tmp_path,
            first.port,
            ready=first.admin,
            second=(second.port, second.admin),
        )
        place = await asyncio.to_thread(front.__enter__)
        try:
            crowd = Crowd(f"http://127.0.0.1:{place.plain}", CROWD)
            for each, process in zip(both, runs, strict=True):
                await until(each.serves)
                assert 0 == (await process.end()).status
                await stack.enter_async_context(each.runs())
                await until(each.serves)
            await crowd.finish()
            assert {"200 stream.end": crowd.begun} == crowd.outcomes
            assert crowd.begun > 2 * CROWD
        finally:
            await asyncio.to_thread(front.__exit__, None, None, None)
