"""nginx with deploy/nginx.conf, for real: each chunk goes through before the next one is sent, and
a client's leaving is passed on."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tests.bench.processes import free_port
from tests.needs import program, requires

CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"
WAIT_S = 5.0
CHUNK = b"data: " + b"x" * 100 + b"\n\n"

pytestmark = requires("nginx")


def localised(folder: Path, port: int, upstream_port: int) -> Path:
    """The same file with places that a test may use: other ports, other folders, one worker,
    whoever we are."""
    text = CONF.read_text()
    changes = {
        "user www-data;\n": "",
        "worker_processes auto;": "worker_processes 1;",
        "worker_rlimit_nofile 65536;": "",
        "worker_connections 16384;": "worker_connections 256;",
        "/var/log/nginx/": f"{folder}/",
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{upstream_port};",
        "listen 8000;": f"listen 127.0.0.1:{port};",
        "http {\n": "http {\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ),
    }
    for old, new in changes.items():
        assert old in text, f"nginx.conf has no {old!r} any more: change this test with it"
        text = text.replace(old, new, 1)
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


def test_the_file_as_it_stands_is_accepted(tmp_path):
    """nginx -t on the whole file; only its log folder is moved, which needs root elsewhere."""
    file = tmp_path / "nginx.conf"
    file.write_text(CONF.read_text().replace("/var/log/nginx/", f"{tmp_path}/"))
    command = [
        program("nginx"),
        "-t",
        "-e",
        "stderr",
        "-c",
        str(file),
        "-g",
        f"pid {tmp_path}/pid;",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert 0 == done.returncode, done.stderr


class Vendor:
    """An upstream that sends a chunk each time it is told to, and notices when its client
    leaves."""

    def __init__(self) -> None:
        self.send: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
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
        self.left.set()
        writer.close()


@contextlib.asynccontextmanager
async def nginx_before(vendor: Callable[..., object], folder: Path) -> AsyncIterator[int]:
    """nginx in front of a vendor; gives its port."""
    server = await asyncio.start_server(vendor, "127.0.0.1", 0)
    port = free_port()
    conf = localised(folder, port, server.sockets[0].getsockname()[1])
    command = [
        program("nginx"),
        "-e",
        f"{folder}/error.log",
        "-c",
        str(conf),
        "-g",
        f"daemon off; master_process off; pid {folder}/pid;",
    ]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()
        server.close()
        await server.wait_closed()


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As soon as nginx listens."""
    for _ in range(100):
        with contextlib.suppress(ConnectionRefusedError):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.05)
    raise AssertionError("nginx does not listen")


async def test_each_chunk_passes_before_the_next_is_sent_and_a_departure_is_passed_on(tmp_path):
    """More than the 4 KB that a default nginx keeps back, without any header from us; then the
    client closes."""
    vendor = Vendor()
    async with nginx_before(vendor, tmp_path) as port:
        reader, writer = await connect(port)
        writer.write(b"GET /v1/stream HTTP/1.1\r\nhost: here\r\n\r\n")
        for _ in range(60):
            vendor.send.put_nowait(CHUNK)
            await asyncio.wait_for(reader.readuntil(CHUNK), WAIT_S)
        writer.close()
        await asyncio.wait_for(vendor.left.wait(), WAIT_S)
        await writer.wait_closed()
