"""What it takes to send a stream's newest events to Redis, in opcodes: of this process, the client
library's share among them.
"""

import secrets
from types import SimpleNamespace
from typing import Any

import uvloop
from pydantic import SecretStr

from proxy.events import BlockStart, StreamStart, TextDelta
from proxy.observe.metrics import make_metrics
from proxy.relay.kept_log import KeptLog
from proxy.server.stores.link import Link
from proxy.server.stores.writer import Writer
from proxy.settings.resume import Resume
from tests.bench.opcodes import Opcodes

STREAMS = 20
CHUNKS = 10  # of a stream between two writes: 50 a second, as in the bench


def per_chunk(url: str) -> float:
    """Opcodes for one chunk of many streams that are written together, to the Redis at `url`."""
    return uvloop.run(_per_chunk(url))


async def _per_chunk(url: str) -> float:
    link = Link(SecretStr(url), make_metrics())
    writer = Writer(link, "bench", Resume)
    await writer.begin()
    try:
        logs = [_begun(writer, secrets.token_hex(16)) for _ in range(STREAMS)]
        await writer.finish(10)
        counter = Opcodes()
        for _ in range(2):  # the first for nothing
            for log in logs:
                for number in range(CHUNKS):
                    log.write([TextDelta(0, f"word{number} ")], 1.0, 250)
            counter = Opcodes()
            with counter.counting():
                await writer.finish(10)
        return counter.total / STREAMS / CHUNKS
    finally:
        await link.close()


def _begun(writer: Writer, stream: str) -> KeptLog:
    log = KeptLog(1 << 20, lambda _: None)
    origin = SimpleNamespace(
        chat="", half=SimpleNamespace(name="native"), owner="", options=None, model="m"
    )
    about = {"label": "m", "created": 1, "rewrites": False}
    run: Any = SimpleNamespace(
        id=stream,
        log=log,
        head=None,
        origin=SimpleNamespace(**vars(origin), **about),
        request=b"request",
    )
    generated: Any = None
    writer.keep(run, generated, (b"digest",))
    log.begin(StreamStart(stream, "m", "far", "m", 1))
    log.write([BlockStart(0, "text")], 1.0, 10)
    return log
