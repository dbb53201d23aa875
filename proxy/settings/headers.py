"""Which headers may pass between clients and upstreams: both ways only those that an upstream's
settings list, and never those in here.

`forward_headers` lists names of clients' request headers, `return_headers` names of upstreams'
response headers, or beginnings of names such as `x-ratelimit-*`. Names are compared in lower case.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from proxy.settings.secret import holds_secret

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110, 5.6.2: token
_BEGINNING = re.compile(r"[!#$%&'+.^_`|~0-9a-z-]{2,}\*")
# RFC 9110, 7.6.1, and what older software takes for such: they are of one connection.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    }
)
# What frames the request, or what this proxy decides for each upstream.
_NEVER_UP = _HOP_BY_HOP | {
    "accept",
    "accept-encoding",
    "expect",
    "host",
    "key",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
}
# x-amz-: it would be signed with our key. x-mock-: for upstreams that are played here.
_NEVER_UP_BEGINNINGS = ("content-", "proxy-", "x-amz-", "x-mock-", "x-mainstem-")
# What frames the answer, what this proxy says itself, and what would act on the page's or the
# proxy's own origin.
_NEVER_DOWN = _HOP_BY_HOP | {
    *(
        "age",
        "alt-svc",
        "cache-control",
        "clear-site-data",
        "date",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
        "nel",
    ),
    *(
        "origin-agent-cluster",
        "permissions-policy",
        "pragma",
        "public-key-pins",
        "referrer-policy",
        "refresh",
        "report-to",
    ),
    *(
        "reporting-endpoints",
        "retry-after",
        "server",
        "service-worker-allowed",
        "set-login",
        "sourcemap",
        "speculation-rules",
    ),
    *(
        "strict-transport-security",
        "timing-allow-origin",
        "vary",
        "via",
        "warning",
        "www-authenticate",
        "x-request-id",
    ),
    *("x-frame-options", "x-xss-protection"),
}
_NEVER_DOWN_BEGINNINGS = (
    *(
        "access-control-",
        "content-",
        "cross-origin-",
        "proxy-",
        "sec-",
        "set-cookie",
        "x-accel-",
        "x-content-",
        "x-mainstem-",
    ),
    *("x-dns-prefetch", "x-permitted-", "x-sendfile", "x-reproxy", "x-webkit-"),
)


def may_go_up(name: str) -> bool:
    """Whether a client's header of this name, in lower case, may ever reach an upstream. A
    session's name is no credential here: tracing services have one.
    """
    if name in _NEVER_UP or name.startswith(_NEVER_UP_BEGINNINGS):
        return False
    return not holds_secret(name) or name.endswith(("session-id", "session_id", "sessionid"))


def may_come_down(name: str) -> bool:
    """Whether an upstream's header of this name, in lower case, may ever reach a client."""
    return not (
        name in _NEVER_DOWN or name.startswith(_NEVER_DOWN_BEGINNINGS) or holds_secret(name)
    )


def _forwarded(value: str) -> str:
    name = value.strip().lower()
    if not _NAME.fullmatch(name) or "*" in name:
        raise ValueError(f"has {value[:60]!r}, which is not a header's name")
    if not may_go_up(name):
        raise ValueError(
            f"cannot have {name[:60]!r}: headers that carry keys or cookies, or that frame a "
            "request, never go from a client to an "
            "upstream (pass_through sends a client's key)"
        )
    return name


def _returned(value: str) -> str:
    name = value.strip().lower()
    if not (_BEGINNING.fullmatch(name) or (_NAME.fullmatch(name) and "*" not in name)):
        raise ValueError(
            f"has {value[:60]!r}, which is neither a header's name nor the beginning of one, "
            "such as x-ratelimit-*"
        )
    if not may_come_down(name.removesuffix("*")):
        raise ValueError(
            f"cannot have {name[:60]!r}: headers that frame an answer, set cookies, speak of "
            "CORS or caches, or that this proxy writes "
            "itself never come from an upstream"
        )
    return name


ForwardHeader = Annotated[str, AfterValidator(_forwarded)]
ReturnHeader = Annotated[str, AfterValidator(_returned)]
