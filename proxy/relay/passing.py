"""What passes between a client and an upstream beside the prompt and the answer: a key, a few
headers. All else stays where it is.

The core never sees a client's credential, so no dialect can send one; it enters a request only as
the config's key, and only for an upstream with `pass_through`.
"""

from collections.abc import Mapping
from functools import lru_cache
from time import monotonic
from types import MappingProxyType

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.errors import Failure, Kind, Refused, failure
from proxy.observe.record import StreamRecord
from proxy.relay.apart import LARGE_BYTES, beside
from proxy.relay.plan import Bound
from proxy.relay.redactor import Redactor
from proxy.relay.won import Envelope, NotSentError
from proxy.relay.wording import code_of, loggable
from proxy.request import ChatRequest
from proxy.routing import Target
from proxy.settings.headers import may_come_down
from proxy.settings.upstreams import Upstream
from proxy.upstream.answer import Answer

_MAX_VALUE_CHARS = 1024
_MAX_RETURNED = 32
# The first that is there: vendors' own names, then that of a front that many have.
_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "x-ds-trace-id",
    "x-siliconcloud-trace-id",
    "mistral-correlation-id",
    "x-debug-trace-id",
    "x-log-id",
    "trace-id",
    "cf-ray",
)
_NOTHING: Mapping[str, str] = MappingProxyType({})
_MAX_KEY_CHARS = 4096  # a JWT is long
# Where the key was the client's own, a refusal of it is the client's affair: no other target is
# tried in its place.
_OF_THE_KEY: Mapping[int, Kind] = {401: "unauthorized", 403: "forbidden"}


def prepared(
    bound: Bound,
    target: Target,
    request: ChatRequest,
    credential: str | None,
    headers: Mapping[str, str],
) -> tuple[TargetConfig, Outgoing]:
    """The target's configuration with the key that is to be sent, and the request with the client's
    headers that may go up. `credential` and `headers`, names in lower case, are the client's.

    Raises Refused: unauthorized where the client's key is wanted and there is none, and what
    build_request raises.
    """
    config = _configured(bound, target, credential)
    return config, _with_headers(bound, built(bound.half, request, config), headers)


async def prepared_apart(
    bound: Bound, target: Target, request: ChatRequest, envelope: Envelope
) -> tuple[TargetConfig, Outgoing]:
    """The same, apart from the event loop where the request is large. Of a dear one, which is not
    here, it gives what was asked for: the request, or that for the count of its tokens.
    """
    credential, headers = envelope.credential, envelope.headers
    if envelope.dear is None:
        if envelope.size <= LARGE_BYTES:
            return prepared(bound, target, request, credential, headers)
        return await beside(lambda: prepared(bound, target, request, credential, headers))
    config = _configured(bound, target, credential)
    call = await envelope.dear.built(bound.half.name, config)
    return config, _with_headers(bound, call, headers)


def returned(answer: Answer, settings: Upstream) -> Mapping[str, str]:
    """Those headers of an upstream's answer, names in lower case, that may go to the client: listed
    ones with a plain, short value, in which the upstream's key does not stand.
    """
    listed = settings.return_headers
    if not listed:
        return _NOTHING
    veil = Redactor(settings, settings.key())
    found = [
        (name, value)
        for name, value in answer.headers.items()
        if _is_listed(name, listed) and is_plain(value) and not veil.is_in(value)
    ]
    return dict(found[:_MAX_RETURNED])


def veil_of(bound: Bound, credential: str | None) -> Redactor:
    """What hides the upstream's secrets in its failures. `credential` is the client's."""
    return Redactor(bound.settings, credential) if bound.settings.pass_through else bound.veil


def told(why: Failure, bound: Bound, credential: str | None) -> Failure:
    """A failure before commit as the client may be told it: without secrets, and as its own where
    its own key was refused.
    """
    why = veil_of(bound, credential).over(why)
    kind = (
        _OF_THE_KEY.get(why.status)
        if bound.settings.pass_through and why.kind == "upstream_status"
        else None
    )
    return why if kind is None else msgspec.structs.replace(why, kind=kind)


