"""A connection to an upstream, on which one request after the other is answered. It does not parse
what is in the answers.

aiohttp's connector makes and keeps it, which asks for `is_connected`, `should_close`, `close`,
`abort`, `closed` and `transport`; tests/upstream fail if a release wants more.
"""

import asyncio
from typing import Literal

from proxy.upstream.body import ToTheEnd
from proxy.upstream.handing import TURN_BYTES, Handing
from proxy.upstream.head import Coming, Head, NoHttpError

# Why there is no answer. closed: the connection was · broken: it broke · malformed: it is no HTTP ·
# late: it has not come in time
Trouble = Literal["closed", "broken", "malformed", "late"]

# The event loops ask for much more at once: who gets less has got all there was.
_SHORT_BYTES = 8192


class Protocol(Handing):
    """Life of an exchange: `ask` gives the head of the answer, `take` says who gets its body, `let`
    that nobody does any more.

    Of a body in chunks most reads are one whole chunk. While the body stands between two, such a
    read is handed on as it is.
    """

    __slots__ = ("_due", "_keep", "_turn", "_turn_bytes", "_waiter", "used")

    closed = None  # nobody waits for that

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.used = 0  # how many requests were sent
        self._due: Coming | None = None  # a head that is awaited
        self._waiter: asyncio.Future[Head | Trouble] | None = None
        self._keep = True
        self._turn = 0.0  # of the loop, in which so many bytes have come
        self._turn_bytes = 0

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

    async def ask(self, request: bytes, method: str, until: float | None = None) -> Head | Trouble:
        """The head of the answer to this, which is the request or its beginning. It is awaited
        `until` then, by the loop's clock.
        """
        if self.transport is None or self.transport.is_closing():
            return "closed"
        self.used += 1
        self.let()
        self._due, self._body, self._end = Coming(method), None, None
        self._held, self._inflater = b"", None
        self.transport.write(request)
        self._waiter = self._loop.create_future()
        timer = None if until is None else self._loop.call_at(until, self._tell_head, "late")
        try:
            return await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

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
        if self._rest or self._slices is not None or self._turn_bytes > TURN_BYTES:
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
        else:
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
