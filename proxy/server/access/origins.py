"""From which pages, in which way, and under which names of ours a browser may call. Pure: it reads
header values.

Names matter because of DNS rebinding: a page of an attacker's name, whose address was changed to
this machine's, has our own origin to its browser.
"""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SHOWN_CHARS = 100
# How browsers say how a request came about.
_TOLD = ("Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Purpose", "Purpose")


def unasked(headers: Mapping[str, str]) -> str | None:
    """Why a browser's request runs no prompt, by the way it was made, as a sentence; None: it may,
    or no browser made it. For every path that runs one.

    `headers` finds a name in any case. What a page embeds, sends without CORS or leads to carries
    no Origin that could be judged, but browsers say how it came about (Fetch Metadata Request
    Headers, 2). What a user opened, with no page behind it (`none`), may run.
    """
    if not any(map(headers.__contains__, _TOLD)):  # no browser, or an old one
        return None
    if "prefetch" in headers.get("Sec-Purpose", headers.get("Purpose", "")):
        return "A browser fetched this ahead of time; a prompt runs only when it is asked for."
    judged = "Origin" in headers
    site = headers.get("Sec-Fetch-Site", "none")
    mode = headers.get("Sec-Fetch-Mode", "cors")
    dest = headers.get("Sec-Fetch-Dest", "document" if mode == "navigate" else "empty")
    # what comes from elsewhere needs an Origin, which `cors` judges; no other page's GET has one
    if site in ("none", "same-origin") or (judged and mode != "navigate"):
        if mode == "navigate" and dest == "document":
            return None
        if mode in ("cors", "same-origin", "websocket") and dest in ("empty", "websocket"):
            return None
    return (
        "A page may ask for an answer by fetch with CORS, by EventSource or by a WebSocket; not "
        f"as {_shown(dest)} in the mode {_shown(mode)}."
    )


def _shown(value: str) -> str:
    return repr(value[:_SHOWN_CHARS])


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
    """Whether a Host header has an address or a name of the loopback, or there is none: no page of
    another site has such an origin. A name without a dot is none of these: a network's search
    domain may lead it anywhere.
    """
    name = host.lower()
    bare = name[1 : name.find("]")] if name.startswith("[") else name.partition(":")[0]
    try:
        ip_address(bare)
    except ValueError:
        name = bare.removesuffix(".")
        return name in ("", "localhost") or name.endswith(".localhost")
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
