"""An upstream in raw bytes, for tests: what it sends is written out in the test, and nothing of the
project's code takes part."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


class Peer:
    """One connection to the upstream. `request` reads a request, `send` writes a chunk of a chunked
    body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.body = b""

    async def request(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                self.body = await self.reader.readexactly(int(line.partition(b":")[2]))
        return head

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def send(self, data: bytes) -> None:
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def left(self) -> None:
        """Returns when the proxy has closed the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass

    def reset(self) -> None:
        """Close it with a TCP reset."""
        raw = self.writer.get_extra_info("socket")
        # else a close with nothing unread is a clean one
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def raw_upstream(
    script: Script, tls: ssl.SSLContext | None = None, sock: socket.socket | None = None
) -> AsyncIterator[str]:
    """Gives the base URL. The script runs once a connection. `tls`: it speaks TLS, with this
    certificate. `sock`: it is bound already."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(Peer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if sock is None:
        sock = socket.create_server(("127.0.0.1", 0))
    server = await asyncio.start_server(accept, sock=sock, ssl=tls)
    host, port = sock.getsockname()
    try:
        yield f"{'https' if tls else 'http'}://{host}:{port}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
