"""Calls upstreams over HTTP. It never parses an answer: see `proxy/upstream/answer.py` for how its
bytes arrive.

aiohttp's connector finds and makes the connections (`proxy/upstream/connector.py`); what is said on
them is ours, as its client would take a tenth of a short request, and keep some kilobytes for each
that lasts. They are kept for further requests in `proxy/upstream/pool.py`.
"""

import asyncio
from collections.abc import AsyncIterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import aiohttp
from yarl import URL

from proxy.codec.base import Outgoing
from proxy.errors import Failure, Refused, failure
from proxy.net.addresses import Reach, is_barred, reach_of
from proxy.net.paths import checked_path
from proxy.net.resolver import UnfitAddressError, unfit
from proxy.upstream.answer import Answer
from proxy.upstream.connector import Origin
from proxy.upstream.head import Head, has_length, written
from proxy.upstream.pool import Pool, Pooled
from proxy.upstream.protocol import Protocol, Trouble
from proxy.upstream.signing import signed

_REPEATABLE = frozenset({"GET", "HEAD"})  # without harm
_NO_HOST = "has a base_url whose host is neither a name nor a whole address."


class Endpoint(NamedTuple):
    """A configured upstream as this module sees it. `headers` go with every request; `url` is the
    base, without a trailing slash; `private`: its host may stand for any address (see
    `proxy/net/addresses.py`).
    """

    name: str
    url: str
    path: str | None
    headers: Mapping[str, str]
    connect_s: float
    private: bool = False


def _over(own: Mapping[str, str], configured: Mapping[str, str]) -> Mapping[str, str]:
    """A dialect's headers with the configured ones in their place, however either writes a name:
    none is sent twice.
    """
    if not configured:
        return own
    taken = {name.lower() for name in configured}
    return {
        **{name: value for name, value in own.items() if name.lower() not in taken},
        **configured,
    }


class _Way(NamedTuple):
    """To an address: the same for each request. `unfit` says why there is none."""

    url: URL
    origin: Origin
    reach: Reach
    unfit: str


@lru_cache(maxsize=512)
def _way(base: str, path: str, private: bool) -> _Way:
    return _way_to(_url(base, path), private)


def _url(base: str, path: str) -> URL:
    return URL(base + path, encoded=True)


def _way_to(url: URL, private: bool) -> _Way:
    host = url.raw_host or ""
    reach = reach_of(host, private)
    why = unfit(host, reach) if is_barred(host, reach) else ""
    return _Way(url, Origin(url), reach, why if host else _NO_HOST)


class Upstreams:
    """The HTTP client for all upstreams of one process. Make it inside a running event loop;
    `close` it at the end.
    """

    answer: type[Answer] = Answer

    def __init__(self) -> None:
        self._pools: dict[Reach, Pool] = {}
        self._answers: set[Answer] = set()

    async def open(
        self,
        endpoint: Endpoint,
        call: Outgoing,
        at: URL | None = None,
        body: AsyncIterable[bytes] | None = None,
        until: float | None = None,
    ) -> Answer:
        """Send the request and wait for the head of the answer. Raises Refused: connect_timeout,
        connect_failed, upstream_malformed for an answer that is not HTTP, or bad_request for a path
        that the model's name has spoilt. Redirects are not followed: where a prompt goes is the
        operator's choice alone. Raises TimeoutError where no head has come `until` then, by the
        loop's clock.

        `at` goes before the endpoint's own address. What an upstream said comes here only through
        `relay.follow.vetted`: the endpoint's headers, keys among them, go along. `body` goes in
        place of the call's own, as it comes.
        """
        if at is None:
            path = endpoint.path or checked_path(call.path)
            way = _way(endpoint.url, path, endpoint.private)
        else:
            way = _way_to(at, endpoint.private)
        if way.unfit:
            said = f"{endpoint.name} {way.unfit}"
            raise Refused(failure("connect_failed", said, upstream=endpoint.name))
        headers = signed(
            call, way.url, _over({**call.headers, "Accept-Encoding": "identity"}, endpoint.headers)
        )
        request = written(call.method, way.url, headers, len(call.body) if body is None else None)
        pool = self._pools.get(way.reach)
        if pool is None:
            pool = self._pools[way.reach] = Pool(way.reach)
        again = body is None and call.method in _REPEATABLE
        while True:
            connection = pool.kept(way.origin)
            if connection is None:
                connection = await self._connected(pool, way, endpoint, until)
            protocol = connection.protocol
            try:
                fresh = not protocol.used
                protocol.sending = (
                    None if body is None else asyncio.create_task(_send(protocol, body, headers))
                )
                head = await protocol.ask(request + call.body, call.method, until)
            except BaseException:
                connection.close()
                raise
            if isinstance(head, Head):
                return self.answer(connection, head, endpoint.name, self._answers)
            connection.close()
            if head == "late":
                raise TimeoutError
            if fresh or not again or head == "malformed":
                raise Refused(_unanswered(endpoint.name, head))
            # the upstream closed a kept connection just then: once more, on another one

    async def _connected(
        self, pool: Pool, way: _Way, endpoint: Endpoint, until: float | None
    ) -> Pooled:
        """A new connection. Raises Refused, and TimeoutError as `open` does."""
        name = endpoint.name
        async with asyncio.timeout_at(until):
            try:
                return await pool.made(way.origin, endpoint.connect_s)
            except TimeoutError as error:
                forget(error)
                said = f"{name} did not accept a connection within {endpoint.connect_s:g} s."
                raise Refused(failure("connect_timeout", said, upstream=name)) from error
            except (aiohttp.ClientError, OSError) as error:
                forget(error)
                raise Refused(
                    failure("connect_failed", f"{name} {_why(error)}", upstream=name)
                ) from error

    async def close(self) -> None:
        """Close every connection, also of answers that are still being read."""
        for answer in list(self._answers):
            answer.close()
        for pool in self._pools.values():
            await pool.close()


async def _send(protocol: Protocol, body: AsyncIterable[bytes], headers: Mapping[str, str]) -> None:
    """The body of a request whose head has been sent, as it comes. Where it breaks off, so does the
    connection: half a request must not look like a whole one.
    """
    chunked = not has_length(headers)
    try:
        async for piece in body:
            if piece:
                await protocol.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            await protocol.send(b"0\r\n\r\n")
    except (Refused, OSError):  # whoever gave the body knows why
        protocol.abort()


def _unanswered(name: str, why: Trouble) -> Failure:
    """There was a connection, and no answer."""
    if why == "malformed":
        return failure("upstream_malformed", f"{name} did not answer in HTTP.", upstream=name)
    said = (
        "closed the connection without an answer."
        if why == "closed"
        else "broke the connection before it answered."
    )
    return failure("connect_failed", f"{name} {said}", upstream=name)


def _why(error: Exception) -> str:
    """In words, without the address: that is the operator's business, and the log has the
    upstream's name.
    """
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if isinstance(error.os_error, UnfitAddressError):
            return str(error.os_error)
        return "has a host name that cannot be found."
    if isinstance(error, aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError):
        return "could not be reached over TLS: its certificate or protocol was not accepted."
    if isinstance(error, aiohttp.InvalidURL):
        return _NO_HOST
    return "refused the connection or could not be reached."


def forget(error: BaseException) -> None:
    """Where it came from. Its traceback keeps the frames that hold it: a circle, which only a
    collection would end.
    """
    chain: BaseException | None = error
    while chain is not None and chain.__traceback__ is not None:
        chain.__traceback__ = None
        chain = chain.__cause__ or chain.__context__
