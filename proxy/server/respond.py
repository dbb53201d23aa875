"""Answers to clients: one whole document, or a stream whose frames go straight to the transport."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from aiohttp import HttpVersion11, web
from msgspec import UNSET

from proxy.codec.base import Encoder, Reply
from proxy.errors import Failure
from proxy.events import Note
from proxy.server.unsent import drop

Answering = TypeVar("Answering", bound=web.StreamResponse)
# The names of the upstream's own headers in an answer, for CORS.
RETURNED: web.ResponseKey[Sequence[str]] = web.ResponseKey("returned", Sequence[str])
_STREAM_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    # tells nginx to pass every frame on at once, whatever its own settings are
    "X-Accel-Buffering": "no",
}


def whole(reply: Reply) -> web.Response:
    """A whole HTTP answer."""
    headers = dict(reply.headers)
    headers.setdefault("Cache-Control", "no-store")
    return web.Response(
        status=reply.status,
        body=reply.body,
        headers={**headers, "Content-Type": reply.content_type},
    )


def with_retry_after(reply: Reply, failure: Failure) -> Reply:
    """The reply, with the failure's advice on when to come again, in whole seconds (RFC 9110,
    10.2.3).
    """
    if failure.retry_after_s is UNSET:
        return reply
    kept = {name: value for name, value in reply.headers.items() if name.lower() != "retry-after"}
    return reply._replace(
        headers={**kept, "Retry-After": str(max(1, math.ceil(failure.retry_after_s)))}
    )


def stream_response(
    encoder: Encoder, notes: Iterable[Note] = (), upstream: str | None = None
) -> web.StreamResponse:
    """The head of a streamed answer. `upstream` None: it is not known yet."""
    headers = {
        **_STREAM_HEADERS,
        **encoder.headers,
        **note_headers(notes),
        **({} if upstream is None else {"x-mainstem-upstream": upstream}),
        "Content-Type": encoder.content_type,
    }
    return web.StreamResponse(headers=headers)


def note_headers(notes: Iterable[Note]) -> dict[str, str]:
    """What the request lost, for clients whose dialect has no place for it. Names only: they are
    from a fixed set.
    """
    said = ", ".join(dict.fromkeys(f"{note.note}:{note.param}" for note in notes))
    return {"x-mainstem-notes": said} if said else {}


def hand_down(response: Answering, returned: Mapping[str, str]) -> Answering:
    """The answer, not prepared yet, with an upstream's headers beside our own, none of which they
    replace.
    """
    if returned:
        for name, value in returned.items():
            response.headers.setdefault(name, value)
        response[RETURNED] = tuple(returned)
    return response


def carry(response: web.StreamResponse, headers: Mapping[str, str]) -> None:
    """Headers of ours that pages may read."""
    response.headers.update(headers)
    response[RETURNED] = (*response.get(RETURNED, ()), *headers)


def cut(request: web.Request) -> None:
    """Drop the connection of a client that is owed nothing more, or takes nothing."""
    if request.transport is not None:
        drop(request.transport)


class ResponseSink:
    """Writes the frames of a prepared response. aiohttp's own `write` is a coroutine and costs more
    than the translation does, so the chunks of HTTP/1.1 (RFC 9112, 7.1) are framed here; the head,
    the first frames and the end still go through aiohttp.
    """

    __slots__ = ("_chunked", "_request", "_transport")

    def __init__(self, request: web.Request, write_buffer_bytes: int) -> None:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        transport.set_write_buffer_limits(high=write_buffer_bytes)
        self._request = request
        self._transport = transport
        self._chunked = request.version >= HttpVersion11

    def write(self, data: bytes) -> None:
        transport = self._transport
        if not transport.is_closing():
            transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Until the client has taken most of what was written. Raises ConnectionError when it has
        left, or was dropped (`proxy/server/unsent.py`).
        """
        await self._request.writer.drain()
