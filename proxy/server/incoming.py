"""Reads a client's request whole, within bounds, before anything is made of it."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from typing import get_args

from aiohttp import HttpVersion10, HttpVersion11, web

from proxy.codec.base import Incoming
from proxy.errors import Refused, bad_request, failure
from proxy.server.connection import Connection
from proxy.settings.model import OnDisconnect

# server.request_body_s. How long a client may take to send its body: a slower one is holding a
# place that others want.
REQUEST_BODY_S = web.AppKey("request_body_s", float)
MOCK_PREFIX = "x-mock-"
_ON_DISCONNECT = "x-mainstem-on-disconnect"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(request: web.Request) -> str:
    """The client's own x-request-id where it is harmless, else a new one."""
    asked = request.headers.get("x-request-id", "")
    return asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(12)


def odd_coding(request: web.Request) -> bool:
    """Whether the body is in a transfer coding other than chunks alone, or of a client too old to
    know them (RFC 9112, 6.1).
    """
    coding = request.headers.get("Transfer-Encoding")
    return coding is not None and (coding.lower() != "chunked" or request.version < HttpVersion11)


async def read_incoming(request: web.Request, max_body_bytes: int) -> Incoming:
    """Raises Refused: too_large, or bad_request for a body that is late, cut or not called JSON."""
    if request.version < HttpVersion10:
        raise bad_request("HTTP/0.9 is not spoken here: send HTTP/1.1.")
    if odd_coding(request):
        raise bad_request(
            "Transfer-Encoding must be chunked, in HTTP/1.1; send a body that is not in "
            "chunks with its Content-Length."
        )
    body = b""
    if request.can_read_body:
        body = await _read_body(request, max_body_bytes)
        if body:
            _check_content_type(request.headers.get("Content-Type"))
    headers = {name.lower(): value for name, value in request.headers.items()}
    # aiohttp keeps what it parses, and few requests have one
    query = request.query if request.query_string else {}
    return Incoming(request.method, request.match_info, query, headers, body)


async def _read_body(request: web.Request, most: int) -> bytes:
    too_large = failure(
        "too_large",
        (
            f"The request body is larger than the {most} bytes that this proxy takes "
            "(limits.max_body_bytes)."
        ),
    )
    if request.content_length is not None and request.content_length > most:
        raise Refused(too_large)
    connection = request.protocol
    if isinstance(connection, Connection):
        connection.body = request.content
    pieces: list[bytes] = []
    size = 0
    most_s = request.app[REQUEST_BODY_S]
    try:
        async with asyncio.timeout(most_s):
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > most:
                    raise Refused(too_large)
                pieces.append(piece)
    except TimeoutError:
        said = f"The request body did not arrive within {most_s:g} s (server.request_body_s)."
        raise Refused(failure("bad_request", said, status=408)) from None
    except web.RequestPayloadError:
        raise bad_request(
            "The request body could not be read: it is cut or wrongly encoded."
        ) from None
    finally:
        if isinstance(connection, Connection):
            connection.body = None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _check_content_type(header: str | None) -> None:
    media = (header or "application/json").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise Refused(
            failure(
                "bad_request",
                f"Send the body as Content-Type: application/json, not {media[:60]!r}.",
                status=415,
            )
        )


def mock_wishes(incoming: Incoming) -> dict[str, str]:
    """What a mock is to play: said by headers or, for an EventSource, in the query. No real vendor
    sees it.
    """
    said = (*incoming.headers.items(), *incoming.query.items())
    return {name: value for name, value in said if name.lower().startswith(MOCK_PREFIX)}


def on_disconnect(headers: Mapping[str, str]) -> OnDisconnect | None:
    """What the client wants done when it leaves; None: what is configured. Raises Refused
    (bad_request).
    """
    said = headers.get(_ON_DISCONNECT)
    if said is None or said in get_args(OnDisconnect):
        return said  # type: ignore[return-value]  # it is one of them
    words = ", ".join(get_args(OnDisconnect))
    raise bad_request(f"The header {_ON_DISCONNECT} must be one of {words}, not {said[:40]!r}.")
