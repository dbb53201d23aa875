"""A streamed answer, whose bytes go straight to the client's transport."""

from aiohttp import HttpVersion11, web

from proxy.codec.base import Encoder
from proxy.server.carried import Particulars, is_last, stream_head
from proxy.server.gateway import Gateway
from proxy.server.taking import Sent

_LAST_CHUNK = b"0\r\n\r\n"  # RFC 9112, 7.1
# A short answer, of which nobody asks whether its client takes it: any client's system does.
AT_ONCE_BYTES = 65_536


class Streamed(Sent):
    """An answer that writes itself: its head with what there is of its body, and with its end if
    that is all, in one write.
    """

    def __init__(
        self,
        gateway: Gateway,
        request: web.Request,
        encoder: Encoder,
        said: Particulars,
        write_buffer_bytes: int,
    ) -> None:
        """Raises ConnectionError when the client has left."""
        chunked = request.version >= HttpVersion11
        lasts = chunked and request.keep_alive and not is_last(gateway, request)
        super().__init__(lasts=lasts)
        self._head = stream_head(gateway, request, encoder, said, kept_alive=lasts)
        self.sink = ResponseSink(request, write_buffer_bytes, chunked=chunked)

    def open(self, first: bytes = b"", *, whole: bool = False) -> None:
        """Send the head with the first bytes of the body. `whole`: these are all. Raises
        ConnectionError when the client has left.
        """
        sink, head, self._head = self.sink, self._head, b""
        sink.send(head + sink.framed(first) + (sink.last() if whole else b""))


class ResponseSink:
    """Writes the body of a streamed answer, in the chunks of HTTP/1.1 (RFC 9112, 7.1) where it is
    `chunked`. `ended`: its end has been sent.
    """

    __slots__ = ("_chunked", "_request", "_transport", "ended")

    def __init__(self, request: web.Request, write_buffer_bytes: int, *, chunked: bool) -> None:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        transport.set_write_buffer_limits(high=write_buffer_bytes)
        self._request = request
        self._transport = transport
        self._chunked = chunked
        self.ended = False

    def write(self, data: bytes) -> None:
        transport = self._transport
        if not transport.is_closing():
            transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def send(self, data: bytes) -> None:
        """Send bytes that are framed. Raises ConnectionError when the client has left."""
        if self._transport.is_closing():
            raise ConnectionResetError
        self._transport.write(data)

    def framed(self, data: bytes) -> bytes:
        """These bytes as they stand in the body."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked and data else data

    def last(self) -> bytes:
        """What stands at the end of the body; it counts as sent."""
        self.ended = True
        return _LAST_CHUNK if self._chunked else b""

    def end(self) -> None:
        """Send the end of the body, if that has not been done. Raises ConnectionError when the
        client has left.
        """
        if not self.ended:
            self.send(self.last())

    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Until the client has taken most of what was written. Raises ConnectionError when it has
        left, or was dropped (`proxy/server/unsent.py`).
        """
        await self._request.writer.drain()
