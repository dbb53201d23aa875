"""Calls upstreams over HTTP and hands their bytes on as they arrive. It never parses an answer.

A body's bytes go from aiohttp's response parser straight to a callback, in the very call in which the event loop delivers them: no task
is woken per chunk, as that is most of what relaying a chunk costs. aiohttp offers no hook for it, so `_Protocol` below adds one, and
`_Connector` puts it in place; both touch one private name each, and tests/relay/test_upstream.py fails if an aiohttp release moves them.
"""

import asyncio
import functools
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from proxy.addresses import Reach, checked, is_barred, reach_of
from proxy.dialects.base import Outgoing
from proxy.errors import Failure, Refused, failure
from proxy.resolver import Resolver, UnfitAddressError, unfit
from proxy.signing import signed
from proxy.vanished import watch

# What aiohttp may hold unread for one answer before it stops reading the socket.
_READ_BUFFER_BYTES = 65_536
# After the dialect's terminator: how much, and how long, to wait for the body's own end, so that the connection can be used again.
_LINGER_BYTES = 65_536
_LINGER_S = 1.0
_DNS_CACHE_S = 30
# How long an upstream's machine may give no sign of life: long for any network, and mostly shorter than idle_s, which is for its model.
_LOST_S = 30


class Endpoint(NamedTuple):
    """A configured upstream as this module sees it. `headers` go with every request; `url` is the base, without a trailing slash;
    `private`: its host may stand for any address (see `proxy/addresses.py`).
    """

    name: str
    url: str
    path: str | None
    headers: Mapping[str, str]
    connect_s: float
    private: bool = False


class _Protocol(ResponseHandler):
    """aiohttp's client protocol, which also says when bytes or the end have come."""

    on_data: Callable[[], None] | None = None
    lost: BaseException | None = None
    malformed = False  # what came is no HTTP: aiohttp then drops the connection, and the body that it was in would never end
    _held = False  # by aiohttp, until what it has parsed is taken
    _stopped = False  # by us

    def stop(self, stopped: bool) -> None:
        """Stop reading the socket, or go on."""
        if self._stopped != stopped:
            self._stopped = stopped
            if self.transport is not None and not self.transport.is_closing():
                (self.transport.pause_reading if stopped else self.transport.resume_reading)()

    def pause_reading(self) -> None:
        self._held = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        # aiohttp resumes after every read, which costs a parse of nothing and a call into the transport each time.
        if self._held:
            self._held = False
            super().resume_reading(resume_parser)
            if self._stopped and self.transport is not None:  # in the midst of a large read; aiohttp has just undone it
                self.transport.pause_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        watch(transport, _LOST_S)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.on_data is not None:
            self.on_data()

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        self.malformed = self.malformed or isinstance(exc, HttpProcessingError)
        super().set_exception(exc, *(() if exc_cause is None else (exc_cause,)))

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = exc
        super().connection_lost(exc)
        if self.on_data is not None:
            self.on_data()


class _Connector(aiohttp.TCPConnector):
    def __init__(self, reach: Reach = "any") -> None:
        # limit=0: aiohttp's own limit is a queue that nobody sees; ours is limits.max_streams.
        super().__init__(limit=0, ttl_dns_cache=_DNS_CACHE_S, resolver=Resolver(reach))
        self._factory = functools.partial(_Protocol, loop=asyncio.get_running_loop())  # type: ignore[assignment]  # a subclass


