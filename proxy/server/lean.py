"""While an answer streams, minutes long and thousands at once, most of what aiohttp keeps of its
request is needed no more: the head, twice, the body's queue, the parser, timers. Here it is let go.

aiohttp does not offer that, so that names of its own are touched; tests/server/test_lean.py fails
when a release moves them, or keeps more.
"""

from collections import deque

from aiohttp import web

from proxy.server.connection import Connection
from proxy.server.heads import NO_FIELDS, NOWHERE, Head

_NO_PIECES: deque[bytes] = deque()


def let_go(request: web.Request) -> None:
    """What is not needed for the rest of an answer whose head has been sent: nobody may ask the
    request for more than its transport and its version.
    """
    message = request._message  # noqa: SLF001
    if isinstance(message, Head):
        message.let_go()
    request._headers, request._rel_url = NO_FIELDS, NOWHERE  # noqa: SLF001
    request._match_info = request._transport_peername = request._transport_sockname = None  # noqa: SLF001
    request._cache.clear()  # noqa: SLF001
    body = request._payload  # noqa: SLF001
    if body.at_eof() and hasattr(body, "_buffer"):  # those without a body share one that has none
        body._buffer = _NO_PIECES  # noqa: SLF001
    connection = request.protocol
    if isinstance(connection, Connection):
        connection.let_go()
