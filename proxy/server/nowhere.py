"""Requests that nothing answers: a path that is none, or a method that it does not take. Each is
told so in the form of the dialect that its client most likely speaks, with the path that it most
likely meant.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from aiohttp import web

from proxy.codec.halves import ClientHalf
from proxy.codec.nearest import nearest
from proxy.dialects.registry import CLIENTS
from proxy.errors import failure
from proxy.server.gateway import Gateway
from proxy.server.respond import whole

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# A path of a client, in aiohttp's pattern syntax -> the dialects that have it.
Paths = Mapping[str, Sequence[ClientHalf]]
_VARIABLE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_MOST_CHARS = 500  # of a path for which another one is looked for
_SHOWN_CHARS = 100
_LIKE = 0.9  # a letter or two are wrong: paths of one version are alike by that alone
_OPERATION = re.compile(r"/models/[^/]+:[A-Za-z]+$")
_OPERATIONS = (
    " What stands behind a model's colon is one of: generateContent, streamGenerateContent, "
    "countTokens."
)
# What machines that watch a server ask, by other servers' names for it.
_WATCHED = re.compile(
    r"/+(?:-/|_|api/|v1/)*(?:metrics|prometheus|health|healthz|healthcheck|healthy|liveness|livez|live|"
    r"readiness|readyz|ready|ping|status)(?:/\w*)?/*"
)
_FOR_OPERATORS = (
    "Whoever watches this proxy asks /livez, /readyz or /metrics, on the port of admin: where that "
    "is set."
)
# What a base URL may have too much: some segments of an address that was meant for another server.
_TOO_MUCH = 3
# Whose clients call paths of these beginnings, where no known path is near. Longer ones come first.
_BEGINNINGS = (
    ("/v1/messages", "anthropic"),
    ("/v1/stream", "native"),
    ("/v1/projects", "gemini"),
    ("/v1beta", "gemini"),
    ("/v1alpha", "gemini"),
    ("/api/", "ollama"),
    ("/v2/", "cohere"),
    ("/v1", "openai_chat"),
)


def wrong_method(gateway: Gateway, half: ClientHalf, methods: Sequence[str]) -> Handler:
    """For what a path does not take. A preflight is answered."""
    allowed = ", ".join([*methods, "OPTIONS"])

    async def refuse(request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            response = _preflight(gateway, request)
        else:
            said = (
                f"{request.path[:_SHOWN_CHARS]} takes {' or '.join(methods)}, not "
                f"{request.method[:20]}."
            )
            if request.method == "POST" and _OPERATION.search(request.path):
                said += _OPERATIONS
            response = whole(half.render_error(failure("bad_request", said, status=405)))
        response.headers["Allow"] = allowed
        return response

    return refuse


def nothing_here(gateway: Gateway, paths: Paths) -> Handler:
    """For a path that is none."""
    asked = {route.path for half in CLIENTS.values() for route in half.routes}
    known = ", ".join(sorted(_VARIABLE.sub(r"{\1}", path) for path in asked))
    guide = Guide(paths)

    async def refuse(request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return _preflight(gateway, request)
        meant, half = guide.meant(request.path)
        if half is None:
            half = _owner(request)
        hint = f"Clients call one of: {known}." if meant is None else f"Did you mean {meant!r}?"
        if _WATCHED.fullmatch(request.path):
            hint = _FOR_OPERATORS
        said = f"There is nothing at {request.path[:_SHOWN_CHARS]!r}. {hint}"
        return whole(half.render_error(failure("bad_request", said, status=404)))

    return refuse


class Guide:
    """Knows the paths, and finds the one that was meant."""

    def __init__(self, paths: Paths) -> None:
        self._known = [(_pattern(path), halves[0]) for path, halves in paths.items()]
        self._plain = {path: halves[0] for path, halves in paths.items() if "{" not in path}
        beginnings = (re.match(r"/(v\d+\w*|api)(?=/)", path) for path in paths)
        self._versions = sorted({found[0] for found in beginnings if found})
        self._search = lru_cache(maxsize=256)(self._meant)

    def meant(self, path: str) -> tuple[str | None, ClientHalf | None]:
        """A path that is one, and the first of its dialects."""
        return (None, None) if len(path) > _MOST_CHARS else self._search(path)

    def _meant(self, path: str) -> tuple[str | None, ClientHalf | None]:
        for candidate in self._candidates(path):
            for pattern, half in self._known:
                if pattern.fullmatch(candidate):
                    return candidate, half
        near = nearest(path, self._plain, _LIKE)
        return near, None if near is None else self._plain[near]

    def _candidates(self, path: str) -> Iterator[str]:
        """Without what a base URL says too much, with what it lacks; the least change first."""
        segments = [segment for segment in path.split("/") if segment]
        # twice the same version, or one behind another
        single = [
            segment
            for at, segment in enumerate(segments)
            if not (at and segment == segments[at - 1] and f"/{segment}" in self._versions)
        ]
        for start in range(min(_TOO_MUCH, len(single)) + 1):
            rest = "/" + "/".join(single[start:])
            yield rest
            yield from (version + rest for version in self._versions)


def _pattern(path: str) -> re.Pattern[str]:
    parts, at = [], 0
    for variable in _VARIABLE.finditer(path):
        parts += [re.escape(path[at : variable.start()]), f"(?:{variable[2] or '[^/]+'})"]
        at = variable.end()
    return re.compile("".join([*parts, re.escape(path[at:])]))


def _owner(request: web.Request) -> ClientHalf:
    """Whose form an answer has where nothing tells but the beginning of the path, and headers."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    claimed = next((half for half in CLIENTS.values() if half.lists(headers)), None)
    if claimed is not None:
        return claimed
    name = next((name for start, name in _BEGINNINGS if request.path.startswith(start)), "native")
    return CLIENTS[name]


def _preflight(gateway: Gateway, request: web.Request) -> web.Response:
    headers = gateway.state.cors.preflight_headers(
        request.headers.get("Origin"),
        request.headers.get("Host", ""),
        request.headers.get("Access-Control-Request-Method"),
        request.headers.get("Access-Control-Request-Headers"),
        request.headers.get("Access-Control-Request-Private-Network"),
    )
    return web.Response(status=204, headers=headers)