class Answer:
    """An upstream's HTTP answer whose head has come. Either `read` it whole or `attach` to it; `close` it in any case."""

    __slots__ = ("_content", "_delivering", "_lingered", "_on_chunk", "_on_end", "_open", "_protocol", "_response", "_upstream")

    def __init__(self, response: aiohttp.ClientResponse, upstream: str, still_open: "set[Answer]") -> None:
        self._open = still_open
        still_open.add(self)
        self._response = response
        self._content = response.content
        self._upstream = upstream
        connection = response.connection
        self._protocol = connection.protocol if connection is not None else None
        self._on_chunk: Callable[[bytes], None] | None = None
        self._on_end: Callable[[Failure | None], None] | None = None
        self._lingered = -1
        self._delivering = False

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> dict[str, str]:
        """Header names in lower case."""
        return {name.lower(): value for name, value in self._response.headers.items()}

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters; "" when there is none."""
        return self._response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def read(self, most: int) -> bytes:
        """The first `most` bytes of the body, or all of it; what a broken body had until it broke."""
        body = b""
        if isinstance(self._protocol, _Protocol):
            self._protocol.on_data = self._give_up_malformed
            self._give_up_malformed()
        try:
            while len(body) < most:
                piece = await self._content.read(most - len(body))
                if not piece:
                    break
                body += piece
        except (aiohttp.ClientError, OSError) as error:
            _forget(error)
        finally:
            if isinstance(self._protocol, _Protocol):
                self._protocol.on_data = None
        return body

    def _give_up_malformed(self) -> None:
        """Wake who reads a body that will never end."""
        if isinstance(self._protocol, _Protocol) and self._protocol.malformed and not self._content.is_eof():
            self._content.set_exception(aiohttp.ClientPayloadError("no HTTP"))

    def attach(self, on_chunk: Callable[[bytes], None], on_end: Callable[[Failure | None], None]) -> None:
        """From now on call `on_chunk` with every chunk and, once, `on_end` with None (a clean end) or what broke. What has come already is
        handed over before this returns.
        """
        self._on_chunk, self._on_end = on_chunk, on_end
        if self._response.connection is None and self._protocol is not None and self._protocol.is_connected():
            self._protocol = None  # the whole body is here, and the connection may be another's already
        if isinstance(self._protocol, _Protocol):
            self._protocol.on_data = self._deliver
        self._deliver()

    def pause(self) -> None:
        """Stop reading the socket: the client takes no more. (The protocol's own pause_reading is for its parser, and only while it
        parses.)
        """
        if isinstance(self._protocol, _Protocol):
            self._protocol.stop(True)

    def resume(self) -> None:
        if isinstance(self._protocol, _Protocol):
            self._protocol.stop(False)

    def close(self) -> None:
        """Close the connection at once, unless the body has ended and it went back to the pool. Safe to call again."""
        self._detach()
        self._response.close()

    def finish(self) -> None:
        """The dialect's terminator has come: wait a moment for the body's own end, to keep the connection, then close."""
        self._on_chunk = self._on_end = None
        if self._content.at_eof() or self._protocol is None or self._protocol.transport is None:
            self.close()
            return
        self._lingered = 0
        self.resume()
        self._deliver()
        if self._lingered >= 0:
            asyncio.get_running_loop().call_later(_LINGER_S, self._give_up)

    def _give_up(self) -> None:
        if self._lingered >= 0:
            self.close()

    def _detach(self) -> None:
        self._open.discard(self)
        self._lingered = -1
        self._on_chunk = self._on_end = None
        if isinstance(self._protocol, _Protocol) and self._protocol.on_data == self._deliver:
            self._protocol.on_data = None
            self._protocol.stop(False)  # the connection may be used again
        self._protocol = None  # by another answer, which is not to be paused or resumed by whoever still holds this one

    def _deliver(self) -> None:
        if self._delivering:  # reading may make aiohttp parse, and deliver, more: the loop below takes it in its turn
            return
        self._delivering = True
        try:
            while data := self._content.read_nowait():
                self._take(data)
                if self not in self._open:  # closed: to read on raises what all of aiohttp's answers share, which then keeps our frames
                    return
        except Exception as error:
            if self._content.exception() is None:
                raise
            broken = self._broken(error)
            _forget(error)
            self._end(broken)
            return
        finally:
            self._delivering = False
        if self._content.at_eof():
            lost = self._protocol.lost if isinstance(self._protocol, _Protocol) else None
            # A body without a length ends with its connection, so a reset looks like an end to the parser.
            self._end(self._broken(lost) if lost is not None else None)
        elif isinstance(self._protocol, _Protocol) and self._protocol.malformed:
            said = f"{self._upstream} sent a body that breaks the rules of HTTP."
            self._end(failure("upstream_malformed", said, upstream=self._upstream))

    def _take(self, data: bytes) -> None:
        if self._on_chunk is not None:
            self._on_chunk(data)
        elif self._lingered >= 0:
            self._lingered += len(data)
            if self._lingered > _LINGER_BYTES:
                self.close()

    def _end(self, broken: Failure | None) -> None:
        on_end = self._on_end
        self._detach()
        if on_end is not None:
            on_end(broken)
        if broken is not None:
            self._response.close()

    def _broken(self, error: BaseException) -> Failure:
        if isinstance(error, aiohttp.ClientPayloadError) and "ontent-encoding" in str(error):
            return failure("upstream_malformed", f"{self._upstream} sent a compressed body that cannot be read.", upstream=self._upstream)
        return failure("upstream_truncated", f"{self._upstream} broke off its answer before it was complete.", upstream=self._upstream)


def _forget(error: BaseException) -> None:
    """Where it came from. aiohttp's protocol and body keep their exception, whose traceback keeps the frames that hold them, and the
    answer: a circle, which only a collection would end, and that may be long after megabytes were read.
    """
    chain: BaseException | None = error
    while chain is not None and chain.__traceback__ is not None:
        chain.__traceback__ = None
        chain = chain.__cause__ or chain.__context__


def _over(own: Mapping[str, str], configured: Mapping[str, str]) -> Mapping[str, str]:
    """A dialect's headers with the configured ones in their place, however either writes a name: none is sent twice."""
    if not configured:
        return own
    taken = {name.lower() for name in configured}
    return {**{name: value for name, value in own.items() if name.lower() not in taken}, **configured}


