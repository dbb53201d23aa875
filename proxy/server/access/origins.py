"""From which pages, and under which names of ours, a browser may call. Pure: it reads header
values.

Names matter because of DNS rebinding: a page of an attacker's name, whose address was changed to
this machine's, has our own origin to its browser.
"""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SHOWN_CHARS = 100


def foreign_name(host: str) -> str | None:
    """Why a request under this name is refused by a proxy that takes no keys, as a sentence; None:
    the name is this machine's own.
    """
    if is_of_this_machine(host):
        return None
    return (
        "This proxy takes no keys, so it answers only under this machine's own names, and "
        f"{host[:_SHOWN_CHARS]!r} is none: call it by "
        "127.0.0.1, configure auth, or write `auth: none` to let anyone in."
    )


def as_browsers_write(origin: str) -> str:
    """A configured origin as a browser sends it: lower case, no slash at its end, no default
    port.
    """
    origin = origin.strip().lower().rstrip("/")
    scheme, _, authority = origin.partition("://")
    port = DEFAULT_PORTS.get(scheme, "")
    return f"{scheme}://{authority.removesuffix(port)}" if authority and port else origin


def same_origin(origin: str, host: str) -> bool:
    """Whether a page came from this very host. The scheme is not known here: TLS may end before
    us.
    """
    scheme, _, authority = origin.partition("://")
    port = DEFAULT_PORTS.get(scheme)
    if port is None or not authority or not origin.isprintable():
        return False
    return authority == host.lower().removesuffix(port)


@lru_cache(maxsize=256)
def is_of_this_machine(host: str) -> bool:
    """Whether a Host header has an address, a name of the loopback or one without a dot: no page of
    another site has such an origin, however its name is resolved.
    """
    name = host.lower()
    bare = name[1 : name.find("]")] if name.startswith("[") else name.partition(":")[0]
    try:
        ip_address(bare)
    except ValueError:
        return "." not in bare.removesuffix(".") or bare.removesuffix(".").endswith(".localhost")
    return True


@lru_cache(maxsize=256)
def is_loopback_page(origin: str) -> bool:
    """Whether a page's origin is on this machine: http://localhost:3000, http://app.localhost,
    https://127.0.0.1.
    """
    try:
        parts = urlsplit(origin)
        name = (parts.hostname or "").removesuffix(".")
    except ValueError:
        return False
    if parts.scheme not in DEFAULT_PORTS:
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
