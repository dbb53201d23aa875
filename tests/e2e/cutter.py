"""A TCP proxy that cuts connections at random moments: what a tunnel, a tab or a rolling deploy does
to a stream."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE_BYTES = 4096
# So that each stream ends at last.
CUT_SHARE = 0.7
MOST_BYTES = 2000


class Cutter:
    """Listens at `port` on every loopback address, so that a browser's six connections to a host
    are no bound. `cuts` counts."""

    def __init__(self, target: str, seed: int) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._random = random.Random(seed)
        self._open: set[asyncio.Task[None]] = set()
        self.port = 0
        self.cuts = 0

    async def serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connection, "0.0.0.0", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        for task in list(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _connection(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        server, to_server = await asyncio.open_connection(*self._target)
        up = asyncio.create_task(_pass(client, to_server))
        try:
            await self._down(server, to_client)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            up.cancel()
            to_server.transport.abort()
            to_client.close()
            for writer in (to_client, to_server):
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            self._open.discard(task)

    async def _down(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Until it is over, or cut. Heads come whole: without all of it a page of another origin
        may not read an answer, and its EventSource gives up for good."""
        left: int | None = None
        while data := await server.read(PIECE_BYTES):
            if data.startswith(b"HTTP/1.1 "):
                cut = self._random.random() < CUT_SHARE
                head = data.find(b"\r\n\r\n") + 4
                left = head + self._random.randrange(MOST_BYTES) if cut else None
            if left is not None and len(data) >= left:
                to_client.write(data[:left])
                await to_client.drain()
                self.cuts += 1
                return
            to_client.write(data)
            left = None if left is None else left - len(data)
            await to_client.drain()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(PIECE_BYTES):
            writer.write(data)
    except OSError:
        pass
    writer.transport.abort()


@contextmanager
def cutting(target: str, seed: int) -> Iterator[Cutter]:
    """One in a thread of its own."""
    cutter, ready = Cutter(target, seed), threading.Event()
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(cutter.serve(ready, over)), daemon=True
    )
    thread.start()
    ready.wait()
    try:
        yield cutter
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