@lru_cache(maxsize=512)
def _url(base: str, path: str) -> URL:
    return URL(base + path, encoded=True)


class Upstreams:
    """The HTTP client for all upstreams of one process. Make it inside a running event loop; `close` it at the end."""

    answer: type[Answer] = Answer

    def __init__(self) -> None:
        self._sessions: dict[Reach, aiohttp.ClientSession] = {}
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        self._answers: set[Answer] = set()

    async def open(self, endpoint: Endpoint, call: Outgoing, at: URL | None = None) -> Answer:
        """Send the request and wait for the head of the answer. Raises Refused: connect_timeout, connect_failed, upstream_malformed for an
        answer that is not HTTP, or bad_request for a path that the model's name has spoilt. Redirects are not followed: where a prompt goes
        is the operator's choice alone.

        `at` goes before the endpoint's own address. What an upstream said comes here only through `relay.follow.vetted`: the endpoint's
        headers, keys among them, go along.
        """
        url = _url(endpoint.url, endpoint.path or checked(call.path)) if at is None else at
        session = self._session(url.raw_host or "", endpoint)
        headers = signed(call, url, _over({**call.headers, "Accept-Encoding": "identity"}, endpoint.headers))
        try:
            response = await session.request(
                call.method, url, data=call.body or None, headers=headers, allow_redirects=False, timeout=self._timeout(endpoint.connect_s)
            )
        except (TimeoutError, aiohttp.ServerTimeoutError) as error:
            _forget(error)
            said = f"{endpoint.name} did not accept a connection within {endpoint.connect_s:g} s."
            raise Refused(failure("connect_timeout", said, upstream=endpoint.name)) from error
        except aiohttp.ClientResponseError as error:
            _forget(error)
            raise Refused(failure("upstream_malformed", f"{endpoint.name} did not answer in HTTP.", upstream=endpoint.name)) from error
        except (aiohttp.ClientError, OSError) as error:
            _forget(error)
            raise Refused(failure("connect_failed", f"{endpoint.name} {_why(error)}", upstream=endpoint.name)) from error
        return self.answer(response, endpoint.name, self._answers)

    async def close(self) -> None:
        """Close every connection, also of answers that are still being read."""
        for answer in list(self._answers):
            answer.close()
        for session in self._sessions.values():
            await session.close()

    def _session(self, host: str, endpoint: Endpoint) -> aiohttp.ClientSession:
        """One a reach, as each has connections of its own: what one may be connected to, another may not. Proxies that the environment
        names are not used.
        """
        reach = reach_of(host, endpoint.private)
        if is_barred(host, reach):
            raise Refused(failure("connect_failed", f"{endpoint.name} {unfit(host, reach)}", upstream=endpoint.name))
        if reach not in self._sessions:
            self._sessions[reach] = aiohttp.ClientSession(
                connector=_Connector(reach),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                read_bufsize=_READ_BUFFER_BYTES,
                skip_auto_headers=("User-Agent", "Accept"),
                trust_env=False,
            )
        return self._sessions[reach]

    def _timeout(self, connect_s: float) -> aiohttp.ClientTimeout:
        if connect_s not in self._timeouts:
            self._timeouts[connect_s] = aiohttp.ClientTimeout(total=None, connect=connect_s)
        return self._timeouts[connect_s]


def _why(error: Exception) -> str:
    """In words, without the address: that is the operator's business, and the log has the upstream's name."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if isinstance(error.os_error, UnfitAddressError):
            return str(error.os_error)
        return "has a host name that cannot be found."
    if isinstance(error, aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError):
        return "could not be reached over TLS: its certificate or protocol was not accepted."
    if isinstance(error, aiohttp.InvalidURL):
        return "has a base_url whose host is neither a name nor a whole address."
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer."
    if isinstance(error, aiohttp.ClientConnectorError):
        return "refused the connection or could not be reached."
    return "broke the connection before it answered."
