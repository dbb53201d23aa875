"""Reads a client's request whole, within bounds, before anything is made of it."""

import asyncio
import re
import secrets

from aiohttp import web

from proxy.dialects.base import Incoming
from proxy.errors import Refused, bad_request, failure

# How long a client may take to send its body: a slower one is holding a place that others want.
_BODY_S = 30.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(request: web.Request) -> str:
    """The client's own x-request-id where it is harmless, else a new one."""
    asked = request.headers.get("x-request-id", "")
    return asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(12)


async def read_incoming(request: web.Request, max_body_bytes: int) -> Incoming:
    """Raises Refused: too_large, or bad_request for a body that is late, cut or not called JSON."""
    body = b""
    if request.can_read_body:
        body = await _read_body(request, max_body_bytes)
        if body:
            _check_content_type(request.headers.get("Content-Type"))
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.query if request.query_string else {}  # aiohttp keeps what it parses, and few requests have one
    return Incoming(request.method, request.match_info, query, headers, body)


async def _read_body(request: web.Request, most: int) -> bytes:
    too_large = failure("too_large", f"The request body is larger than the {most} bytes that this proxy takes (limits.max_body_bytes).")
    if request.content_length is not None and request.content_length > most:
        raise Refused(too_large)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_S):
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > most:
                    raise Refused(too_large)
                pieces.append(piece)
    except TimeoutError:
        raise Refused(failure("bad_request", f"The request body did not arrive within {_BODY_S:g} s.", status=408)) from None
    except web.RequestPayloadError:
        raise bad_request("The request body could not be read: it is cut or wrongly encoded.") from None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _check_content_type(header: str | None) -> None:
    media = (header or "application/json").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise Refused(failure("bad_request", f"Send the body as Content-Type: application/json, not {media[:60]!r}.", status=415))
