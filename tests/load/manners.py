"""How a client of the soak carries out its errand: in raw bytes, so that it can leave, lag or
misbehave at any byte."""

import asyncio
import contextlib
import dataclasses
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Literal

from tests.bench.wire import DIGITS, MARK, SLOT
from tests.load.errands import CLIENTS, Errand

WRITE_TIMEOUT_S = 6.0  # in the proxy's configuration of the soak
MAX_BODY_BYTES = 65_536  # as above
_NARROW_BYTES = 4096  # of the buffers of a client that reads slowly or not at all
_TAIL_BYTES = 256
_READ_BYTES = 16_384
_SLOW_PAUSE_S = 0.03

Ended = Literal["complete", "failed", "document", "refused", "cut", "left", "hung"]


@dataclasses.dataclass
class Row:
    """What a client saw of one request. `status` 0: it saw no head. `pieces`: the numbers of the
    pieces of text, in order. `along`: what it saw of the second one, if it made one (see
    `Errand.along`); its pieces are those of both, where it went on with the first."""

    status: int = 0
    ended: Ended = "cut"
    pieces: list[int] = dataclasses.field(default_factory=list)
    along: "Row | None" = None


class Line:
    """One connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.port: int = writer.get_extra_info("peername")[1]
        self.fields: dict[bytes, bytes] = {}
        self.closed = False

    async def head(self) -> int:
        """Reads the head of the answer; gives its status. Raises ConnectionError or
        IncompleteReadError."""
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        self.fields = dict(line.lower().split(b": ", 1) for line in lines if line)
        return int(first.split()[1])

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it comes, chunks undone. Raises ConnectionError or IncompleteReadError for
        one that is cut."""
        if b"content-length" in self.fields:
            async for data in self._exactly(int(self.fields[b"content-length"])):
                yield data
        elif b"transfer-encoding" in self.fields:
            while size := int(await self.reader.readline() or b"x", 16):
                async for data in self._exactly(size):
                    yield data
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)

    async def _exactly(self, left: int) -> AsyncIterator[bytes]:
        """So many bytes, a few at a time: who reads slowly reads steadily."""
        while left:
            data = await self.reader.read(min(left, _READ_BYTES))
            if not data:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(data)
            yield data

    def close(self, *, reset: bool = False) -> None:
        if self.closed:
            return
        self.closed = True
        plug = self.writer.get_extra_info("socket")  # None: the proxy closed it
        if reset and plug is not None:
            with contextlib.suppress(OSError):
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.writer.transport.abort()


class Text:
    """What was read so far."""

    def __init__(self, terminal: bytes) -> None:
        self.pieces: list[int] = []
        self.complete = False
        self.last_id = b""
        self.told = 0  # pieces in frames whose id has come
        self._terminal = terminal
        self._carry = b""

    def read(self, data: bytes) -> None:
        text = self._carry + data
        line = text.rfind(b"\nid: ", 0, text.rfind(b"\n"))
        if line >= 0:
            self.last_id = text[line + 5 : text.index(b"\n", line + 1)]
            self.told = len(self.pieces)
        at = text.find(MARK)
        done = 0
        while at >= 0 and at + SLOT <= len(text):
            digits = text[at + SLOT - DIGITS : at + SLOT]
            if digits.isdigit():
                self.pieces.append(int(digits))
                if at < line:
                    self.told = len(self.pieces)
                done = at + SLOT
            else:  # a failure's message may repeat what was garbage
                done = at + 1
            at = text.find(MARK, done)
        self.complete = self.complete or self._terminal in text
        self._carry = text[max(done, len(text) - _TAIL_BYTES) :]


Manner = Callable[[Line, Errand, Row], Awaitable[None]]


async def _answer(
    line: Line, errand: Errand, row: Row, *, leave_at: float | None = None, pause_s: float = 0.0
) -> Text:
    """Reads the answer, to its end or until so many pieces have come."""
    row.status = await line.head()
    text = Text(CLIENTS[errand.dialect].terminal)
    row.pieces = text.pieces
    async for data in line.body():
        text.read(data)
        if leave_at is not None and len(text.pieces) >= leave_at:
            row.ended = "left"
            return text
        if pause_s:
            await asyncio.sleep(pause_s * len(data) / _READ_BYTES)
    if row.status != 200:
        row.ended = "refused"
    elif errand.document:
        row.ended = "document"
    else:
        row.ended = "complete" if text.complete else "failed"
    return text


async def read(line: Line, errand: Errand, row: Row) -> None:
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body)
    await _answer(line, errand, row)


async def read_slowly(line: Line, errand: Errand, row: Row) -> None:
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body)
    await _answer(line, errand, row, pause_s=_SLOW_PAUSE_S)


