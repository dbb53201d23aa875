"""Which dialect a request is in, and what its path says. Sans-IO."""

import re
from collections.abc import Sequence

from proxy.codec.base import Incoming, Route
from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.recording.har import Place

_VARIABLE = re.compile(r"\{(\w+)(?::([^{}]+))?\}")


def choose(dialects: Sequence[str], incoming: Incoming) -> str:
    """The one of several dialects whose a request is; what none claims is the first's."""
    return next((dialect for dialect in dialects if CLIENTS[dialect].claims(incoming)), dialects[0])


def variables(client: ClientHalf, tail: str) -> dict[str, str]:
    """The variables of the dialect's own route at the end of a path, whatever stands before it;
    none when no route fits.
    """
    return _found(client.routes, tail) or {}


def counted(client: ClientHalf, tail: str) -> dict[str, str] | None:
    """The variables of a path where the dialect's clients ask for a count, with or without /v1;
    None: it is another.
    """
    routes = () if client.counting is None else client.counting.routes
    return _found([Route(route.method, route.path.removeprefix("/v1")) for route in routes], tail)


def place_at(path: str) -> Place | None:
    """The dialect that has a route at the end of this path, with or without /v1; None: none has."""
    for name, client in CLIENTS.items():
        routes = [
            Route(route.method, route.path.removeprefix("/v1"))
            for route in client.routes
            if route.method == "POST" and name in UPSTREAMS
        ]
        found = _found(routes, path.removeprefix("/"))
        if found is not None:
            return Place(name, found.get("model", ""))
    return None


def root_routes() -> dict[tuple[str, str], list[str]]:
    """Every path of every dialect, with the dialects that share it."""
    roots: dict[tuple[str, str], list[str]] = {}
    for dialect, client in CLIENTS.items():
        for route in client.routes:
            roots.setdefault((route.method, route.path), []).append(dialect)
    return roots


def _found(routes: Sequence[Route], tail: str) -> dict[str, str] | None:
    for route in routes:
        match = re.search(_pattern(route.path), f"/{tail}")
        if match:
            return match.groupdict()
    return None


def _pattern(path: str) -> str:
    parts, at = [], 0
    for match in _VARIABLE.finditer(path):
        parts += [re.escape(path[at : match.start()]), f"(?P<{match[1]}>{match[2] or '[^/]+'})"]
        at = match.end()
    return "".join([*parts, re.escape(path[at:]), "$"])
