"""aiohttp's connector, which finds and makes the connections to upstreams.

`Connector` puts our protocol in the place of aiohttp's: it touches one private name, and
tests/upstream/test_client.py fails if an aiohttp release moves that.
"""

import asyncio
from functools import partial

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from proxy.net.addresses import Reach
from proxy.net.resolver import Resolver
from proxy.upstream.protocol import Protocol

_DNS_CACHE_S = 30


class Connector(aiohttp.TCPConnector):
    """Names looked up, TLS spoken: all that is aiohttp's."""

    def __init__(self, reach: Reach = "any") -> None:
        # limit=0: aiohttp's own limit is a queue that nobody sees; ours is limits.max_streams.
        super().__init__(limit=0, ttl_dns_cache=_DNS_CACHE_S, resolver=Resolver(reach))
        # which asks no more of a connection than ours offers
        self._factory = partial(Protocol, asyncio.get_running_loop())  # type: ignore[assignment,arg-type]


class Origin:
    """What aiohttp's connector wants to know of a request: where it goes. It is the same for each
    request to an address.
    """

    __slots__ = ("connection_key", "port", "url")

    proxy = None  # proxies that the environment names are not used
    ssl = True
    server_hostname = None

    def __init__(self, url: URL) -> None:
        self.url = url
        self.port = url.port
        self.connection_key = ConnectionKey(
            url.raw_host or "", url.port, self.is_ssl(), True, None, None, None
        )

    def is_ssl(self) -> bool:
        return self.url.scheme == "https"
