"""What is answered where there is no request that could be: by a connection, or a listener that is
full.
"""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, InvalidURLError, LineTooLong

from proxy import __version__
from proxy.dialects.registry import CLIENTS
from proxy.errors import Failure, failure
from proxy.server.respond import with_retry_after

_NATIVE = CLIENTS["native"]
SERVER = f"mainstem/{__version__}"
# so that a client that still sends reads why it was refused: a close with bytes unread would reset
# the connection
LINGER_S = 3.0
FIELDS = 128  # that a head may have


def last(why: Failure, transport: asyncio.Transport | None) -> web.Response:
    """The answer behind which the connection is closed."""
    reply = _NATIVE.render_error(why)
    fields = {**reply.headers, "Content-Type": reply.content_type, "Server": SERVER}
    return _Last(transport, status=reply.status, body=reply.body, headers=fields)


class _Last(web.Response):
    """The last answer on a connection whose client may still be sending."""

    def __init__(self, transport: asyncio.Transport | None, **given: Any) -> None:
        super().__init__(**given)
        self._transport = transport

    async def write_eof(self, data: bytes = b"") -> None:
        await super().write_eof(data)
        if self._transport is not None and not self._transport.is_closing():
            half_close(self._transport)
            await asyncio.sleep(LINGER_S)  # cancelled when the client leaves


def half_close(transport: asyncio.WriteTransport) -> None:
    """Tell the client that nothing more comes, where that can be told while it may still send: TLS
    has no such end.
    """
    if transport.can_write_eof():
        transport.write_eof()


def refusal(why: Failure) -> bytes:
    """A whole answer in bytes, for where there is no request to answer."""
    reply = with_retry_after(_NATIVE.render_error(why), why)
    phrase = web.Response(status=reply.status).reason
    fields = {
        **reply.headers,
        "Content-Type": reply.content_type,
        "Content-Length": len(reply.body),
        "Server": SERVER,
        "Connection": "close",
    }
    lines = [
        f"HTTP/1.1 {reply.status} {phrase}",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + reply.body


def fault(error: HttpProcessingError, max_head_bytes: int) -> Failure:
    """Why the parser refused it, without a byte of what was sent."""
    if isinstance(error, LineTooLong):
        limit = error.args[1]
        return (
            line_too_large(max_head_bytes) if limit == max_head_bytes else _field_too_large(limit)
        )
    if error.message.startswith("Too many headers"):
        return failure(
            "too_large",
            f"The request has more than the {FIELDS} headers that this proxy takes.",
            status=431,
        )
    if "HTTPS traffic" in error.message:
        said = "This port speaks HTTP and got TLS: ask http://, or set server.tls to have https://."
        return failure("bad_request", said)
    if "PRI/Upgrade" in error.message:
        said = "This port speaks HTTP/1.1 alone, and got HTTP/2: a front such as nginx speaks it."
        return failure("bad_request", said)
    why = (
        "its target is no URL"
        if isinstance(error, InvalidURLError)
        else error.message.partition(":")[0].partition("\n")[0].strip(" .")
    )
    return failure("bad_request", f"This is no HTTP/1.1 request that can be answered: {why}.")


def line_too_large(most: int) -> Failure:
    """The line with the method and the target is larger than so many bytes."""
    return failure(
        "too_large",
        f"The request line is larger than limits.max_head_bytes ({most}): use a body.",
        status=414,
    )


def head_too_large(most: int) -> Failure:
    """All lines of the head together are larger than so many bytes."""
    return failure(
        "too_large",
        f"The head of the request is larger than limits.max_head_bytes ({most}).",
        status=431,
    )


def _field_too_large(most: object) -> Failure:
    return failure(
        "too_large", f"A header is larger than the {most} bytes that this proxy takes.", status=431
    )
