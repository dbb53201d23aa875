"""What the upstream of the soak does with a request, one script each: it answers well, badly or not
at all.

A piece of the text is the bench's mark with the piece's number instead of the time: whoever reads
it sees what is missing or twice.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from tests.bench.wire import DIGITS, LAST_CHUNK, MARK, TEXT, VENDORS, Vendor
from tests.raw_upstream import Peer

# In the proxy's configuration of the soak (tests/load/config.py); a play is well on one side of
# them or the other.
CONNECT_S = 3.0
FIRST_EVENT_S = 4.0
IDLE_S = 4.0
TOTAL_S = 20.0
MAX_EVENT_BYTES = 65_536

_SHORT_S = 1.0  # a silence that is none of anybody's business
BULK = 256  # pieces of _PADDING bytes: more than the buffers on the way hold
_PADDING = 4096
_FLOOD_BYTES = 16 << 20  # several times what the kernel holds for a connection

# Each vendor's error in the stream.
ERRORS: Mapping[str, bytes] = {
    "openai_chat": b'data: {"error":{"message":"no","type":"server_error","code":null}}\n\n',
    "anthropic": b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"no"}}\n\n',
    "gemini": b'data: {"error":{"code":500,"message":"no","status":"INTERNAL"}}\r\n\r\n',
    "openai_responses": b'event: error\ndata: {"type":"error","sequence_number":7,"code":"server_error","message":"no","param":null}\n\n',
    "ollama": b'{"error":"no"}\n',
}
ASKED = re.compile(
    rb"soak id=([0-9a-f-]+) pieces=(\d+) gap=([0-9.]+) plays=([a-z_0-9]+),([a-z_0-9]+)"
)


class Asked(NamedTuple):
    """What a client's prompt says. `plays` are for the first target and the second one; `gap_s` is
    the pause between two pieces."""

    id: str
    pieces: int
    gap_s: float
    plays: tuple[str, str]

    def prompt(self) -> str:
        return f"soak id={self.id} pieces={self.pieces} gap={self.gap_s:g} plays={self.plays[0]},{self.plays[1]}"

    @classmethod
    def found(cls, body: bytes) -> "Asked | None":
        """The last one in a body: what was said before may be in it too."""
        said = ASKED.findall(body)
        if not said:
            return None
        name, pieces, gap, first, second = said[-1]
        return cls(name.decode(), int(pieces), float(gap), (first.decode(), second.decode()))


class Stage(NamedTuple):
    """One request being answered."""

    peer: Peer
    dialect: str
    asked: Asked

    @property
    def vendor(self) -> Vendor:
        return VENDORS[self.dialect]

    def head(self, *more: str) -> None:
        fields = [f"content-type: {self.vendor.media}", "transfer-encoding: chunked", *more]
        self.peer.write(("HTTP/1.1 200 OK\r\n" + "\r\n".join(fields) + "\r\n\r\n").encode())

    async def say(self, data: bytes) -> None:
        self.peer.send(data)
        await self.peer.writer.drain()

    def piece(self, number: int, padding: int = 0) -> bytes:
        """A content frame with this piece of the text."""
        text = b"%b%0*d" % (MARK, DIGITS, number)
        return self.vendor.content.replace(
            TEXT.encode(), text + b" streams" + b" padding" * (padding // 8)
        )

    async def begin(self, pieces: int, *fields: str) -> None:
        """The head, with these fields too, and so many pieces."""
        self.head(*fields)
        await self.say(self.vendor.start)
        for number in range(pieces):
            await self.say(self.piece(number))
            await asyncio.sleep(self.asked.gap_s)

    def reset(self) -> None:
        if not self.peer.writer.transport.is_closing():  # by the proxy, whose client left
            self.peer.reset()

    async def end(self) -> None:
        self.peer.send(self.vendor.end)
        self.peer.write(LAST_CHUNK)
        await self.peer.writer.drain()


class Hangup(Exception):  # noqa: N818  it is no error: the play ends with its connection
    """Close the connection now."""


Script = Callable[[Stage], Awaitable[None]]


# ---- answers that are well ----


async def good(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    await stage.end()


async def at_once(stage: Stage) -> None:
    stage.head()
    for data in (
        stage.vendor.start,
        *(stage.piece(number) for number in range(stage.asked.pieces)),
        stage.vendor.end,
    ):
        stage.peer.send(data)
    stage.peer.write(LAST_CHUNK)


async def byte_by_byte(stage: Stage) -> None:
    stage.head()
    for byte in (
        stage.vendor.start
        + b"".join(map(stage.piece, range(stage.asked.pieces)))
        + stage.vendor.end
    ):
        await stage.say(bytes([byte]))
        await asyncio.sleep(0.001)
    stage.peer.write(LAST_CHUNK)


async def large_events(stage: Stage) -> None:
    """Just within the bound."""
    stage.head()
    await stage.say(stage.vendor.start)
    for number in range(stage.asked.pieces):
        await stage.say(stage.piece(number, MAX_EVENT_BYTES // 2))
        await asyncio.sleep(stage.asked.gap_s)
    await stage.end()


async def bulk(stage: Stage) -> None:
    """As fast as it is taken, more than the buffers hold."""
    stage.head()
    await stage.say(stage.vendor.start)
    for number in range(BULK):
        await stage.say(stage.piece(number, _PADDING))
    await stage.end()


async def slow_head(stage: Stage) -> None:
    await asyncio.sleep(_SHORT_S)
    await good(stage)


async def pause(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    await asyncio.sleep(_SHORT_S)
    await stage.end()


async def no_end_of_body(stage: Stage) -> None:
    """All is said, but the HTTP body stays open."""
    await stage.begin(stage.asked.pieces)
    await stage.say(stage.vendor.end)
    await stage.peer.left()
    raise Hangup


async def end_and_hang_up(stage: Stage) -> None:
    """A good answer on a connection that cannot be used again. It is said: a request on one that
    closes unsaid may be lost."""
    await stage.begin(stage.asked.pieces, "connection: close")
    await stage.end()
    raise Hangup


# ---- failures ----


def status(code: int, *fields: str, html: bool = False) -> Script:
    body = (
        b"<html><h1>Bad Gateway</h1></html>"
        if html
        else b'{"error":{"message":"no","type":"server_error","code":null}}'
    )
    lines = [
        f"HTTP/1.1 {code} Said",
        f"content-type: {'text/html' if html else 'application/json'}",
        f"content-length: {len(body)}",
        *fields,
    ]

    async def answer(stage: Stage) -> None:
        stage.peer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    return answer


async def empty(stage: Stage) -> None:
    stage.head()
    stage.peer.write(LAST_CHUNK)


async def error_first(stage: Stage) -> None:
    """Under a status of 200."""
    stage.head()
    stage.peer.send(ERRORS[stage.dialect])
    stage.peer.write(LAST_CHUNK)


async def error_midway(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    stage.peer.send(ERRORS[stage.dialect])
    stage.peer.write(LAST_CHUNK)


async def no_terminator(stage: Stage) -> None:
    """A clean end of the body in the middle of the answer."""
    await stage.begin(stage.asked.pieces)
    stage.peer.write(LAST_CHUNK)


async def half_frame(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    await stage.say(stage.piece(stage.asked.pieces)[:20])
    raise Hangup


async def cut(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    raise Hangup


async def reset(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    stage.reset()
    raise Hangup


async def reset_at_once(stage: Stage) -> None:
    stage.reset()
    raise Hangup


async def garbage(stage: Stage) -> None:
    stage.head()
    await stage.say(random.Random(stage.asked.id).randbytes(2000))
    stage.peer.write(LAST_CHUNK)


async def no_http(stage: Stage) -> None:
    stage.peer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    raise Hangup


async def huge_event(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    await stage.say(stage.piece(stage.asked.pieces, 2 * MAX_EVENT_BYTES))
    await stage.peer.left()
    raise Hangup


async def no_head(stage: Stage) -> None:
    await stage.peer.left()
    raise Hangup


async def silence(stage: Stage) -> None:
    """A head, and nothing after it."""
    stage.head()
    await stage.peer.left()
    raise Hangup


async def stall(stage: Stage) -> None:
    await stage.begin(stage.asked.pieces)
    await stage.peer.left()
    raise Hangup


async def endless(stage: Stage) -> None:
    stage.head()
    await stage.say(stage.vendor.start)
    for number in range(int(4 * TOTAL_S / 0.2)):
        await stage.say(stage.piece(number))
        await asyncio.sleep(0.2)


async def flood(stage: Stage) -> None:
    """For a client that reads nothing. Who reads on without it comes to a cut."""
    stage.head()
    await stage.say(stage.vendor.start)
    for number in range(_FLOOD_BYTES // _PADDING):
        await stage.say(stage.piece(number, _PADDING))
    raise Hangup
