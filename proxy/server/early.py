"""The head of a streamed answer before there is one: for a client that has waited long, and whom
its own watchdog, or a proxy in between, would soon cut.

No target is committed to by it: other targets may still be asked, as long as there is no content.
"""

import asyncio
import time
from collections.abc import Mapping

from aiohttp import web

from proxy.codec.base import ClientHalf, Encoder, Parsed
from proxy.errors import Failure
from proxy.events import StreamError, StreamStart
from proxy.observe.record import StreamRecord
from proxy.server.incoming import new_stream_id
from proxy.server.respond import ResponseSink, carry, stream_response
from proxy.settings.sections import Streams


class Early:
    """Sends the head, and then the dialect's heartbeats, `early_s` after it was made. `taken` or
    `stop` must follow.
    """

    __slots__ = (
        "_half",
        "_headers",
        "_heartbeat_s",
        "_opening",
        "_parsed",
        "_record",
        "_request",
        "_sink",
        "_timer",
        "_write_buffer_bytes",
        "encoder",
    )

    def __init__(
        self,
        request: web.Request,
        half: ClientHalf,
        parsed: Parsed,
        *,
        record: StreamRecord,
        streams: Streams,
        write_buffer_bytes: int,
        headers: Mapping[str, str],
    ) -> None:
        """`headers` go with those of the dialect."""
        self._headers = headers
        self._request = request
        self._half = half
        self._parsed: Parsed | None = parsed
        self._record = record
        self._heartbeat_s = streams.heartbeat_s
        self._write_buffer_bytes = write_buffer_bytes
        self._opening: asyncio.Task[web.StreamResponse] | None = None
        self._sink: ResponseSink | None = None
        self.encoder: Encoder | None = None  # of the response, if its head has gone
        self._timer = asyncio.get_running_loop().call_later(streams.early_s, self._open)

    async def taken(self) -> web.StreamResponse | None:
        """The response, if its head has gone; there are no more heartbeats. Raises ConnectionError
        when the client has left.
        """
        self.stop()
        return None if self._opening is None else await self._opening

    async def fail(self, response: web.StreamResponse, why: Failure) -> None:
        """There is no answer after all: the client is told in band, and the body ends. The upstream
        that it is told of is the last that was asked.
        """
        record = self._record
        record.stream = record.stream or new_stream_id()
        start = StreamStart(
            stream=record.stream,
            model=record.model,
            upstream=record.upstream,
            upstream_model=record.upstream_model,
            created=int(time.time()),
        )
        assert self.encoder is not None
        encode = self.encoder.encode
        out = self.encoder.joined([encode(start), encode(StreamError(why))])
        await response.write(out)
        self._record.bytes_out += len(out)
        await response.write_eof()

    def stop(self) -> None:
        """Send no more, or nothing at all."""
        self._timer.cancel()
        self._parsed = None

    def _open(self) -> None:
        assert self._parsed is not None
        self.encoder = self._half.encoder(self._parsed)
        self._opening = asyncio.create_task(self._head(self.encoder))
        self._opening.add_done_callback(self._opened)

    async def _head(self, encoder: Encoder) -> web.StreamResponse:
        response = stream_response(encoder)
        carry(response, self._headers)
        await response.prepare(self._request)
        # aiohttp keeps the head for the first write, which the sink does without it
        self._request.writer.send_headers()
        self._record.status = response.status
        self._sink = ResponseSink(self._request, self._write_buffer_bytes)
        return response

    def _opened(self, opening: "asyncio.Task[web.StreamResponse]") -> None:
        if not opening.cancelled() and opening.exception() is None and self._parsed is not None:
            self._beat()

    def _beat(self) -> None:
        assert self.encoder is not None
        assert self._sink is not None
        if self.encoder.heartbeat:
            self._sink.write(self.encoder.heartbeat)
            self._record.heartbeats += 1
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._heartbeat_s, self._beat)
