"""The head of a streamed answer before there is one: for a client that has waited long, and whom
its own watchdog, or a proxy in between, would soon cut.

No target is committed to by it: other targets may still be asked, as long as there is no content.
"""

import asyncio
import time

from proxy.codec.base import Encoder
from proxy.errors import Failure
from proxy.events import StreamError, StreamStart
from proxy.observe.record import StreamRecord
from proxy.server.incoming import new_stream_id
from proxy.server.streamed import Streamed


class Early:
    """A response whose head is sent at once, and then the dialect's heartbeats. `taken` or `stop`
    must follow.
    """

    __slots__ = ("_heartbeat_s", "_record", "_response", "_timer", "encoder")

    def __init__(
        self, response: Streamed, encoder: Encoder, record: StreamRecord, heartbeat_s: float
    ) -> None:
        """Raises ConnectionError when the client has left."""
        response.open()
        record.status = 200
        self._response = response
        self.encoder = encoder
        self._record = record
        self._heartbeat_s = heartbeat_s
        self._timer: asyncio.TimerHandle | None = None
        self._beat()

    def taken(self) -> Streamed:
        """The response; there are no more heartbeats."""
        self.stop()
        return self._response

    def fail(self, why: Failure) -> Streamed:
        """There is no answer after all: the client is told in band, and the body ends. The upstream
        that it is told of is the last that was asked. Gives the response. Raises ConnectionError
        when the client has left.
        """
        response, record = self.taken(), self._record
        record.stream = record.stream or new_stream_id()
        start = StreamStart(
            stream=record.stream,
            model=record.model,
            upstream=record.upstream,
            upstream_model=record.upstream_model,
            created=int(time.time()),
        )
        encode = self.encoder.encode
        out = self.encoder.joined([encode(start), encode(StreamError(why))])
        response.sink.send(response.sink.framed(out))
        record.bytes_out += len(out)
        response.sink.end()
        return response

    def stop(self) -> None:
        """Send no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        if self.encoder.heartbeat:
            self._response.sink.write(self.encoder.heartbeat)
            self._record.heartbeats += 1
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._heartbeat_s, self._beat)
