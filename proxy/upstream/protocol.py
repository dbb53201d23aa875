"""A connection to an upstream, on which one request after the other is answered. It does not parse
what is in the answers.

aiohttp's connector makes and keeps it, which asks for `is_connected`, `should_close`, `close`,
`abort`, `closed` and `transport`; tests/upstream fail if a release wants more.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Literal

from proxy.framing.inflate import Inflater
from proxy.upstream.body import Body, ToTheEnd
from proxy.upstream.head import Coming, Head, NoHttpError
from proxy.upstream.writing import Writing

# How an answer's body ended. cut: before it was complete · malformed: it breaks the rules of HTTP ·
# coding: it is not in the coding that its head names
End = Literal["complete", "cut", "malformed", "coding"]
# Why there is no answer. closed: the connection was · broken: it broke · malformed: it is no HTTP
Trouble = Literal["closed", "broken", "malformed"]

# How much of one upstream is worked on before everybody else has had a turn: the dearest bytes of
# this number take some 10 ms, and the system would hand over 8 MB at once.
_TURN_BYTES = 32_768
# The event loops ask for much more at once: who gets less has got all there was.
_SHORT_BYTES = 8192
# How much of a body is held for whoever will take it, before the socket is read no more.
_HELD_BYTES = 65_536


class Protocol(Writing):
    """Life of an exchange: `ask` gives the head of the answer, `take` says who gets its body, `let`
    that nobody does any more.

    Of a body in chunks most reads are one whole chunk. While the body stands between two, such a
    read is handed on as it is.
    """

    __slots__ = (
        "_body",
        "_due",
        "_end",
        "_held",
        "_inflater",
        "_keep",
        "_later",
        "_on_data",
        "_on_end",
        "_rest",
        "_slices",
        "_stopped",
        "_straight",
        "_turn",
        "_turn_bytes",
        "_waiter",
        "used",
    )

    closed = None  # nobody waits for that

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.used = 0  # how many requests were sent
        self._due: Coming | None = None  # a head that is awaited
        self._waiter: asyncio.Future[Head | Trouble] | None = None
        self._keep = True
        self._body: Body | None = None
        self._end: End | None = None
        self._held = b""  # of the body, while nobody takes it
        self._inflater: Inflater | None = None
        self._slices: Iterator[bytes] | None = None  # plain data, not all of which are handed on
        self._on_data: Callable[[bytes], None] | None = None
        self._on_end: Callable[[End], None] | None = None
        self._straight: Callable[[bytes], None] | None = None  # `_on_data`, while it is between
        self._stopped = False  # by whoever takes
        self._turn = 0.0  # of the loop, in which so many bytes have come
        self._turn_bytes = 0
        self._rest = b""  # of a read, for later turns; meanwhile nothing more is read
        self._later: asyncio.Handle | None = None

    # What aiohttp's connector asks.

    @property
    def should_close(self) -> bool:
        """Whether it cannot be used for another request. Whoever has answered before it took all of
        one may never take the rest, and the next one would wait behind that.
        """
        done = self._end == "complete" and self._keep and not self._rest
        if not done or self.transport is None or self.transport.get_write_buffer_size():
            return True
        return self.sending is not None and not self.sending.done()

    def close(self) -> None:
        self.let()
        if self.sending is not None:
            self.sending.cancel()
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        self.let()
        if self.transport is not None:
            self.transport.abort()

    # An exchange.

    async def ask(self, request: bytes, method: str) -> Head | Trouble:
        """The head of the answer to this, which is the request or its beginning."""
        if self.transport is None or self.transport.is_closing():
            return "closed"
        self.used += 1
        self.let()
        self._due, self._body, self._end = Coming(method), None, None
        self._held, self._inflater = b"", None
        self.transport.write(request)
        self._waiter = self._loop.create_future()
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def take(self, on_data: Callable[[bytes], None], on_end: Callable[[End], None]) -> None:
        """From now on call `on_data` with all data of the body and, once, `on_end`. What has come
        is handed over before this returns.
        """
        self._on_data, self._on_end = on_data, on_end
        held, self._held = self._held, b""
        if held:
            self._hand(held)
            if len(held) > _HELD_BYTES:
                self._read(True)
        self._mark()
        self._tell()

    def let(self) -> None:
        """Nobody takes anything."""
        self._on_data = self._on_end = self._straight = self._slices = None

    def stop(self, stopped: bool) -> None:
        """Hand on nothing more, or go on."""
        if self._stopped == stopped:
            return
        self._stopped = stopped
        self._read(not stopped)
        if not stopped and (self._rest or self._slices is not None):
            self._go_on_later()

    # What the transport calls.

    def data_received(self, data: bytes) -> None:
        straight = self._straight
        # a read this short is its turn's last one
        if straight is not None and len(data) < _SHORT_BYTES:
            size, _, rest = data.partition(b"\r\n")
            # so written, the size can mean nothing else; 0 is the body's end
            if rest[-2:] == b"\r\n" and size == b"%x" % (len(rest) - 2) and size != b"0":
                straight(rest[:-2])
                return
        # uvloop's time stands still within a turn; asyncio's own loop reads once in each
        now = self._loop.time()
        if now != self._turn:
            self._turn, self._turn_bytes = now, 0
        self._turn_bytes += len(data)
        if self._rest or self._slices is not None or self._turn_bytes > _TURN_BYTES:
            self._put_off(data)
            return
        self._parse(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._parse(rest)
        self.transport = None
        self._keep = False
        if self._due is not None:
            self._tell_head("closed" if exc is None else "broken")
        elif self._body is not None and self._end is None:
            # a body without a length ends with its connection, so a reset looks like an end
            self._finish("complete" if type(self._body) is ToTheEnd and exc is None else "cut")
        self.resume_writing()

    # The bytes of an answer.

    def _parse(self, data: bytes) -> None:
        if self._due is not None:
            data = self._read_head(self._due, data)
            if not data:
                return
        body = self._body
        if body is None or self._end is not None:
            # nobody has asked for that; a connection that is out of step is no good
            self._keep = False
            if self.transport is not None:
                self.transport.close()
            return
        plain = body.feed(data)
        if plain:
            self._hand(plain)
        if body.done:
            self._keep = self._keep and not body.beyond
            self._finish("complete")
        elif body.malformed:
            self._finish("malformed")
        self._mark()

    def _read_head(self, coming: Coming, data: bytes) -> bytes:
        """What is behind the head of the answer; nothing while that has not come."""
        try:
            found = coming.feed(data)
        except NoHttpError:
            self._tell_head("malformed")
            if self.transport is not None:
                self.transport.close()
            return b""
        if found is None:
            return b""
        head, rest = found
        self._body, self._keep, self._inflater = head.body, head.keep, head.inflater
        self._tell_head(head)
        if head.body.done:
            self._finish("complete")
        return rest

    def _tell_head(self, head: Head | Trouble) -> None:
        self._due = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(head)

    def _hand(self, data: bytes) -> None:
        """On to whoever takes it, made plain."""
        if self._on_data is None:
            self._held += data
            if len(self._held) > _HELD_BYTES:
                self._read(False)
        elif self._inflater is None:
            self._on_data(data)
        else:
            more = self._inflater.slices(data)
            self._slices = more if self._slices is None else chain(self._slices, more)
            self._inflate()

    def _inflate(self) -> None:
        """A turn's part of what is compressed: some bytes of that stand for a thousand times as
        many.
        """
        given = 0
        while self._slices is not None and self._on_data is not None and not self._stopped:
            if given >= _TURN_BYTES:
                self._read(False)
                self._go_on_later()
                return
            try:
                piece = next(self._slices, b"")
            except ValueError:
                self._slices = None
                self._finish("coding")
                return
            if piece:
                given += len(piece)
                self._on_data(piece)
            else:
                self._slices = None

    def _finish(self, end: End) -> None:
        if self._end is None:
            self._end = end
            self._tell()

    def _tell(self) -> None:
        """Whoever takes the body that it has ended, once all of it is handed on."""
        end, on_end = self._end, self._on_end
        if end is None or on_end is None or self._held or self._slices is not None:
            return
        if end == "complete" and self._inflater is not None:
            try:
                self._inflater.end()
            except ValueError:
                end = self._end = "coding"
        self.let()
        on_end(end)

    def _mark(self) -> None:
        """Whether a whole chunk may be handed on as it is."""
        body = self._body
        ready = body is not None and body.between and self._end is None and not self._rest
        self._straight = self._on_data if ready and self._inflater is None else None

    # One part after the other.

    def _put_off(self, data: bytes) -> None:
        self._rest += data
        self._straight = None
        self._read(False)
        self._go_on_later()

    def _go_on_later(self) -> None:
        if self._later is None:
            self._later = self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Everybody else has had a turn: the next part."""
        self._later = None
        if self._stopped:
            return
        self._inflate()
        self._tell()
        if self._rest and self._slices is None and self.transport is not None:
            part, self._rest = self._rest[:_TURN_BYTES], self._rest[_TURN_BYTES:]
            self._parse(part)
        if self._rest and not self._stopped and self.transport is not None:
            self._go_on_later()
        else:
            self._read(True)

    def _read(self, more: bool) -> None:
        """Read the socket from now on, or do not. There are four reasons not to."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if not more:
            transport.pause_reading()
        elif not (self._stopped or self._rest or self._slices or len(self._held) > _HELD_BYTES):
            transport.resume_reading()
