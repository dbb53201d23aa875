"""Which web pages may read our answers: one decision about headers, made from header values alone.
No I/O. `cors_policy` makes the policy that decides from the settings.

The server adds `answer_headers` to every answer (streams, errors, 404s and preflights alike) and
`preflight_headers` to the answer of an OPTIONS request. A page that is not allowed is not refused
here: without the headers its browser keeps the answer from it. Follows the Fetch standard, section
3.2 (CORS protocol).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from proxy.server.access.origins import (
    as_browsers_write,
    foreign_name,
    is_loopback_page,
    is_of_this_machine,
    same_origin,
)
from proxy.settings.model import Settings

# What pages may read beside the few headers that the standard always shows them.
EXPOSED = (
    "x-request-id, retry-after, x-mainstem-notes, x-mainstem-upstream, location, "
    "x-resumable-stream-id"
)
_EXPOSE = "Access-Control-Expose-Headers"
# All of them, served or not: a page that uses a wrong method shall see our 405, not a network error
# without a reason.
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
# A preflight of the OpenAI SDK asks for about 15 names, together under 400 characters; the bounds
# keep an answer small.
MAX_ASKED_CHARS = 4096
MAX_ASKED_NAMES = 64
PREFLIGHT_VARY = (
    "Access-Control-Request-Method, Access-Control-Request-Headers, "
    "Access-Control-Request-Private-Network"
)

# A token of RFC 9110, section 5.6.2. Nothing else is ever echoed, so no line break can get into an
# answer.
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_NOTHING: Mapping[str, str] = MappingProxyType({})


class CorsPolicy:
    """The rules of one configuration. The mappings that it gives are shared: copy them into an
    answer, do not change them.

    `allow_origins` holds origins ("https://app.example.com"), "local" for pages served from this
    machine, "null" for pages without an origin (a file, a sandboxed frame), or "*" for any.
    `max_age_s`: how long a browser may keep the answer of a preflight, in seconds. `guarded`:
    whoever reaches the proxy may call it, so only under a name that no page of another site can
    have. Raises ValueError for "*" with credentials.
    """

    def __init__(
        self,
        allow_origins: Sequence[str],
        allow_credentials: bool,
        max_age_s: int,
        *,
        guarded: bool = False,
    ) -> None:
        origins = {as_browsers_write(origin) for origin in allow_origins}
        self._any = "*" in origins
        self._local = "local" in origins
        self._guarded = guarded
        if self._any and allow_credentials:
            raise ValueError(
                'allow_credentials cannot go with allow_origins "*": name the origins, or set '
                "allow_credentials to false"
            )
        self._credentials = allow_credentials
        self._max_age_s = max_age_s
        # Every possible answer is made here, but for same-origin pages, whose browsers need none.
        self._granted = {origin: self._grant(origin) for origin in origins}
        self._refused: Mapping[str, str] = (
            _NOTHING if self._any else MappingProxyType({"Vary": "Origin"})
        )

    def allowed(self, origin: str | None, host: str) -> bool:
        """Whether a page of this origin may call; None: no page, or one of the proxy's own origin.
        `host` is the request's Host header: the playground is always allowed.
        """
        return self.refusal(origin, host) is None

    def refusal(self, origin: str | None, host: str) -> str | None:
        """Why a request with these headers is refused, as a sentence; None: it is not."""
        if self._guarded and (why := foreign_name(host)) is not None:
            return why
        if (
            origin is None
            or self._any
            or origin in self._granted
            or self._is_local(origin)
            or same_origin(origin, host)
        ):
            return None
        return (
            f"Pages of {origin[:100]!r} may not call this proxy: add the origin to "
            "cors.allow_origins."
        )

    def _is_local(self, origin: str) -> bool:
        return self._local and is_loopback_page(origin)

    def answer_headers(self, origin: str | None, host: str) -> Mapping[str, str]:
        """The headers of every actual answer. `origin` is the request's Origin header, None when it
        has none.

        With a list of origins Vary is there even without an Origin: else a cache could hand this
        answer to a page.
        """
        if self._guarded and not is_of_this_machine(host):
            return self._refused
        if self._any:
            return self._granted["*"]
        if origin is None:
            return self._refused
        granted = self._granted.get(origin)
        if granted is not None:
            return granted
        return (
            self._grant(origin)
            if self._is_local(origin) or same_origin(origin, host)
            else self._refused
        )

    def preflight_headers(
        self,
        origin: str | None,
        host: str,
        request_method: str | None,
        request_headers: str | None,
        private_network: str | None = None,
    ) -> Mapping[str, str]:
        """The headers of an answer to OPTIONS; they include those of `answer_headers`.

        The last three are the request's Access-Control-Request-Method, -Headers and
        -Private-Network as they came. Asked-for headers are granted by default, whatever their
        name; what is no header name is left out. Without an asked-for method the request is no
        preflight and nothing more is granted.
        """
        headers = dict(self.answer_headers(origin, host))
        vary = headers.get("Vary")
        headers["Vary"] = f"{vary}, {PREFLIGHT_VARY}" if vary else PREFLIGHT_VARY
        if origin is None or request_method is None or not self.allowed(origin, host):
            return headers
        headers["Access-Control-Allow-Methods"] = METHODS
        granted = _granted_names(request_headers[:MAX_ASKED_CHARS]) if request_headers else ""
        if granted:
            headers["Access-Control-Allow-Headers"] = granted
        if private_network == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        headers["Access-Control-Max-Age"] = str(self._max_age_s)
        return headers

    def _grant(self, origin: str) -> Mapping[str, str]:
        headers = {"Access-Control-Allow-Origin": origin, _EXPOSE: EXPOSED}
        if not self._any:
            headers["Vary"] = "Origin"
        # "null" is the origin of every sandboxed frame on every site: it is no better than any
        # origin.
        if self._credentials and origin != "null":
            headers["Access-Control-Allow-Credentials"] = "true"
        return MappingProxyType(headers)


def exposing(headers: Mapping[str, str], names: Iterable[str]) -> Mapping[str, str]:
    """The headers of an answer that also carries these, so that pages may read them. Where pages
    may read nothing, nothing is added.
    """
    exposed = headers.get(_EXPOSE)
    return headers if exposed is None else {**headers, _EXPOSE: _with(exposed, tuple(names))}


@lru_cache(maxsize=128)  # those of dialects, and those that an upstream's settings let down
def _with(exposed: str, names: tuple[str, ...]) -> str:
    said = exposed.lower().split(", ")
    return ", ".join([exposed, *(name for name in names if name.lower() not in said)])


# Pages ask for few different sets of names; 128 of them, each under 4 KB, stay under a megabyte.
@lru_cache(maxsize=128)
def _granted_names(asked: str) -> str:
    """The names in an Access-Control-Request-Headers that are header names, each once, in their
    order.
    """
    names = dict.fromkeys(name.strip(" \t").lower() for name in asked.split(","))
    return ", ".join([name for name in names if name and _TOKEN.issuperset(name)][:MAX_ASKED_NAMES])


def cors_policy(settings: Settings) -> CorsPolicy:
    """Which pages may call. Where anyone may call and somebody pays, no page from elsewhere may,
    unless the operator says so.
    """
    exposed = settings.auth is None and any(
        upstream.mock is None for upstream in settings.upstreams.values()
    )
    listed = settings.cors.allow_origins
    origins = [("local" if exposed else "*") if origin == "auto" else origin for origin in listed]
    return CorsPolicy(
        origins,
        settings.cors.allow_credentials,
        settings.cors.max_age_s,
        guarded=exposed and "*" not in listed,
    )
