"""A request sent to an upstream, up to the head of an answer that is to be streamed."""

import asyncio
from collections.abc import Callable
from functools import partial

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.failures import misdirected
from proxy.errors import Failure, Refused, failure
from proxy.relay.follow import followed
from proxy.relay.passing import returned
from proxy.relay.plan import Bound
from proxy.settings.limits import Limits
from proxy.upstream.answer import Answer
from proxy.upstream.client import Upstreams

Heard = Callable[[Answer], None]


async def opened(
    upstreams: Upstreams,
    bound: Bound,
    call: Outgoing,
    target: TargetConfig,
    limits: Limits,
    *,
    heard: Heard,
    optional: bool = False,
) -> Answer:
    """The answer, once its head has come and is none of an error. Raises Refused. `heard` is called
    with every answer whose head has come. `optional`: a vendor may be without such a path, so that
    it is no mistake of the configuration's.
    """
    try:
        async with asyncio.timeout(bound.timeouts.first_event_s):
            answer = await upstreams.open(bound.endpoint, call)
            heard(answer)
            await _refuse_errors(answer, bound, limits.max_error_bytes, optional=optional)
            # A vendor, or a gateway before it, may stream at once: then there is nothing to follow.
            follow = bound.half.follow
            if follow is not None and answer.content_type != "text/event-stream":
                # vendors repeat the request
                most = limits.max_event_bytes + len(call.body)
                answer = await followed(answer, partial(follow, target), bound, upstreams, most)
                heard(answer)
                await _refuse_errors(answer, bound, limits.max_error_bytes, optional=optional)
            return answer
    except TimeoutError as error:
        name = bound.endpoint.name
        said = f"{name} sent nothing within {bound.timeouts.first_event_s:g} s."
        raise Refused(failure("first_event_timeout", said, upstream=name)) from error


async def _refuse_errors(answer: Answer, bound: Bound, most: int, *, optional: bool) -> None:
    """Raises Refused, the answer closed, for one whose head says already that it is none."""
    try:
        await _refuse(answer, bound, most, optional=optional)
    except BaseException:
        answer.close()
        raise


async def _refuse(answer: Answer, bound: Bound, most: int, *, optional: bool) -> None:
    name, status = bound.endpoint.name, answer.status
    if 300 <= status < 400:
        said = (
            f"{name} answered with a redirect ({status}), which is not followed: set its base_url "
            "to the new target."
        )
        raise Refused(failure("upstream_status", said), answered=status)
    if status >= 400:
        body = await answer.read(most)
        why = bound.half.parse_error(status, answer.headers, body)
        answer.close()
        if misdirected(status, body) and not optional:
            why = _misdirected(name, status)
        raise Refused(
            why or failure("upstream_status", f"{name} answered {status}."),
            returned(answer, bound.settings),
            answered=status,
        )
    if answer.content_type in ("text/html", "application/xhtml+xml"):
        raise Refused(
            failure(
                "upstream_malformed",
                f"{name} answered with a web page instead of a stream: is its base_url right?",
            ),
            answered=status,
        )


def _misdirected(name: str, status: int) -> Failure:
    """The client has asked for nothing wrong, and to ask again is of no use."""
    said = (
        f"{name} answered {status}, as where nothing is served at this path: is its base_url (or "
        "path) right?"
    )
    return failure("upstream_status", said, retryable=False)
