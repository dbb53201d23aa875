"""Calls upstreams over HTTP. It never parses an answer: see `proxy/upstream/answer.py` for how its
bytes arrive.

`_Connector` puts the protocol that hands them on in aiohttp's place: it touches one private name,
and tests/upstream/test_client.py fails if an aiohttp release moves that.
"""

import asyncio
import functools
from collections.abc import AsyncIterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import aiohttp
from yarl import URL

from proxy.codec.base import Outgoing
from proxy.errors import Refused, failure
from proxy.net.addresses import Reach, is_barred, reach_of
from proxy.net.paths import checked_path
from proxy.net.resolver import Resolver, UnfitAddressError, unfit
from proxy.upstream.answer import Answer, forget
from proxy.upstream.protocol import Protocol
from proxy.upstream.signing import signed

# What aiohttp may hold unread for one answer before it stops reading the socket.
_READ_BUFFER_BYTES = 65_536
_DNS_CACHE_S = 30


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


class _Connector(aiohttp.TCPConnector):
    def __init__(self, reach: Reach = "any") -> None:
        # limit=0: aiohttp's own limit is a queue that nobody sees; ours is limits.max_streams.
        super().__init__(limit=0, ttl_dns_cache=_DNS_CACHE_S, resolver=Resolver(reach))
        # # a subclass
        self._factory = functools.partial(Protocol, loop=asyncio.get_running_loop())  # type: ignore[assignment]


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


@lru_cache(maxsize=512)
def _url(base: str, path: str) -> URL:
    return URL(base + path, encoded=True)


class Upstreams:
    """The HTTP client for all upstreams of one process. Make it inside a running event loop;
    `close` it at the end.
    """

    answer: type[Answer] = Answer

    def __init__(self) -> None:
        self._sessions: dict[Reach, aiohttp.ClientSession] = {}
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        self._answers: set[Answer] = set()

    async def open(
        self,
        endpoint: Endpoint,
        call: Outgoing,
        at: URL | None = None,
        body: AsyncIterable[bytes] | None = None,
    ) -> Answer:
        """Send the request and wait for the head of the answer. Raises Refused: connect_timeout,
        connect_failed, upstream_malformed for an answer that is not HTTP, or bad_request for a path
        that the model's name has spoilt. Redirects are not followed: where a prompt goes is the
        operator's choice alone.

        `at` goes before the endpoint's own address. What an upstream said comes here only through
        `relay.follow.vetted`: the endpoint's headers, keys among them, go along. `body` goes in
        place of the call's own, as it comes.
        """
        url = _url(endpoint.url, endpoint.path or checked_path(call.path)) if at is None else at
        session = self._session(url.raw_host or "", endpoint)
        headers = signed(
            call, url, _over({**call.headers, "Accept-Encoding": "identity"}, endpoint.headers)
        )
        try:
            response = await session.request(
                call.method,
                url,
                data=call.body or None if body is None else body,
                headers=headers,
                allow_redirects=False,
                timeout=self._timeout(endpoint.connect_s),
            )
        except (TimeoutError, aiohttp.ServerTimeoutError) as error:
            forget(error)
            said = f"{endpoint.name} did not accept a connection within {endpoint.connect_s:g} s."
            raise Refused(failure("connect_timeout", said, upstream=endpoint.name)) from error
        except aiohttp.ClientResponseError as error:
            forget(error)
            raise Refused(
                failure(
                    "upstream_malformed",
                    f"{endpoint.name} did not answer in HTTP.",
                    upstream=endpoint.name,
                )
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            forget(error)
            raise Refused(
                failure("connect_failed", f"{endpoint.name} {_why(error)}", upstream=endpoint.name)
            ) from error
        return self.answer(response, endpoint.name, self._answers)

    async def close(self) -> None:
        """Close every connection, also of answers that are still being read."""
        for answer in list(self._answers):
            answer.close()
        for session in self._sessions.values():
            await session.close()

    def _session(self, host: str, endpoint: Endpoint) -> aiohttp.ClientSession:
        """One a reach, as each has connections of its own: what one may be connected to, another
        may not. Proxies that the environment names are not used.
        """
        reach = reach_of(host, endpoint.private)
        if is_barred(host, reach):
            raise Refused(
                failure(
                    "connect_failed",
                    f"{endpoint.name} {unfit(host, reach)}",
                    upstream=endpoint.name,
                )
            )
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
        return "has a base_url whose host is neither a name nor a whole address."
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer."
    if isinstance(error, aiohttp.ClientConnectorError):
        return "refused the connection or could not be reached."
    return "broke the connection before it answered."
