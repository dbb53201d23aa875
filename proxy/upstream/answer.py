"""One upstream's answer, whose bytes are handed on as they arrive. It does not parse what is in
them.

A body's bytes go from the connection straight to a callback, in the very call in which the event
loop delivers them: no task is woken per chunk, as that is most of what relaying a chunk costs. See
`proxy/upstream/protocol.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from multidict import CIMultiDict, CIMultiDictProxy

from proxy.errors import Failure, Refused, failure
from proxy.upstream.handing import End
from proxy.upstream.head import Head
from proxy.upstream.listener import Listener, Over
from proxy.upstream.pool import Pooled

# After the dialect's terminator: how much, and how long, to wait for the body's own end, so that
# the connection can be used again.
_LINGER_BYTES = 65_536
_LINGER_S = 1.0
# What is kept for whoever takes the body piece by piece, before the upstream is read no more.
_WAITING_BYTES = 65_536
_NO_FIELDS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class Answer:
    """An upstream's HTTP answer whose head has come. Either `read` it whole or `attach` to it;
    `close` it in any case. `fields` are its headers; the names may be written in any way, and come
    more than once.
    """

    __slots__ = (
        "_connection",
        "_lingered",
        "_listener",
        "_on_chunk",
        "_on_end",
        "_open",
        "_protocol",
        "_upstream",
        "fields",
        "status",
    )

    def __init__(
        self,
        connection: Pooled,
        head: Head,
        upstream: str,
        still_open: "set[Answer]",
    ) -> None:
        """The head came on this connection."""
        self._open = still_open
        still_open.add(self)
        self._connection: Pooled | None = connection
        self._protocol = connection.protocol
        self.status = head.status
        self.fields = head.headers
        self._upstream = upstream
        self._on_chunk: Callable[[bytes], None] | None = None
        self._on_end: Callable[[Failure | None], None] | None = None
        self._lingered = 0
        self._listener: Listener | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Header names in lower case."""
        # by their pairs: a header that comes twice, as cookies do, is one name of two values
        return {name.lower(): value for name, value in self.fields.items()}

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters; "" when there is none."""
        return self.fields.get("Content-Type", "").partition(";")[0].strip().lower()

    def let_go(self) -> None:
        """Nobody will ask for its headers: a vendor's are some kilobytes, and it may last."""
        self.fields = _NO_FIELDS

    async def read(self, most: int) -> bytes:
        """The first `most` bytes of the body, or all of it; what a broken body had until it
        broke.
        """
        pile, body = self._piled(), b""
        while len(body) < most and (piece := await pile.taken()):
            body += piece
        return body[:most]

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives, no faster than it is taken. Raises Refused when it breaks off."""
        pile = self._piled()
        while piece := await pile.taken():
            yield piece
        if pile.broken is not None:
            raise Refused(pile.broken)

    def _piled(self) -> "_Pile":
        pile = _Pile(self)
        self.attach(pile.put, pile.end)
        return pile

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
        self._on_end = on_end
        listener = self._listener
        if listener is not None:
            only = on_chunk

            def on_chunk(chunk: bytes) -> None:
                listener.chunk(chunk)
                only(chunk)

        if self._connection is not None:
            self._protocol.take(on_chunk, self._ended)

    def pause(self) -> None:
        """Stop reading the socket: the client takes no more."""
        if self._connection is not None:
            self._protocol.stop(True)

    def resume(self) -> None:
        if self._connection is not None:
            self._protocol.stop(False)

    def close(self) -> None:
        """Close the connection at once, unless the body has ended and it went back to the pool.
        Safe to call again.
        """
        self._over("left")

    def finish(self) -> None:
        """The dialect's terminator has come: wait a moment for the body's own end, to keep the
        connection, then close.
        """
        if self._connection is None:
            return
        if self._protocol.has_all:
            self._over("complete")
            return
        self._on_end = None
        self._protocol.stop(False)
        self._protocol.take(self._linger, self._ended)
        if self._connection is not None:
            asyncio.get_running_loop().call_later(_LINGER_S, self._over, "complete")

    def _linger(self, data: bytes) -> None:
        self._lingered += len(data)
        if self._listener is not None:
            self._listener.chunk(data)
        if self._lingered > _LINGER_BYTES:
            self._over("left")

    def _ended(self, end: End) -> None:
        """All of the body has come that will."""
        broken = None if end == "complete" else self._broken(end)
        on_end = self._on_end
        self._over("complete" if broken is None else "broken")
        if on_end is not None:
            on_end(broken)

    def _over(self, how: Over) -> None:
        """Nobody takes any more of it; its connection goes back to the pool if it can."""
        self._open.discard(self)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.over(how)
        self._on_end = None
        connection, self._connection = self._connection, None
        if connection is not None:
            self._protocol.let()
            self._protocol.stop(False)  # it may be used again
            connection.release()

    def _broken(self, end: End) -> Failure:
        name = self._upstream
        if end == "cut":
            said = f"{name} broke off its answer before it was complete."
            return failure("upstream_truncated", said, upstream=name)
        said = (
            "a compressed body that cannot be read"
            if end == "coding"
            else "a body that breaks the rules of HTTP"
        )
        return failure("upstream_malformed", f"{name} sent {said}.", upstream=name)


class _Pile:
    """What has come of a body, for a task that takes it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._over = False
        self._wake: asyncio.Future[None] | None = None
        self.broken: Failure | None = None

    def put(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._bytes += len(piece)
        if self._bytes > _WAITING_BYTES:
            self._answer.pause()
        self._rouse()

    def end(self, broken: Failure | None) -> None:
        self._over, self.broken = True, broken
        self._rouse()

    async def taken(self) -> bytes:
        """All that has come, b"" at the end."""
        while not self._pieces and not self._over:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        pieces, self._pieces, self._bytes = self._pieces, [], 0
        self._answer.resume()
        return b"".join(pieces)

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
