"""A request sent to an upstream, up to the head of an answer that is to be streamed."""

import asyncio
from functools import partial

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.failures import misdirected
from proxy.errors import Failure, Refused, failure
from proxy.observe.record import StreamRecord
from proxy.relay.follow import followed
from proxy.relay.passing import note_head, returned
from proxy.relay.plan import Bound
from proxy.relay.redactor import Redactor
from proxy.settings.limits import Limits
from proxy.upstream.answer import Answer
from proxy.upstream.client import Upstreams

_PAGES = ("text/html", "application/xhtml+xml")


async def opened(
    upstreams: Upstreams,
    bound: Bound,
    call: Outgoing,
    target: TargetConfig,
    limits: Limits,
    *,
    record: StreamRecord,
    veil: Redactor,
    optional: bool = False,
) -> Answer:
    """The answer, once its head has come and is none of an error. Raises Refused. Every head that
    has come is in the record. `optional`: a vendor may be without such a path, so that it is no
    mistake of the configuration's.
    """
    until = asyncio.get_running_loop().time() + bound.timeouts.first_event_s
    try:
        answer = await upstreams.open(bound.endpoint, call, until=until)
        note_head(record, answer, veil)
        # A vendor, or a gateway before it, may stream at once: then there is nothing to follow.
        leads_on = bound.half.follow is not None and answer.content_type != "text/event-stream"
        if not leads_on and _is_good(answer):
            return answer
        async with asyncio.timeout_at(until):
            await _refuse_errors(answer, bound, limits.max_error_bytes, optional=optional)
            assert bound.half.follow is not None
            # vendors repeat the request
            most = limits.max_event_bytes + len(call.body)
            follow = partial(bound.half.follow, target)
            answer = await followed(answer, follow, bound, upstreams, most)
            note_head(record, answer, veil)
            await _refuse_errors(answer, bound, limits.max_error_bytes, optional=optional)
            return answer
    except TimeoutError as error:
        name = bound.endpoint.name
        said = f"{name} sent nothing within {bound.timeouts.first_event_s:g} s."
        raise Refused(failure("first_event_timeout", said, upstream=name)) from error


def _is_good(answer: Answer) -> bool:
    """Whether its head says nothing against it."""
    return answer.status < 300 and answer.content_type not in _PAGES


async def _refuse_errors(answer: Answer, bound: Bound, most: int, *, optional: bool) -> None:
    """Raises Refused, the answer closed, for one whose head says already that it is none."""
    if _is_good(answer):
        return
    try:
        raise await _refusal(answer, bound, most, optional=optional)
    finally:
        answer.close()


async def _refusal(answer: Answer, bound: Bound, most: int, *, optional: bool) -> Refused:
    name, status = bound.endpoint.name, answer.status
    if status < 300:
        said = f"{name} answered with a web page instead of a stream: is its base_url right?"
        return Refused(failure("upstream_malformed", said), answered=status)
    if status < 400:
        said = (
            f"{name} answered with a redirect ({status}), which is not followed: set its base_url "
            "to the new target."
        )
        return Refused(failure("upstream_status", said), answered=status)
    body = await answer.read(most)
    why = bound.half.parse_error(status, answer.headers, body)
    if misdirected(status, body) and not optional:
        why = _misdirected(name, status)
    return Refused(
        why or failure("upstream_status", f"{name} answered {status}."),
        returned(answer, bound.settings),
        answered=status,
    )


def _misdirected(name: str, status: int) -> Failure:
    """The client has asked for nothing wrong, and to ask again is of no use."""
    said = (
        f"{name} answered {status}, as where nothing is served at this path: is its base_url (or "
        "path) right?"
    )
    return failure("upstream_status", said, retryable=False)
