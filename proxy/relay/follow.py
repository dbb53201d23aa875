"""An upstream whose answer says where its stream is: it is read whole, and the stream opened if
that address is the upstream's own.

The address is the upstream's word, and the prompt's answer, the key and this machine's network are
at stake. So it keeps the scheme of `base_url`, and its host is that of `base_url`, a neighbour
under the same registered name, or one that the operator has listed.
"""

import re
from collections.abc import Callable, Collection
from ipaddress import ip_address

from yarl import URL

from proxy.codec.base import Outgoing
from proxy.errors import Refused, failure
from proxy.relay.plan import Bound
from proxy.upstream.answer import Answer
from proxy.upstream.client import Upstreams

_MAX_URL_CHARS = 4096
_HOST_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
# Under these a registered name has three labels: example.co.uk, example.com.au.
_COUNTRY = re.compile(r"[a-z]{2,3}\.[a-z]{2}")


async def followed(
    answer: Answer,
    follow: Callable[[bytes], Outgoing | None],
    bound: Bound,
    upstreams: Upstreams,
    most: int,
) -> Answer:
    """The answer at the address that this one gives. `follow` finds it in the body (see
    `UpstreamHalf.follow`). This one is read whole, up to `most` bytes, and closed in any case.

    Raises Refused: what the answer says went wrong, upstream_malformed for no address or one that
    is not followed, and what `Upstreams.open` raises.
    """
    name = bound.endpoint.name
    try:
        body = await answer.read(most + 1)
    finally:
        answer.close()
    if len(body) > most:
        raise _malformed(
            f"{name} answered with more than {most} bytes where it should have said where its "
            "stream is."
        )
    why = bound.half.parse_error(answer.status, answer.headers, body)
    if why is not None:
        raise Refused(why)
    onward = follow(body)
    if onward is None:
        raise _malformed(f"{name} did not say where its stream is.")
    at = vetted(
        onward.path, name, bound.endpoint.url, bound.settings.options.get("stream_hosts", ())
    )
    return await upstreams.open(bound.endpoint, onward, at)


def vetted(said: str, name: str, base_url: str, listed: Collection[str]) -> URL:
    """The address that upstream `name` gave, if its stream may be read there. `listed` are further
    hosts, each perhaps with a port.

    Raises Refused (upstream_malformed), without the address: it may hold a key, and it may be any.
    """
    base, at = URL(base_url), _parsed(said, name)
    if at.scheme != base.scheme:
        raise _malformed(
            f"{name} says that its stream is at another scheme than {base.scheme}, that of "
            "its base_url."
        )
    if "@" in at.raw_authority:
        raise _malformed(
            f"{name} says that its stream is at an address with a user in it, which is not "
            "followed."
        )
    host, home, listed = _host(at), _host(base), {each.lower() for each in listed}
    if f"{host}:{at.port}" in listed or (_is_loopback(home) and host == home):
        return at
    if at.port != base.port:
        raise _malformed(
            f"{name} says that its stream is at another port: list host:port in its "
            "options.stream_hosts, if that is right."
        )
    if host not in (home, *listed) and not _neighbours(host, home):
        raise _malformed(
            f"{name} says that its stream is at another host: list the host in its "
            "options.stream_hosts, if that is right."
        )
    return at


def _parsed(said: str, name: str) -> URL:
    """As it stands, since it may be signed."""
    try:
        plain = (
            len(said) <= _MAX_URL_CHARS
            and said.isascii()
            and said.isprintable()
            and not (" " in said or "\\" in said)
        )
        at = URL(said, encoded=True) if plain else URL()
        if at.scheme in ("http", "https") and at.raw_host and at.port:
            return at
    except ValueError:
        pass
    raise _malformed(f"{name} says that its stream is at something that is no http or https URL.")


def _host(url: URL) -> str:
    return (url.raw_host or "").lower().removesuffix(".")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _neighbours(host: str, home: str) -> bool:
    """Whether two names are under the same registered one, as api.example.com and
    stream.example.com are.
    """
    if not (_HOST_NAME.fullmatch(host) and _HOST_NAME.fullmatch(home)):
        return False
    labels = home.split(".")
    if labels[-1].isdigit():  # an IP address has no neighbours
        return False
    size = 3 if _COUNTRY.fullmatch(".".join(labels[-2:])) else 2
    return len(labels) >= size and host.split(".")[-size:] == labels[-size:]


def _malformed(message: str) -> Refused:
    return Refused(failure("upstream_malformed", message))
