"""The answer of a target, to the one client that asked for it: from the commit to the last byte."""

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from proxy.codec.base import Encoder, Parsed
from proxy.codec.halves import ClientHalf
from proxy.codec.settle import Settler, settling
from proxy.errors import Refused
from proxy.events import StreamError, StreamStart
from proxy.observe.record import StreamRecord
from proxy.relay.apart import apart
from proxy.relay.delivery import Delivery
from proxy.relay.ending import Reading
from proxy.relay.folder import Folder
from proxy.relay.log import Log
from proxy.relay.microscope import MicroscopeEncoder, Pieces
from proxy.relay.said import Said
from proxy.relay.sink import Sink
from proxy.relay.won import Won
from proxy.server.carried import Particulars
from proxy.server.continuation import Continuation
from proxy.server.early import Early
from proxy.server.gateway import Gateway
from proxy.server.lean import let_go
from proxy.server.pace import PacedSink
from proxy.server.respond import cut, hand_down, note_headers, whole
from proxy.server.streamed import AT_ONCE_BYTES, Streamed
from proxy.settings.limits import Limits
from proxy.settings.sections import Streams


class Answering:
    """One answer being given. `reading` says what became of its reader, `log` has its end, and
    `alone` says that it goes on without its client: then `over` is called at its end.
    """

    __slots__ = (
        "_delivery",
        "_gateway",
        "_half",
        "_limits",
        "_onward",
        "_over",
        "_pieces",
        "_record",
        "_request",
        "_streams",
        "_won",
        "alone",
        "log",
        "reading",
    )

    def __init__(
        self,
        gateway: Gateway,
        request: web.Request,
        half: ClientHalf,
        won: Won,
        *,
        onward: Continuation | None,
        record: StreamRecord,
        streams: Streams,
        limits: Limits,
        pieces: Pieces | None,
        over: Callable[[], None],
    ) -> None:
        """`onward` is asked when the answer breaks off, if another target may go on with it.
        `pieces` is what the client is shown of it, if it asked for that.
        """
        self._gateway = gateway
        self._request = request
        self._half = half
        self._record = record
        self._won = won
        self._onward = onward
        self._streams = streams
        self._limits = limits
        self._over = over
        self._pieces = pieces
        self._delivery: Delivery | None = None
        self.log: Log = won.generation.log
        self.alone = False
        self.reading: Reading = "left"

    async def stream(self, parsed: Parsed, early: Early | None) -> web.StreamResponse:
        """As a stream. `early` may have sent its head."""
        # thousands last at once, so that each coroutine between here and the wait would count
        self._gateway.began(self._won)
        response: Streamed | None = None
        try:
            encoder = self._encoder(parsed, None if early is None else early.encoder)
            self._commit(encoder, parsed)
            del parsed
            response = self._opened(encoder, early)
            del early
            if not response.sink.ended:
                let_go(self._request)
                sink, gap_s = response.sink, encoder.min_gap_s
                paced = PacedSink(sink, encoder.joined, gap_s) if gap_s else None
                await self._to_the_end(paced or sink)
                if paced is not None:
                    await paced.flushed()
                sink.end()
            lost = isinstance(encoder, Settler | MicroscopeEncoder) and encoder.failed
            self.reading = "withheld" if lost else "whole"
        except (asyncio.CancelledError, ConnectionError):
            self._leave()
            raise
        except Exception:
            # a defect
            self._leave(gave_up=True)
            if not self._record.status:  # the client is told by one
                raise
            self._gateway.report(self._record)
            self.reading = "broken"
            cut(self._request)
            return web.Response(status=500) if response is None else response  # goes nowhere
        finally:
            self._ended()
        return response

    async def document(self, parsed: Parsed) -> web.Response:
        """As one document. Raises Refused when it fails."""
        self._gateway.began(self._won)
        try:
            folder = Folder()
            self._commit(folder, parsed)
            try:
                await self._to_the_end(None)
            except asyncio.CancelledError:
                self._leave()
                raise
            if isinstance(self.log.end, StreamError):
                raise Refused(self.log.end.error)
            reply = await apart(
                self._record.bytes_in, lambda: self._half.whole(parsed, folder.answer)
            )
        finally:
            self._ended()
        self._record.status = reply.status
        self._record.bytes_out += len(reply.body)
        headers = {
            **reply.headers,
            **note_headers(self._record.notes),
            "x-mainstem-upstream": self._won.target.upstream,
        }
        response = hand_down(whole(reply._replace(headers=headers)), self._won.returned)
        # while it is not taken it holds its place
        await response.prepare(self._request)
        await response.write_eof()
        self.reading = "whole"
        return response

    def _encoder(self, parsed: Parsed, begun: Encoder | None) -> Encoder:
        encoder = begun or self._half.encoder(parsed)
        rewrites = self._won.rewrites or (self._onward is not None and self._onward.rewrites)
        encoder = settling(encoder, self._half, rewrites=rewrites)
        return encoder if self._pieces is None else MicroscopeEncoder(encoder, self._pieces)

    def _commit(self, encoder: Encoder, parsed: Parsed) -> None:
        start = StreamStart(
            stream=self._record.stream,
            model=parsed.request.model,
            upstream=self._won.target.upstream,
            upstream_model=self._won.target.model,
            created=int(time.time()),
            notes=self._won.notes,
        )
        said = None if self._onward is None else Said(self._limits.max_answer_bytes)
        self.log.begin(start, said)
        self._delivery = Delivery(self.log, encoder, self._record, self._streams, self._limits)

    def _opened(self, encoder: Encoder, early: Early | None) -> Streamed:
        """The response, with its head and the first frames sent: with all of them and the end,
        where that is all there will be.
        """
        assert self._delivery is not None
        first = self._delivery.opening()
        response = None if early is None else early.taken()
        if response is None:
            won = self._won
            said = Particulars(won.notes, won.target.upstream, won.returned)
            response = Streamed(
                self._gateway, self._request, encoder, said, self._limits.write_buffer_bytes
            )
            self._record.status = 200
            # what the client must take before it is over, is for `relay`
            response.open(first, whole=self.log.end is not None and len(first) <= AT_ONCE_BYTES)
        elif first:
            response.sink.send(response.sink.framed(first))
        self._record.bytes_out += len(first)
        return response

    async def _to_the_end(self, sink: Sink | None) -> None:
        """Pass on the answer, and where it breaks off the one that goes on with it."""
        assert self._delivery is not None
        await self._delivery.relay(self._won.generation, sink)
        while self._onward is not None and self.log.interrupted is not None:
            more = await self._onward.after(self._won, self.log, self._delivery.beat)
            if more is not None:
                self._gateway.ended(self._won)
                self._won = more
                self._gateway.began(more)
            await self._delivery.relay(self._won.generation, sink)

    def _leave(self, *, gave_up: bool = False) -> None:
        """The client reads no more."""
        if self._delivery is None:  # it never had any
            self._won.generation.close()
            return
        self.alone = self._delivery.left(self._won.generation, gave_up=gave_up)

    def _ended(self) -> None:
        if self.alone:
            self._gateway.goes_on_alone(self._won, self._over)
            return
        if not self._won.generation.source.done:  # a defect: nobody reads it
            self._won.generation.close()
        self._gateway.ended(self._won)
