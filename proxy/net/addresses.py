"""Which network addresses an upstream's host may stand for. Pure; `proxy/net/resolver.py` holds
names to it.

A public name that leads to a private address is a poisoned or rebound one until the operator says
otherwise: without this, whoever answers for the name decides which machine of this network gets the
prompt and the key. Ranges are those of IANA's special-purpose registries (RFC 6890), as Python's
`ipaddress` has them, and of RFC 3056 (6to4), RFC 6052 (NAT64) and RFC 4291.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Literal

# any: `private: true`. near: written as a literal or as a name of private networks, so that a
# private address is no surprise; only such addresses are left out as no upstream has. public: any
# other name, which may stand for global addresses only.
Reach = Literal["any", "near", "public"]
Address = IPv4Address | IPv6Address

# Names that no public DNS answers for: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, and
# Kubernetes's and many a router's own.
_PRIVATE_NAMES = (
    ".localhost",
    ".local",
    ".internal",
    ".home.arpa",
    ".lan",
    ".svc",
    ".cluster.local",
)
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_V6 = IPv6Network("2000::/3")  # all that IANA gives out
_LAST_32_BITS = 0xFFFF_FFFF
# Where clouds keep a machine's credentials outside of the link-local ranges: AWS on IPv6, Alibaba,
# Oracle.
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))


@lru_cache(maxsize=1024)  # asked for every request; the hosts are few
def reach_of(host: str, private: bool) -> Reach:
    """What a host of a URL may stand for. `private`: the operator has said that it may be
    anything.
    """
    if private:
        return "any"
    name = host.lower().removesuffix(".")
    if literal(name) is not None or "." not in name or name.endswith(_PRIVATE_NAMES):
        return "near"
    return "public"


def literal(host: str) -> Address | None:
    """The address that a host is, in brackets or not; None for a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def is_barred(host: str, reach: Reach) -> bool:
    """Whether a host is an address that its reach does not admit. Names are for the resolver to
    judge.
    """
    return literal(host) is not None and not admits(reach, host)


def admits(reach: Reach, said: str) -> bool:
    """Whether a host of this reach may stand for the address, given as text. What is no address is
    not admitted.
    """
    address = literal(said)
    if address is None:
        return False
    return reach == "any" or (_is_global(address) if reach == "public" else not _is_unfit(address))


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that packets to an IPv6 one really go to."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & _LAST_32_BITS)
    return address.ipv4_mapped or address.sixtofour


def _is_global(address: Address) -> bool:
    carried = _carried(address)
    if carried is not None:
        return _is_global(carried)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _is_unfit(address: Address) -> bool:
    """Whether no upstream has such an address: link-local ones, where clouds hand out a machine's
    credentials, and those of no one host.
    """
    carried = _carried(address)
    if carried is not None:
        return _is_unfit(carried)
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address in _METADATA
    )
