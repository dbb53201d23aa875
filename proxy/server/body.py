"""Reads a client's body within bounds: of its size, on the wire and made plain, of its time, and of
the bytes that all bodies together may take.

Nothing here is called before it is known who asks: a stranger's body is neither read nor made
plain.
"""

import asyncio
from typing import Self

from aiohttp import HttpVersion11, StreamReader, web

from proxy.errors import Failure, Refused, bad_request, failure
from proxy.framing.inflate import CODINGS, Inflater
from proxy.server.connection import Connection

# server.request_body_s. How long a client may take to send its body: a slower one is holding a
# place that others want.
REQUEST_BODY_S = web.AppKey("request_body_s", float)
_OLD_NAMES = {"x-gzip": "gzip"}  # RFC 9110, 8.4.1.3
# After so many slices others are let in between.
_TURN = 4


class Bodies:
    """One process's request bodies in flight: from their first byte until the answer begins.
    `size` is that of all together.
    """

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0

    def hold(self, most: int) -> "Hold":
        """What one request holds, `with` which it must be used. `most`: what all may hold."""
        return Hold(self, most)


class Hold:
    """The bytes of one request's body, which it gives back at its end."""

    __slots__ = ("_bodies", "_most", "size")

    def __init__(self, bodies: Bodies, most: int) -> None:
        self._bodies = bodies
        self._most = most
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bodies.size -= self.size

    def take(self, size: int) -> None:
        """So many bytes more. Raises Refused (overloaded) when all together would be more than
        they may.
        """
        bodies = self._bodies
        if bodies.size + size > self._most:
            said = (
                f"The requests that are being read hold as many as the {self._most} bytes that "
                "they may (limits.max_inflight_body_bytes); try again soon."
            )
            raise Refused(failure("overloaded", said, retry_after_s=1))
        bodies.size += size
        self.size += size

    def give_back(self, size: int) -> None:
        """So many are not held any more."""
        self._bodies.size -= size
        self.size -= size


def check_body(request: web.Request, most: int) -> None:
    """By the head alone. Raises Refused: too_large, or bad_request (415) for a type or a coding
    that is not taken.
    """
    if not request.can_read_body:
        return
    length = request.content_length
    if length is not None and length > most:
        raise Refused(_too_large(most))
    _check_content_type(request.headers.get("Content-Type"))
    coding = _coding(request)
    if coding and coding not in CODINGS:
        taken = ", ".join(CODINGS)
        said = f"A body in the coding {coding[:60]!r} is not taken: send it plain or in {taken}."
        raise Refused(failure("bad_request", said, status=415), {"Accept-Encoding": taken})


async def read_body(request: web.Request, most: int, hold: Hold) -> bytes:
    """The body, made plain; it passed `check_body`. Raises Refused: too_large; overloaded;
    bad_request for one that is late, cut or wrongly encoded.
    """
    if not request.can_read_body:
        return b""
    content = request.content
    if content.is_eof() and content.exception() is None and not _coding(request):
        return _at_once(content, most, hold)
    await go_on(request)
    connection = request.protocol
    if isinstance(connection, Connection):
        connection.body = request.content
    most_s = request.app[REQUEST_BODY_S]
    try:
        async with asyncio.timeout(most_s):
            return await _read(request, most, hold)
    except TimeoutError:
        said = f"The request body did not arrive within {most_s:g} s (server.request_body_s)."
        raise Refused(failure("bad_request", said, status=408)) from None
    except (web.RequestPayloadError, ValueError):
        raise bad_request(
            "The request body could not be read: it is cut or wrongly encoded."
        ) from None
    finally:
        if isinstance(connection, Connection):
            connection.body = None


def _at_once(content: StreamReader, most: int, hold: Hold) -> bytes:
    """A plain body, all of which is here, and of which nothing has been read."""
    pieces = content._buffer  # noqa: SLF001  to read them by its methods takes ten times as long
    body = b"".join(pieces)
    pieces.clear()
    if len(body) > most:
        raise Refused(_too_large(most))
    hold.take(len(body))
    return body


async def go_on(request: web.Request) -> None:
    """Ask for the body, where the client waits for that (RFC 9110, 10.1.1)."""
    if request.headers.get("Expect") and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


async def expect(request: web.Request) -> None:
    """Does not ask for the body yet, as aiohttp would: `read_body` does. Raises HTTP's 417."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed(text="Only Expect: 100-continue is known here.")


async def _read(request: web.Request, most: int, hold: Hold) -> bytes:
    coding = _coding(request)
    inflater = Inflater(CODINGS[coding]) if coding else None
    pieces: list[bytes] = []
    wire = plain = turns = 0
    async for data in request.content.iter_any():
        wire += len(data)
        for piece in (data,) if inflater is None else inflater.slices(data):
            plain += len(piece)
            if max(plain, wire) > most:
                raise Refused(_too_large(most))
            hold.take(len(piece))
            pieces.append(piece)
            turns += 1
            if turns % _TURN == 0:
                await asyncio.sleep(0)
    if inflater is not None and wire:
        inflater.end()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _coding(request: web.Request) -> str:
    """The body's coding; "" for none."""
    if "Content-Encoding" not in request.headers:
        return ""
    name = ", ".join(request.headers.getall("Content-Encoding")).strip().lower()
    return "" if name == "identity" else _OLD_NAMES.get(name, name)


def _too_large(most: int) -> Failure:
    said = (
        f"The request body is larger than the {most} bytes that this proxy takes "
        "(limits.max_body_bytes)."
    )
    return failure("too_large", said)


def _check_content_type(header: str | None) -> None:
    if header is None or header == "application/json":
        return
    media = header.partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise Refused(
            failure(
                "bad_request",
                f"Send the body as Content-Type: application/json, not {media[:60]!r}.",
                status=415,
            )
        )
