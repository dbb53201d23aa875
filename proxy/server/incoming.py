"""What a client's request says beside its body."""

import re
from collections.abc import Mapping
from os import urandom
from typing import get_args

from aiohttp import HttpVersion10, HttpVersion11, web

from proxy.codec.base import Incoming
from proxy.errors import bad_request
from proxy.settings.sections import OnDisconnect

MOCK_PREFIX = "x-mock-"
_LAST = "Last-Event-ID"
_ON_DISCONNECT = "x-mainstem-on-disconnect"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(request: web.Request) -> str:
    """The client's own x-request-id where it is harmless, else a new one."""
    asked = request.headers.get("x-request-id")
    return asked if asked and _REQUEST_ID.fullmatch(asked) else urandom(12).hex()


def new_stream_id() -> str:
    """Whoever knows it may read the stream: 128 bits that nobody guesses."""
    return urandom(16).hex()


def odd_coding(request: web.Request) -> bool:
    """Whether the body is in a transfer coding other than chunks alone, or of a client too old to
    know them (RFC 9112, 6.1).
    """
    coding = request.headers.get("Transfer-Encoding")
    return coding is not None and (coding.lower() != "chunked" or request.version < HttpVersion11)


def last_event_id(request: web.Request) -> str:
    """What a client that comes back has seen last; "" for one that does not. Of several that differ
    none can be meant, so that together they are no id of ours: such a client starts nothing.
    """
    said = request.headers.getall(_LAST, None)
    if said is None:
        return ""
    return ", ".join(dict.fromkeys(value for value in said if value))


def read_head(request: web.Request) -> Incoming:
    """The request without its body. Raises Refused (bad_request) for one whose end cannot be told
    for sure.
    """
    fields = request.headers
    if request.version < HttpVersion10:
        raise bad_request("HTTP/0.9 is not spoken here: send HTTP/1.1.")
    if "Transfer-Encoding" in fields and odd_coding(request):
        raise bad_request(
            "Transfer-Encoding must be chunked, in HTTP/1.1; send a body that is not in "
            "chunks with its Content-Length."
        )
    # by their pairs: a header that comes twice is one name of two values, and the last counts
    headers = {name.lower(): value for name, value in fields.items()}
    if "last-event-id" in headers:
        headers["last-event-id"] = last_event_id(request)
    # aiohttp keeps what it parses, and few requests have one
    query = request.query if request.query_string else {}
    return Incoming(request.method, request.match_info, query, headers, b"")


def asked_by(head: Incoming, body: bytes = b"") -> Incoming:
    """A request of this head and body without the query's credential and a mock's wishes, which are
    no part of what is asked.
    """
    query = head.query
    if query:
        query = {
            name: value
            for name, value in query.items()
            if name != "key" and not name.lower().startswith(MOCK_PREFIX)
        }
    return Incoming(head.method, head.path, query, head.headers, body)


def mock_wishes(incoming: Incoming) -> dict[str, str]:
    """What a mock is to play: said by headers or, for an EventSource, in the query. No real vendor
    sees it. Raises Refused (bad_request) for what no header can hold.
    """
    said = (*incoming.headers.items(), *incoming.query.items())
    wishes = {name: value for name, value in said if name.lower().startswith(MOCK_PREFIX)}
    for name, value in wishes.items():
        if not f"{name}{value}".replace("\t", "").isprintable():
            raise bad_request(f"{name[:40]!r} holds a character that no header can hold.")
    return wishes


def on_disconnect(headers: Mapping[str, str]) -> OnDisconnect | None:
    """What the client wants done when it leaves; None: what is configured. Raises Refused
    (bad_request).
    """
    said = headers.get(_ON_DISCONNECT)
    if said is None or said in get_args(OnDisconnect):
        return said  # type: ignore[return-value]  # it is one of them
    words = ", ".join(get_args(OnDisconnect))
    raise bad_request(f"The header {_ON_DISCONNECT} must be one of {words}, not {said[:40]!r}.")
