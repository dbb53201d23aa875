"""One client's connection, held to bounds for as long as no request stands on it.

aiohttp's server bounds the request line, each header and their number, and drops a connection that
has been idle for long. It does not bound the head as a whole, nor the time that a head may take
(slowloris), nor what a chunked body may weigh beside its data. All three are kept here, where the
client's own bytes arrive: nothing is spent on what is sent to it. Of aiohttp's private names four
are used, `_request_count`, `_waiter`, `_reading_paused` and `_message_tail`;
tests/server/test_listener.py and test_websocket.py fail when a release moves them.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser

from proxy.errors import Failure, failure
from proxy.server.heads import HEAD_END, BegunHead, Heads, left_of
from proxy.server.refusals import (
    FIELDS,
    LINGER_S,
    fault,
    half_close,
    last,
    refusal,
)
from proxy.server.rounds import Rounds
from proxy.server.taking import Bounds, Taking
from proxy.server.unsent import unread

_FIELD_BYTES = 8190  # of one header: what nginx and aiohttp take
# A chunk of one byte, the worst that an honest client sends, weighs six: more than this is chunk
# extensions.
_WIRE_PER_BYTE = 8


class Host(Protocol):
    """Who wants to know of connections."""

    def __call__(self) -> asyncio.Protocol: ...
    def came(self) -> None: ...
    def left(self) -> None: ...


class Connection(Taking):
    """At most one timer a connection. It is not stopped by a request, but finds at its end that
    there is nothing to do.
    """

    __slots__ = (
        "_begun",
        "_body_bytes",
        "_due",
        "_framed",
        "_heard",
        "_host",
        "_left",
        "_refused",
        "_timer",
        "_wire_bytes",
        "body",
    )

    def __init__(self, manager: web.Server, host: Host, bounds: Bounds, rounds: Rounds) -> None:
        most = bounds.max_head_bytes
        super().__init__(
            manager,
            rounds,
            bounds,
            max_line_size=most,
            max_field_size=min(_FIELD_BYTES, most - 1),
            max_headers=FIELDS,
        )
        self._messages: Heads = Heads()  # type: ignore[assignment]  # see there
        self._host = host
        # bytes of the newest request that are to come; 0: the parser stands between two requests
        self._left = 0
        self._due: float | None = None  # when the head that is awaited must be complete
        self._begun: BegunHead | None = None
        self._wire_bytes = 0  # since the last head
        self._body_bytes = bounds.max_body_bytes  # what the body may have
        self._timer: asyncio.TimerHandle | None = None
        self._refused = self._framed = False
        self._heard: Callable[[bytes], bool] | None = None
        self.body: StreamReader | None = None  # that somebody reads, and of which not all has come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._host.came()
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._host.left()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused or (self._heard is not None and not self._heard(data)):
            return
        heads, begun = self._request_count, self._begun
        idle = self._idle(heads)
        known = 0 if begun is None else begun.size
        if idle and known + len(data) > self._bounds.max_head_bytes and self._too_large(data):
            return
        if self._parser is None:
            self._parser = self._new_parser()
        super().data_received(data)
        if self._request_count != heads:
            self._count(data, known=idle and self._left == 0 and self._request_count == heads + 1)
            self._due = self._begun = None
            self._wire_bytes = 0
            self._body_bytes = self._bounds.max_body_bytes
            # the next head is none, but the place where this body is broken
            if self.body is not None and not self.body.is_eof():
                self.body.set_exception(web.RequestPayloadError("The body breaks off."))
        elif idle and data:
            self._part_of_head(data)
        elif data and not self._framed:
            self._left -= len(data)
            self._part_of_body(len(data))

    def expect_body(self, body: StreamReader, most_bytes: int) -> None:
        """The body that is being read now may have so much."""
        self.body, self._body_bytes = body, most_bytes

    @property
    def busy(self) -> bool:
        """Whether a request is on it, or on its way and at this machine already."""
        if self.transport is None or self._refused or self._framed:
            return False
        idle = self._begun is None and self._idle(self._request_count)
        return not idle or unread(self.transport)

    def close_if_idle(self) -> None:
        """End it, unless it is busy or ends by itself."""
        if not (self.busy or self._refused or self._framed):
            self.force_close()

    def take_messages(self, heard: Callable[[bytes], bool]) -> None:
        """From now on what comes are a WebSocket's messages, each of which is bounded by itself.
        `heard` is given their bytes, and says whether they are taken.
        """
        self._framed, self._heard = True, heard
        if self._message_tail:  # came with the handshake
            heard(self._message_tail)

    def let_go(self) -> None:
        """What is not needed while an answer streams. The parser is made anew for what comes after
        it, but kept where that may have come in part.
        """
        self.keep_alive(True)  # which stops aiohttp's timer; the end of the answer starts it again
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._due = None
        self._cache.clear()
        if self._left == 0 and not self._messages:
            self._parser = None

    def sibling(self) -> asyncio.Protocol:
        """The protocol of one more connection of the same listener."""
        return self._host()

    def eof_received(self) -> None:
        """A client that half-closes has left, as nothing tells it from one that closes. The
        transport now closes itself, but only when what is written has been taken, which may be
        never: whoever writes must learn of it at once.
        """
        transport = self.transport
        if (
            transport is not None
            and transport.get_write_buffer_size()
            and not self._refused
            and not self._idle(self._request_count)
        ):
            transport.abort()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Whoever reads a body calls this, each time: while nothing is paused there is nothing to
        do.
        """
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def _idle(self, heads: int) -> bool:
        """Whether no request is being answered, so that what comes is a head. Of one that comes
        earlier aiohttp bounds the parts, and the time that a connection may be kept alive bounds
        its delay.
        """
        waiter = self._waiter
        return heads == 0 if waiter is None else not waiter.done()

    def _new_parser(self) -> HttpRequestParser:
        """A parser like the one that aiohttp made for this connection."""
        return HttpRequestParser(
            self,
            self._loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=self._max_msg_queue_size,
        )

    def _count(self, data: bytes, *, known: bool) -> None:
        """A head has come with this. `known`: it began where the parser stood between requests."""
        joined = data if self._begun is None else self._begun.tail + data
        end = joined.find(HEAD_END)
        beyond = len(joined) - end - len(HEAD_END)
        self._left = left_of(self._messages, beyond) if known and end >= 0 else -1

    def _part_of_head(self, data: bytes) -> None:
        if self._begun is None:
            self._begun = BegunHead()
            if self._due is None:
                self._await_head()
        self._begun.add(data)

    def _part_of_body(self, size: int) -> None:
        """Once it weighs too much nothing more of it is read; what has come is answered when its
        time is over.
        """
        self._wire_bytes += size
        most = _WIRE_PER_BYTE * self._body_bytes + self._bounds.max_head_bytes
        if self._wire_bytes > most and self.transport is not None:
            self._reading_paused = True  # until some of the body is read
            self.transport.pause_reading()

    def _too_large(self, data: bytes) -> bool:
        """Whether this makes the head too large; then it is refused."""
        why = (self._begun or BegunHead()).too_large(data, self._bounds.max_head_bytes)
        if why is not None:
            self._refuse(why)
        return why is not None

    def _await_head(self) -> None:
        loop = self._loop
        self._due = loop.time() + self._bounds.request_head_s
        if self._timer is None:
            self._timer = loop.call_at(self._due, self._look)

    def _look(self) -> None:
        """The time of some head is over: of this one?"""
        self._timer = None
        if self._due is None or self._refused:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._look)
        elif self._begun is None:
            # a browser opens connections that it may never use, and would take a 408 for an answer
            self.force_close()
        else:
            most = self._bounds.request_head_s
            self._refuse(
                failure(
                    "bad_request",
                    f"The head of the request did not arrive within {most:g} s.",
                    status=408,
                )
            )

    def _refuse(self, why: Failure) -> None:
        """Answer what is no request, and take nothing more."""
        self._refused = True
        transport = self.transport
        if transport is None:
            return
        transport.write(refusal(why))
        half_close(transport)
        self._unsent.watch(transport)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(LINGER_S, self.force_close)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """A body that is broken is its sender's affair too."""
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError | HttpProcessingError):
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP is its sender's affair: it gets a sentence in our own shape, and the log,
        which anybody could fill, nothing.
        """
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        self._refused = True
        return last(fault(exc, self._bounds.max_head_bytes), request.transport)
