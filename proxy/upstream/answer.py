"""One upstream's answer, whose bytes are handed on as they arrive. It does not parse what is in
them.

A body's bytes go from the connection straight to a callback, in the very call in which the event
loop delivers them: no task is woken per chunk, as that is most of what relaying a chunk costs. See
`proxy/upstream/protocol.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp

from proxy.errors import Failure, Refused, failure
from proxy.upstream.listener import Listener, Over
from proxy.upstream.protocol import Protocol

# After the dialect's terminator: how much, and how long, to wait for the body's own end, so that
# the connection can be used again.
_LINGER_BYTES = 65_536
_LINGER_S = 1.0


class Answer:
    """An upstream's HTTP answer whose head has come. Either `read` it whole or `attach` to it;
    `close` it in any case.
    """

    __slots__ = (
        "_content",
        "_delivering",
        "_lingered",
        "_listener",
        "_on_chunk",
        "_on_end",
        "_open",
        "_protocol",
        "_response",
        "_upstream",
    )

    def __init__(
        self, response: aiohttp.ClientResponse, upstream: str, still_open: "set[Answer]"
    ) -> None:
        self._open = still_open
        still_open.add(self)
        self._response = response
        # each header a second time, for as long as the answer lasts: a vendor's are some kilobytes
        response._raw_headers = ()  # noqa: SLF001
        self._content = response.content
        self._upstream = upstream
        connection = response.connection
        self._protocol = connection.protocol if connection is not None else None
        self._on_chunk: Callable[[bytes], None] | None = None
        self._on_end: Callable[[Failure | None], None] | None = None
        self._lingered = -1
        self._delivering = False
        self._listener: Listener | None = None

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> dict[str, str]:
        """Header names in lower case."""
        return {name.lower(): value for name, value in self._response.headers.items()}

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters; "" when there is none."""
        return self._response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def read(self, most: int) -> bytes:
        """The first `most` bytes of the body, or all of it; what a broken body had until it
        broke.
        """
        body = b""
        if isinstance(self._protocol, Protocol):
            self._protocol.on_data = self._give_up_malformed
            self._give_up_malformed()
        try:
            while len(body) < most:
                piece = await self._content.read(most - len(body))
                if not piece:
                    break
                body += piece
        except (aiohttp.ClientError, OSError) as error:
            forget(error)
        finally:
            if (
                isinstance(self._protocol, Protocol)
                and self._protocol.on_data == self._give_up_malformed
            ):
                self._protocol.on_data = None
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives, no faster than it is taken. Raises Refused when it breaks off."""
        protocol = self._protocol
        if isinstance(protocol, Protocol):
            protocol.on_data = self._give_up_malformed
            self._give_up_malformed()
        try:
            while piece := await self._content.readany():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            broken = self._broken(error)
            forget(error)
            raise Refused(broken) from None
        # a body without a length ends with its connection, as in `_deliver`
        if isinstance(protocol, Protocol) and protocol.lost is not None:
            raise Refused(self._broken(protocol.lost))

    def _give_up_malformed(self) -> None:
        """Wake who reads a body that will never end."""
        if (
            isinstance(self._protocol, Protocol)
            and self._protocol.malformed
            and not self._content.is_eof()
        ):
            self._content.set_exception(aiohttp.ClientPayloadError("no HTTP"))

    def heard_by(self, listener: Listener) -> None:
        """`listener` too gets what whoever attaches gets, and what comes behind it. Call it before
        `attach`.
        """
        self._listener = listener

    def attach(
        self, on_chunk: Callable[[bytes], None], on_end: Callable[[Failure | None], None]
    ) -> None:
        """From now on call `on_chunk` with every chunk and, once, `on_end` with None (a clean end)
        or what broke. What has come already is handed over before this returns.
        """
        self._on_chunk, self._on_end = on_chunk, on_end
        listener = self._listener
        if listener is not None:

            def both(chunk: bytes) -> None:
                listener.chunk(chunk)
                on_chunk(chunk)

            self._on_chunk = both
        if (
            self._response.connection is None
            and self._protocol is not None
            and self._protocol.is_connected()
        ):
            # the whole body is here, and the connection may be another's already
            self._protocol = None
        protocol = self._protocol
        if isinstance(protocol, Protocol):
            protocol.on_data = self._deliver
            if "Content-Encoding" not in self._response.headers:
                protocol.hand_on(self._content, self._on_chunk)
        self._deliver()

    def pause(self) -> None:
        """Stop reading the socket: the client takes no more. (The protocol's own pause_reading is
        for its parser, and only while it parses.)
        """
        if isinstance(self._protocol, Protocol):
            self._protocol.stop(True)

    def resume(self) -> None:
        if isinstance(self._protocol, Protocol):
            self._protocol.stop(False)

    def close(self) -> None:
        """Close the connection at once, unless the body has ended and it went back to the pool.
        Safe to call again.
        """
        self._detach()
        self._response.close()

    def finish(self) -> None:
        """The dialect's terminator has come: wait a moment for the body's own end, to keep the
        connection, then close.
        """
        self._on_chunk = self._on_end = None
        if isinstance(self._protocol, Protocol):
            self._protocol.hand_no_more()
        if self._content.at_eof() or self._protocol is None or self._protocol.transport is None:
            self._detach("complete")
            self.close()
            return
        self._lingered = 0
        self.resume()
        self._deliver()
        if self._lingered >= 0:
            asyncio.get_running_loop().call_later(_LINGER_S, self._give_up)

    def _give_up(self) -> None:
        if self._lingered >= 0:
            self._detach("complete")
            self.close()

    def _detach(self, how: Over = "left") -> None:
        self._open.discard(self)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.over(how)
        self._lingered = -1
        self._on_chunk = self._on_end = None
        if isinstance(self._protocol, Protocol) and self._protocol.on_data == self._deliver:
            self._protocol.on_data = None
            self._protocol.hand_no_more()
            self._protocol.stop(False)  # the connection may be used again
        # by another answer, which is not to be paused or resumed by whoever still holds this one
        self._protocol = None

    def _deliver(self) -> None:
        # reading may make aiohttp parse, and deliver, more: the loop below takes it in its turn
        if self._delivering:
            return
        self._delivering = True
        try:
            while data := self._content.read_nowait():
                self._take(data)
                # closed: to read on raises what all of aiohttp's answers share, which then keeps
                # our frames
                if self not in self._open:
                    return
        except Exception as error:
            if self._content.exception() is None:
                raise
            broken = self._broken(error)
            forget(error)
            self._end(broken)
            return
        finally:
            self._delivering = False
        if self._content.at_eof():
            lost = self._protocol.lost if isinstance(self._protocol, Protocol) else None
            # A body without a length ends with its connection, so a reset looks like an end to the
            # parser.
            self._end(self._broken(lost) if lost is not None else None)
        elif isinstance(self._protocol, Protocol) and self._protocol.malformed:
            said = f"{self._upstream} sent a body that breaks the rules of HTTP."
            self._end(failure("upstream_malformed", said, upstream=self._upstream))

    def _take(self, data: bytes) -> None:
        if self._on_chunk is not None:
            self._on_chunk(data)
        elif self._lingered >= 0:
            self._lingered += len(data)
            if self._listener is not None:
                self._listener.chunk(data)
            if self._lingered > _LINGER_BYTES:
                self.close()

    def _end(self, broken: Failure | None) -> None:
        on_end = self._on_end
        self._detach("complete" if broken is None else "broken")
        if on_end is not None:
            on_end(broken)
        if broken is not None:
            self._response.close()

    def _broken(self, error: BaseException) -> Failure:
        if isinstance(error, aiohttp.ClientPayloadError) and "ontent-encoding" in str(error):
            return failure(
                "upstream_malformed",
                f"{self._upstream} sent a compressed body that cannot be read.",
                upstream=self._upstream,
            )
        return failure(
            "upstream_truncated",
            f"{self._upstream} broke off its answer before it was complete.",
            upstream=self._upstream,
        )


def forget(error: BaseException) -> None:
    """Where it came from. aiohttp's protocol and body keep their exception, whose traceback keeps
    the frames that hold them, and the answer: a circle, which only a collection would end, and that
    may be long after megabytes were read.
    """
    chain: BaseException | None = error
    while chain is not None and chain.__traceback__ is not None:
        chain.__traceback__ = None
        chain = chain.__cause__ or chain.__context__