async def stop_reading(line: Line, errand: Errand, row: Row) -> None:
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body)
    row.status = await line.head()
    await asyncio.sleep(WRITE_TIMEOUT_S * 2)
    async for _ in line.body():
        continue
    row.ended = "failed"


async def leave_midway(line: Line, errand: Errand, row: Row) -> None:
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body)
    await _answer(line, errand, row, leave_at=errand.leave_at)


async def leave_early(line: Line, errand: Errand, row: Row) -> None:
    """Before it has read anything."""
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body)
    await asyncio.sleep(errand.leave_at)
    row.ended = "left"


async def cut_body(line: Line, errand: Errand, row: Row) -> None:
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body[: len(body) // 2])
    await asyncio.sleep(0.1)
    row.ended = "left"


async def not_http(line: Line, errand: Errand, row: Row) -> None:
    line.writer.write(b"\x16\x03\x01\x02\x00" + random.Random(errand.asked.id).randbytes(100))
    await line.reader.read()
    row.ended = "refused"


async def bad_body(line: Line, errand: Errand, row: Row) -> None:
    body = errand.body()[:-1]
    line.writer.write(errand.head(len(body)) + body)
    await _answer(line, errand, row)


async def large_body(line: Line, errand: Errand, row: Row) -> None:
    line.writer.write(errand.head(MAX_BODY_BYTES + 1) + errand.body())
    await _answer(line, errand, row)


async def come_back(line: Line, errand: Errand, row: Row) -> None:
    """As a browser does after the end of a stream, which must not run the prompt again."""
    body = errand.body()
    line.writer.write(errand.head(len(body), "last-event-id: soak:1") + body)
    await _answer(line, errand, row)


async def resume(line: Line, errand: Errand, row: Row) -> None:
    """Its line breaks, and it comes back at once with the id of the last frame that it had."""
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body)
    had = await _answer(line, errand, row, leave_at=errand.leave_at)
    if row.ended != "left" or not had.last_id:
        return
    line.close(reset=errand.reset)
    row.along, again = Row(), errand.along()
    other = await _connected(line.port, narrow=False)
    try:
        seen = f"last-event-id: {had.last_id.decode()}"
        other.writer.write(again.head(len(body), seen) + body)
        await _answer(other, again, row.along)
    finally:
        other.close()
    if row.along.pieces[:1] != [0]:  # else it was told all of it once more
        row.along.pieces = had.pieces[: had.told] + row.along.pieces


async def watch(line: Line, errand: Errand, row: Row) -> None:
    """In two tabs: the second reads the stream from its start while it comes."""
    body = errand.body()
    line.writer.write(errand.head(len(body)) + body)
    line.fields = {}
    reading = asyncio.create_task(_answer(line, errand, row))
    try:
        while not line.fields and not reading.done():
            await asyncio.wait({reading}, timeout=0.01)
        location = line.fields.get(b"location")
        if location is not None and row.status == 200:
            row.along, again = Row(), errand.along()
            other = await _connected(line.port, narrow=False)
            try:
                other.writer.write(again.watching(location.decode()))
                await _answer(other, again, row.along)
            finally:
                other.close()
    finally:
        await reading


DO: Mapping[str, Manner] = {
    "read": read,
    "document": read,
    "crowd_in": read,
    "wrong_key": read,
    "unknown_model": read,
    "read_slowly": read_slowly,
    "stop_reading": stop_reading,
    "leave_midway": leave_midway,
    "leave_early": leave_early,
    "cut_body": cut_body,
    "not_http": not_http,
    "bad_body": bad_body,
    "large_body": large_body,
    "come_back": come_back,
    "resume": resume,
    "watch": watch,
}
_AGAIN = frozenset({"complete", "document"})


async def carry_out(
    errand: Errand, port: int, kept: Line | None, within_s: float
) -> tuple[Row, Line | None]:
    """One errand, on the connection that was kept or on a new one. Gives what the client saw, and
    the connection if it may be used again."""
    row, line = Row(), kept
    try:
        async with asyncio.timeout(within_s):
            if line is None:
                line = await _connected(
                    port, narrow=errand.manner in ("read_slowly", "stop_reading")
                )
            await DO[errand.manner](line, errand, row)
    except TimeoutError:
        row.ended = "hung"
    except (
        OSError,
        asyncio.IncompleteReadError,
        ValueError,
    ):  # ValueError: half a line where a chunk's size should be
        row.ended = "cut"
    if line is not None and (
        row.ended not in _AGAIN or line.fields.get(b"connection") == b"close" or errand.reset
    ):
        line.close(reset=errand.reset)
        line = None
    return row, line


async def _connected(port: int, *, narrow: bool) -> Line:
    if not narrow:
        return Line(*await asyncio.open_connection("127.0.0.1", port))
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _NARROW_BYTES)
    plug.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", port))
    return Line(*await asyncio.open_connection(sock=plug, limit=_NARROW_BYTES))
