"""What can go wrong, said once: the kinds of failure and the statuses they carry.

A kind is used alike in errors, logs and metric labels; the set is closed so that a label stays
bounded. `Failure` is the datum. `Refused` is the one exception that the core raises, and it carries
a `Failure`. No vendor's exception and no I/O library's exception gets past the module that met it.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

Kind = Literal[
    "bad_request",
    "unauthorized",
    "forbidden",
    "model_not_found",
    "too_large",
    "rate_limited",
    "overloaded",
    "connect_failed",
    "connect_timeout",
    "first_event_timeout",
    "idle_timeout",
    "total_timeout",
    "upstream_status",
    "upstream_error",
    "upstream_malformed",
    "upstream_truncated",
    "client_gone",
    "cancelled",
    "shutdown",
    "internal",
]


class _Row(NamedTuple):
    status: int
    retryable: bool  # whether the same request may succeed if sent again
    next_target: bool  # whether another target may do better, before commit


KINDS: dict[Kind, _Row] = {
    "bad_request": _Row(400, False, False),
    "unauthorized": _Row(401, False, False),
    "forbidden": _Row(403, False, False),
    "model_not_found": _Row(404, False, True),
    "too_large": _Row(413, False, False),
    "rate_limited": _Row(429, True, True),
    "overloaded": _Row(503, True, True),
    "connect_failed": _Row(502, True, True),
    "connect_timeout": _Row(504, True, True),
    "first_event_timeout": _Row(504, True, True),
    "idle_timeout": _Row(504, True, True),
    "total_timeout": _Row(504, False, False),
    "upstream_status": _Row(502, True, True),
    "upstream_error": _Row(502, True, True),
    "upstream_malformed": _Row(502, True, True),
    "upstream_truncated": _Row(502, True, True),
    # nginx's 499: nobody is there to read it, but the log and the metrics want a number.
    "client_gone": _Row(499, False, False),
    "cancelled": _Row(499, False, False),
    "shutdown": _Row(503, True, False),
    "internal": _Row(500, False, False),
}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request or a stream failed. `status` is the HTTP status that goes, or would go, to the
    client.

    `upstream` is the configured name of the endpoint whose fault it is, null when it is ours or the
    client's. The optional fields are left out when unknown: `param` names the request field at
    fault, `code` is the vendor's own word for the error, `retry_after_s` its advice in seconds.
    """

    kind: Kind
    message: str
    retryable: bool
    status: int
    upstream: str | None = None
    param: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    retry_after_s: float | UnsetType = UNSET


def failure(
    kind: Kind,
    message: str,
    *,
    status: int | None = None,
    retryable: bool | None = None,
    upstream: str | None = None,
    param: str | None = None,
    code: str | None = None,
    retry_after_s: float | None = None,
) -> Failure:
    """A `Failure` whose status and retryability are the kind's own unless given. A vendor's message
    may be blank: that says nothing.
    """
    row = KINDS[kind]
    return Failure(
        kind=kind,
        message=message if message.strip() else "No reason was given.",
        status=row.status if status is None else status,
        retryable=row.retryable if retryable is None else retryable,
        upstream=upstream,
        param=UNSET if param is None else param,
        code=UNSET if code is None else code,
        retry_after_s=UNSET if retry_after_s is None else retry_after_s,
    )


# it is a refusal, ours or an upstream's; `Failure` says of what
class Refused(Exception):  # noqa: N818
    """A request cannot be taken, or a target cannot be tried. Raised by parse_request,
    build_request and the router.
    """

    def __init__(
        self,
        failure: Failure,
        returned: Mapping[str, str] | None = None,
        *,
        answered: int | None = None,
    ) -> None:
        """`returned`: headers of an upstream's answer that go to the client with the failure.
        `answered`: the upstream's own HTTP status, for the log.
        """
        super().__init__(failure.message)
        self.failure = failure
        self.answered = answered
        self.returned = returned or {}


def bad_request(message: str, *, param: str | None = None) -> Refused:
    """A refusal of what the client sent. `param` names the field at fault."""
    return Refused(failure("bad_request", message, param=param))


_STATUS_KINDS: dict[int, Kind] = {
    400: "bad_request",
    404: "model_not_found",
    413: "too_large",
    422: "bad_request",
    429: "rate_limited",
    498: "overloaded",  # Groq's "flex tier capacity exceeded"
    503: "overloaded",
    529: "overloaded",  # Anthropic's "overloaded"
}


def status_failure(
    status: int,
    message: str,
    *,
    code: str | None = None,
    retry_after_s: float | None = None,
    retryable: bool | None = None,
) -> Failure:
    """An upstream's HTTP error as a `Failure`: its 4xx is passed on with its own status, its 5xx,
    and what says that it is overloaded, becomes ours. `retryable` is what the upstream itself said.

    401, 402 and 403 stay `upstream_status`: the operator's key was refused, not the client's.
    """
    kind = _STATUS_KINDS.get(status, "upstream_status")
    passed_on = status if 400 <= status < 500 and kind != "overloaded" else KINDS[kind].status
    if retryable is None:
        retryable = status >= 500 or status in (408, 409, 425, 429, 498)
    return failure(
        kind,
        message,
        status=passed_on,
        retryable=retryable,
        code=code,
        retry_after_s=retry_after_s,
    )
