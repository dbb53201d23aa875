"""Resolves upstreams' names, without the addresses that a name may not stand for: what is left is
what is connected to.
"""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from proxy.net.addresses import Reach, admits, literal


class UnfitAddressError(OSError):
    """A name stands only for addresses that it may not stand for."""


class Resolver(AbstractResolver):
    """The system's resolver, or `inner`, of which only the addresses within `reach` are believed.
    Make it inside a running event loop.
    """

    def __init__(self, reach: Reach, inner: AbstractResolver | None = None) -> None:
        self._reach = reach
        self._inner = DefaultResolver() if inner is None else inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError: what the look-up raises, or UnfitAddressError when nothing is left of
        what it found.
        """
        found = await self._inner.resolve(host, port, family)
        kept = [each for each in found if admits(self._reach, each["host"])]
        if found and not kept:
            raise UnfitAddressError(unfit(host, self._reach))
        return kept

    async def close(self) -> None:
        await self._inner.close()


def unfit(host: str, reach: Reach) -> str:
    """Why nothing is sent to a host, and what allows it; without any address, as what a name stands
    for is not a client's business.
    """
    subject = (
        "has an address"
        if literal(host) is not None
        else "has a host name that stands for an address"
    )
    what = (
        "of a private network"
        if reach == "public"
        else "that is link-local, multicast or a cloud's metadata service"
    )
    return f"{subject} {what}: set private: true on this upstream, if that is right."
