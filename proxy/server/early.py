"""The head of a streamed answer before there is one: for a client that has waited long, and whom
its own watchdog, or a proxy in between, would soon cut.

No target is committed to by it: other targets may still be asked, as long as there is no content.
"""

import asyncio
import time
from collections.abc import Mapping

from aiohttp import web

from proxy.codec.base import Encoder, Parsed
from proxy.codec.halves import ClientHalf
from proxy.errors import Failure
from proxy.events import StreamError, StreamStart
from proxy.observe.record import StreamRecord
from proxy.server.carried import Particulars
from proxy.server.gateway import Gateway
from proxy.server.incoming import new_stream_id
from proxy.server.streamed import Streamed
from proxy.settings.sections import Streams


class Early:
    """Sends the head, and then the dialect's heartbeats, `early_s` after it was made. `taken` or
    `stop` must follow.
    """

    __slots__ = (
        "_gateway",
        "_half",
        "_headers",
        "_heartbeat_s",
        "_made",
        "_parsed",
        "_record",
        "_request",
        "_response",
        "_timer",
        "_write_buffer_bytes",
        "encoder",
    )

    def __init__(
        self,
        gateway: Gateway,
        request: web.Request,
        half: ClientHalf,
        parsed: Parsed,
        *,
        record: StreamRecord,
        streams: Streams,
        write_buffer_bytes: int,
        headers: Mapping[str, str],
        made: Encoder | None = None,
    ) -> None:
        """`headers` go with those of the dialect. `made`: its encoder, if it has one already."""
        self._gateway = gateway
        self._headers = headers
        self._made = made
        self._request = request
        self._half = half
        self._parsed: Parsed | None = parsed
        self._record = record
        self._heartbeat_s = streams.heartbeat_s
        self._write_buffer_bytes = write_buffer_bytes
        self._response: Streamed | None = None
        self.encoder: Encoder | None = None  # of the response, if its head has gone
        self._timer = asyncio.get_running_loop().call_later(streams.early_s, self._open)

    def taken(self) -> Streamed | None:
        """The response, if its head has gone; there are no more heartbeats."""
        self.stop()
        return self._response

    def fail(self, response: Streamed, why: Failure) -> None:
        """There is no answer after all: the client is told in band, and the body ends. The upstream
        that it is told of is the last that was asked. Raises ConnectionError when it has left.
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
        response.sink.send(response.sink.framed(out))
        self._record.bytes_out += len(out)
        response.sink.end()

    def stop(self) -> None:
        """Send no more, or nothing at all."""
        self._timer.cancel()
        self._parsed = None

    def _open(self) -> None:
        assert self._parsed is not None
        encoder = self._made or self._half.encoder(self._parsed)
        said = Particulars(headers=self._headers)
        try:
            response = Streamed(
                self._gateway, self._request, encoder, said, self._write_buffer_bytes
            )
            response.open()
        except ConnectionError:  # it has left, which ends its request
            return
        self._record.status = response.status
        self._response, self.encoder = response, encoder
        self._beat()

    def _beat(self) -> None:
        assert self.encoder is not None
        assert self._response is not None
        if self.encoder.heartbeat:
            self._response.sink.write(self.encoder.heartbeat)
            self._record.heartbeats += 1
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._heartbeat_s, self._beat)
