"""What was looked up is filtered before it is connected to."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from proxy.net.addresses import Reach
from proxy.net.resolver import Resolver, UnfitAddressError


class Said(AbstractResolver):
    """Gives these addresses for any name, and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        self.closed = True


async def kept(reach: Reach, *addresses: str) -> list[str]:
    return [
        each["host"]
        for each in await Resolver(reach, Said(*addresses)).resolve("api.example.com", 443)
    ]


async def test_of_mixed_addresses_only_the_public_are_left() -> None:
    """A poisoned answer beside a good one is of no use."""
    assert ["8.8.8.8", "2606:4700::1"] == await kept(
        "public", "127.0.0.1", "8.8.8.8", "10.0.0.1", "2606:4700::1", "::ffff:127.0.0.1"
    )


@pytest.mark.parametrize(
    ("reach", "address"), [("public", "192.168.0.1"), ("near", "169.254.169.254")]
)
async def test_nothing_left_is_an_error_that_names_the_setting_and_not_the_address(
    reach: Reach, address: str
) -> None:
    with pytest.raises(UnfitAddressError, match="private: true") as refused:
        await kept(reach, address)
    assert address not in str(refused.value)


async def test_with_private_true_everything_is_believed() -> None:
    assert ["127.0.0.1", "169.254.169.254"] == await kept("any", "127.0.0.1", "169.254.169.254")


async def test_a_name_without_addresses_is_not_called_private() -> None:
    assert [] == await kept("public")


async def test_the_real_resolver_finds_loopback_and_only_a_near_name_may_be_there() -> None:
    near = Resolver("near")
    assert {each["host"] for each in await near.resolve("localhost", 80, socket.AF_UNSPEC)} <= {
        "127.0.0.1",
        "::1",
    }
    await near.close()
    public = Resolver("public")
    with pytest.raises(UnfitAddressError):
        await public.resolve("localhost", 80, socket.AF_UNSPEC)
    await public.close()


async def test_what_it_wraps_is_closed_with_it() -> None:
    inner = Said()
    await Resolver("any", inner).close()
    assert inner.closed
