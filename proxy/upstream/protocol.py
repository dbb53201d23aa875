"""The connection that an upstream's answer comes on. It does not parse what is in the answer.

aiohttp offers no hook for bytes that have just come, so `Protocol` adds one; tests/upstream fail if
an aiohttp release changes what it relies on.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from proxy.net.keepalive import watch

# How much of one upstream is worked on before everybody else has had a turn: the dearest bytes of
# this number take some 10 ms, and the system would hand over 8 MB at once.
_TURN_BYTES = 32_768
# The event loops ask for much more at once: who gets less has got all there was.
_SHORT_BYTES = 8192
# How long an upstream's machine may give no sign of life: long for any network, and mostly shorter
# than idle_s, which is for its model.
_LOST_S = 30


class Body(aiohttp.StreamReader):
    """A body that tells its connection whether the parser stands between two chunks of it: not in
    one, and not in the line that begins one, unless bytes of that line have come.
    """

    __slots__ = ()
    _protocol: "Protocol"

    def begin(self) -> None:
        """What was noted of the chunks that have come is not needed, nor is a place for more."""
        self._http_chunk_splits = None

    def begin_http_chunk_receiving(self) -> None:
        self._protocol.between_chunks = False

    def end_http_chunk_receiving(self) -> None:
        self._protocol.between_chunks = True

    def feed_eof(self) -> None:
        self._protocol.between_chunks = False
        super().feed_eof()


class Protocol(ResponseHandler):
    """aiohttp's client protocol, which also says when bytes or the end have come.

    Of a body in chunks (RFC 9112, 7.1) most reads are one whole chunk. While the parser stands
    between two, such a read is handed on as it is, and the parser does not learn of it: it still
    stands between two. Whatever else comes is the parser's.
    """

    between_chunks = False  # as `Body` says
    _on_chunk: Callable[[bytes], None] | None = None
    _straight: Callable[[bytes], None] | None = None  # the same, while the parser need not be asked
    on_data: Callable[[], None] | None = None
    lost: BaseException | None = None
    # what came is no HTTP: aiohttp then drops the connection, and the body that it was in would
    # never end
    malformed = False
    _held = False  # by aiohttp, until what it has parsed is taken
    _stopped = False  # by us
    _turn = 0.0  # of the loop, in which so many bytes have come
    _turn_bytes = 0
    _rest = b""  # of a read, for later turns; meanwhile nothing more is read
    _later: asyncio.Handle | None = None

    def hand_on(self, body: aiohttp.StreamReader, on_chunk: Callable[[bytes], None]) -> None:
        """From now on call `on_chunk` with whole chunks of this body, which is not compressed. What
        is no whole chunk by itself stays in the body, and `on_data` is called.
        """
        if type(body) is aiohttp.StreamReader:  # those without a body share one, of another class
            body.__class__ = Body
            cast("Body", body).begin()
            self._on_chunk = on_chunk

    def hand_no_more(self) -> None:
        """Everything stays in the body."""
        self._on_chunk = self._straight = None

    def stop(self, stopped: bool) -> None:
        """Stop reading the socket, or go on."""
        if self._stopped != stopped:
            self._stopped = stopped
            self._read(not stopped)
            if self._rest and not stopped:
                self._go_on_later()

    def pause_reading(self) -> None:
        self._held = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        # aiohttp resumes after every read, which costs a parse of nothing and a call into the
        # transport each time.
        if self._held:
            self._held = False
            super().resume_reading(resume_parser)
            # in the midst of a large read; aiohttp has just undone it
            if self._stopped or self._rest:
                self._read(False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        watch(transport, _LOST_S)

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
        if self._rest or self._turn_bytes > _TURN_BYTES:
            self._put_off(data)
            return
        self._parse(data)

    @property
    def should_close(self) -> bool:
        """What is put off may be more than the answer: then nobody else gets this connection."""
        return bool(self._rest) or super().should_close

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        # then no byte of the next chunk's first line has come
        whole = self.between_chunks and data[-2:] == b"\r\n"
        self._straight = self._on_chunk if whole and not self._rest else None
        if self.on_data is not None:
            self.on_data()

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
        if not self._rest or self._stopped or self.transport is None:
            return
        part, self._rest = self._rest[:_TURN_BYTES], self._rest[_TURN_BYTES:]
        self._parse(part)
        if self._rest:
            self._go_on_later()
        elif not self._held:
            self._read(True)

    def _read(self, more: bool) -> None:
        """Read the socket from now on, or do not. There are three reasons not to."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if not more:
            transport.pause_reading()
        elif not self._stopped and not self._rest:
            transport.resume_reading()

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        self.malformed = self.malformed or isinstance(exc, HttpProcessingError)
        super().set_exception(exc, *(() if exc_cause is None else (exc_cause,)))

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = exc
        rest, self._rest = self._rest, b""
        if rest and self.on_data is not None:
            super().data_received(rest)
        super().connection_lost(exc)
        if self.on_data is not None:
            self.on_data()