def tell_failure(
    refused: Refused,
    bound: Bound,
    envelope: Envelope,
    record: StreamRecord,
    sent: bytes | None = None,
) -> None:
    """What came of asking an upstream, as the client may be told it, and in the record. `sent`:
    the body of the request, if one was made.
    """
    why = told(refused.failure, bound, envelope.credential)
    # one of the request itself does not blame the upstream
    if why.upstream is None and why.kind != "internal":
        why = msgspec.structs.replace(why, upstream=bound.endpoint.name)
    note_failure(record, why, sent)
    if refused.answered is not None:
        record.upstream_status = refused.answered
    result = refused.result if isinstance(refused, NotSentError) else why.kind
    record.attempted(bound.endpoint.name, result, monotonic())
    refused.failure = why


def note_head(record: StreamRecord, answer: Answer, veil: Redactor) -> None:
    """What the head of an answer tells, for the log."""
    record.upstream_status = answer.status
    record.vendor_request_id = request_id_of(answer, veil)


def request_id_of(answer: Answer, veil: Redactor) -> str:
    """The vendor's own name for the request, which its support asks for; empty where it has none,
    or has put the key there.
    """
    fields = answer.fields
    for name in filter(fields.__contains__, _REQUEST_IDS):
        if is_plain(said := fields.getall(name)[-1]):
            return "" if veil.is_in(said) else said
    return ""


def place(bound: Bound, call: Outgoing) -> str:
    """The host and path that are asked, for the log: without a query, where some vendors have the
    key.
    """
    return _place(bound.endpoint.url + (bound.endpoint.path or call.path))


@lru_cache(maxsize=512)
def _place(url: str) -> str:
    return url.partition("?")[0].partition("://")[2].rpartition("@")[2]


def note_failure(record: StreamRecord, why: Failure, sent: bytes | None = None) -> None:
    """Why it failed, for the log: what an upstream said when it was asked goes before what is known
    later. `sent` as for `loggable`.
    """
    record.error, record.error_code = loggable(why, sent), code_of(why)


def _configured(bound: Bound, target: Target, credential: str | None) -> TargetConfig:
    config = bound.config(target)
    if bound.settings.pass_through:
        config = config._replace(api_key=_own_key(credential, target.upstream))
    return config


def _with_headers(bound: Bound, call: Outgoing, headers: Mapping[str, str]) -> Outgoing:
    """With those of the client's headers that may go up."""
    if not bound.settings.forward_headers:
        return call
    return call._replace(headers=_forwarded(bound, call.headers, headers))


def _own_key(credential: str | None, upstream: str) -> str:
    if not credential:
        said = (
            f"{upstream} takes your own key: send it as Authorization: Bearer <key>, x-api-key, "
            "x-goog-api-key or ?key=."
        )
        raise Refused(failure("unauthorized", said))
    if len(credential) > _MAX_KEY_CHARS or not (credential.isascii() and credential.isprintable()):
        raise Refused(
            failure(
                "unauthorized",
                (
                    f"This is no key that {upstream} could be sent: it is too long, or has odd "
                    "characters in it."
                ),
            )
        )
    return credential


def _forwarded(bound: Bound, own: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    """What the dialect or the configuration says goes before what the client says."""
    taken = {name.lower() for name in (*own, *bound.endpoint.headers)}
    wanted = (name for name in bound.settings.forward_headers if name not in taken)
    return {
        name: headers[name] for name in wanted if name in headers and is_plain(headers[name])
    } | dict(own)


def _is_listed(name: str, listed: tuple[str, ...]) -> bool:
    """A beginning may cover what must not come down, so each name is asked for."""
    covered = any(
        name.startswith(each[:-1]) if each.endswith("*") else name == each for each in listed
    )
    return covered and may_come_down(name)


def is_plain(value: str) -> bool:
    """Visible ASCII and blanks, within bounds: it goes into a header as it is."""
    return 0 < len(value) <= _MAX_VALUE_CHARS and value.isascii() and value.isprintable()
