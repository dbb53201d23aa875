"""A wire between the proxy and the model that keeps what the model wrote: the judge of a
recording."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import accumulate
from urllib.parse import urlsplit

from tests.raw_upstream import Peer, raw_upstream

_READ_BYTES = 65_536


class Tee:
    """At `url` the model answers; `answers` are the bytes of each of its connections."""

    def __init__(self, host: str, port: int) -> None:
        self.url = ""
        self.answers: list[bytearray] = []
        self._place = (host, port)

    async def play(self, peer: Peer) -> None:
        """One connection of the proxy's."""
        reader, writer = await asyncio.open_connection(*self._place)
        self.answers.append(bytearray())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(peer.reader, writer, bytearray()))
                tasks.create_task(_pump(reader, peer.writer, self.answers[-1]))
        finally:
            writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, kept: bytearray) -> None:
    while data := await source.read(_READ_BYTES):
        kept += data
        sink.write(data)
        await sink.drain()
    sink.close()


@asynccontextmanager
async def tee(url: str) -> AsyncIterator[Tee]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    between = Tee(parts.hostname, parts.port)
    async with raw_upstream(between.play) as between.url:
        yield between


def chunks(answer: bytes) -> list[bytes]:
    """The HTTP chunks of an answer (RFC 9112, 7.1), without the empty one at the end."""
    _, _, body = answer.partition(b"\r\n\r\n")
    found: list[bytes] = []
    at = 0
    while True:
        line = body.index(b"\r\n", at)
        size = int(body[at:line], 16)
        if not size:
            return found
        found.append(body[line + 2 : line + 2 + size])
        at = line + 2 + size + 2


def ends(pieces: list[bytes]) -> set[int]:
    """Where each piece ends, in bytes from the start."""
    return set(accumulate(map(len, pieces)))
