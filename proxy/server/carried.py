"""The heads of answers: what every one carries, and the whole of one that is streamed."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple

from aiohttp import HttpVersion, HttpVersion11, web

from proxy import __version__
from proxy.codec.base import Encoder
from proxy.events import Note
from proxy.server.cors import exposing
from proxy.server.gateway import Gateway
from proxy.server.incoming import odd_coding, request_id
from proxy.server.operating import PATH as OPERATORS
from proxy.server.playground import ABOUT
from proxy.server.respond import RETURNED, note_headers
from proxy.server.visit import REQUEST_ID

_SERVER = f"mainstem/{__version__}"
# What other origins' pages may not read, whatever cors says: it is for the operator.
_UNSHARED = frozenset({"/metrics", "/livez", "/readyz", "/mock/requests", ABOUT})
_STREAM_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    # tells nginx to pass every frame on at once, whatever its own settings are
    "X-Accel-Buffering": "no",
}


class Particulars(NamedTuple):
    """What the head of a streamed answer says of this one. `upstream` None: it is not known yet.
    `returned` are the upstream's own headers, which replace none of the others; `headers` are ours.
    """

    notes: Sequence[Note] = ()
    upstream: str | None = None
    returned: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}


def stream_head(
    gateway: Gateway, request: web.Request, encoder: Encoder, said: Particulars, *, kept_alive: bool
) -> bytes:
    """The head of a streamed answer, to be followed by its body: in chunks, where the client knows
    those. Raises ValueError for a header that is more than one line.
    """
    fixed = _fixed(
        request.version, encoder.content_type, tuple(encoder.headers.items()), said.upstream
    )
    own = f"Date: {_date(int(time.time()))}\r\nx-request-id: {request[REQUEST_ID]}\r\n"
    named = {} if kept_alive else {"Connection": "close"}
    if said.notes:
        named |= note_headers(said.notes)
    shared = gateway.state.cors.answer_headers(
        request.headers.get("Origin"), request.headers.get("Host", "")
    )
    if said.headers or said.returned:
        named |= said.headers
        shared = exposing(shared, (*said.returned, *said.headers))
    if said.returned:
        ours = (*f"{fixed}{own}".split("\r\n"), *named)
        taken = {line.partition(":")[0].lower() for line in ours}
        named |= {name: value for name, value in said.returned.items() if name not in taken}
    rest = _lines({**named, **shared}) if named else _shared(tuple(shared.items()))
    return f"{fixed}{own}{rest}\r\n".encode()


@lru_cache(maxsize=512)  # dialects, upstreams: there are few of each
def _fixed(
    version: HttpVersion, content_type: str, own: tuple[tuple[str, str], ...], upstream: str | None
) -> str:
    """The lines that are the same for every answer of a dialect that comes from an upstream."""
    headers = {**_STREAM_HEADERS, **dict(own)}
    if upstream is not None:
        headers["x-mainstem-upstream"] = upstream
    headers["Content-Type"] = content_type
    if version >= HttpVersion11:
        headers["Transfer-Encoding"] = "chunked"
    headers["Server"] = _SERVER
    return f"HTTP/{version.major}.{version.minor} 200 OK\r\n{_lines(headers)}"


@lru_cache(maxsize=64)  # an origin's are the same for each of its answers
def _shared(headers: tuple[tuple[str, str], ...]) -> str:
    """The lines by which pages of other origins may read an answer."""
    return _lines(dict(headers))


def _lines(headers: Mapping[str, str]) -> str:
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not len(headers) == text.count("\n") == text.count("\r"):
        raise ValueError(f"a header of more than one line, among {', '.join(headers)!r}")
    return text


@lru_cache(maxsize=1)
def _date(unix_s: int) -> str:
    return formatdate(unix_s, usegmt=True)


def dress(gateway: Gateway) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """What adds to an answer that is about to be sent what every one carries: a signal of
    aiohttp's, as a streamed answer is prepared before any middleware sees it.
    """

    async def dress(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers["x-request-id"] = request.get(REQUEST_ID) or request_id(request)
        headers["Server"] = _SERVER
        if not isinstance(response, web.WebSocketResponse) and (
            is_last(gateway, request) or _ends_with_close(request, response)
        ):
            response.force_close()
            headers["Connection"] = "close"
        if request.path in _UNSHARED or request.path.startswith(OPERATORS):
            return
        origin = request.headers.get("Origin")
        shared = gateway.state.cors.answer_headers(origin, request.headers.get("Host", ""))
        if returned := response.get(RETURNED):
            shared = exposing(shared, returned)
        for name, value in shared.items():
            if name not in headers:
                headers[name] = value

    return dress


def is_last(gateway: Gateway, request: web.Request) -> bool:
    """Whether the client's next request is to go elsewhere: this process ends, or where this
    request ends, and what comes after it, may be read in another way than it is here, by a proxy in
    front or by its sender: a body of which not all has come, an odd transfer coding, another
    protocol wished for.
    """
    headers = request.headers
    return (
        gateway.closing
        or not request.content.is_eof()
        or "Upgrade" in headers
        or ("Transfer-Encoding" in headers and odd_coding(request))
        or request.method == "CONNECT"
    )


def _ends_with_close(request: web.Request, response: web.StreamResponse) -> bool:
    """Whether nothing but the close tells an old client where the answer ends (RFC 9112, 6.3)."""
    return request.version < HttpVersion11 and not isinstance(response, web.Response)
