"""`/pass/{upstream}/...`: any path of an upstream that its `pass_paths` list, relayed as it is.

What a request there costs cannot be known, nor which model it asks: it is for keys that may ask for
any model and have no budget of tokens or of money.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from proxy.codec.base import Incoming, Reply
from proxy.dialects.registry import CLIENTS
from proxy.errors import Failure, Refused, bad_request, failure
from proxy.net.paths import checked_path
from proxy.observe.record import StreamRecord
from proxy.relay.passage import Errand, Passed
from proxy.relay.plan import Bound
from proxy.relay.won import Envelope
from proxy.routing import WILDCARD
from proxy.server.access.keys import credential
from proxy.server.body import REQUEST_BODY_S, go_on
from proxy.server.connection import Connection
from proxy.server.gateway import Gateway
from proxy.server.incoming import MOCK_PREFIX, mock_wishes, read_head, request_id
from proxy.server.respond import cut
from proxy.server.visit import Visit, attended
from proxy.settings.pass_paths import passes

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/pass/{upstream}/{rest:.*}"
_NAME = "pass"  # as a dialect, in metrics and the log
# What a vendor sends must not act as a page of this origin.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


def handler(gateway: Gateway) -> Handler:
    """The handler of `PATH`."""

    async def pass_on(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), _NAME, time.monotonic(), work="pass")
        visit = Visit(gateway, request, record)

        async def answer() -> web.StreamResponse:
            return await _passed(gateway, visit)

        return await attended(gateway, visit, answer, lambda why: _rendered(visit, why))

    return pass_on


def _rendered(visit: Visit, why: Failure) -> Reply:
    """An error of our own, as the upstream's clients know errors."""
    bound = visit.state.plan.upstreams.get(visit.record.upstream)
    half = CLIENTS.get(bound.half.name if bound is not None else "")
    return (half or CLIENTS["native"]).render_error(why)


async def _passed(gateway: Gateway, visit: Visit) -> web.StreamResponse:
    """Raises Refused while the head of the answer has not gone."""
    visit.check_origin()
    request, plan = visit.request, visit.state.plan
    head = read_head(request)
    secret = credential(head.headers, head.query)
    await visit.admit(secret)
    _check_caller(visit)
    path = _path(request)
    bound = _bound(visit, head, path)
    visit.enter()
    wishes = mock_wishes(head) if bound.played else {}
    passage = gateway.passage(plan, Envelope(wishes, secret, head.headers))
    errand = Errand(request.method, path, _body(visit), request.content_length)
    passed = await passage.open(bound, errand, visit.record)
    with gateway.passing(bound.endpoint.name):
        try:
            return await _answered(gateway, visit, bound, passed)
        finally:
            passed.leave()


def _check_caller(visit: Visit) -> None:
    caller = visit.caller
    if caller is None:
        return
    if WILDCARD not in caller.models:
        said = f"{caller.title} may ask only for some models, so nothing is passed on for it."
        raise Refused(failure("forbidden", said))
    if caller.tokens_per_minute is not None:
        said = (
            f"{caller.title} has a budget of tokens, which cannot be counted in what is passed on."
        )
        raise Refused(failure("forbidden", said))
    if caller.cost_per_day is not None:
        said = f"{caller.title} has a budget of money, and what is passed on has no price."
        raise Refused(failure("forbidden", said))


def _path(request: web.Request) -> str:
    """The vendor's path with its query, as the client wrote it but for what was meant for us.
    Raises Refused.
    """
    raw, _, query = request.raw_path.partition("?")
    segments = raw.split("/", 3)  # "", "pass", the upstream's name, the rest
    own = [
        pair
        for pair in query.split("&")
        if pair and pair.partition("=")[0] != "key" and not pair.lower().startswith(MOCK_PREFIX)
    ]
    path = f"/{segments[3]}" if len(segments) > 3 else "/"
    try:
        return checked_path(f"{path}?{'&'.join(own)}" if own else path)
    except Refused:
        said = (
            "This path cannot be passed on: it is too long, has dots between slashes, or odd signs."
        )
        raise bad_request(said) from None


def _bound(visit: Visit, head: Incoming, path: str) -> Bound:
    """The upstream, if it passes this path on. Raises Refused."""
    name = head.path["upstream"]
    bound = visit.state.plan.upstreams.get(name)
    if bound is None or not bound.settings.pass_paths:
        said = f"No upstream {name[:64]!r} passes paths on (upstreams.NAME.pass_paths)."
        raise Refused(failure("bad_request", said, status=404))
    visit.record.upstream = name
    if not passes(bound.settings.pass_paths, visit.request.method, path.partition("?")[0]):
        said = (
            f"{name} does not pass {visit.request.method} {path.partition('?')[0][:100]} on "
            f"(upstreams.{name}.pass_paths)."
        )
        raise Refused(failure("forbidden", said))
    return bound


def _body(visit: Visit) -> AsyncIterator[bytes] | None:
    """The client's body. Raises Refused for one that is known to be too large."""
    request, most = visit.request, visit.state.plan.limits.max_pass_bytes
    if not request.can_read_body:
        return None
    if request.content_length is not None and request.content_length > most:
        raise Refused(_too_large(most))
    return _pieces(request, most)


async def _pieces(request: web.Request, most: int) -> AsyncIterator[bytes]:
    """As they come, none later than `server.request_body_s` after the one before."""
    most_s, size = request.app[REQUEST_BODY_S], 0
    connection = request.protocol
    if isinstance(connection, Connection):
        connection.expect_body(request.content, most)
    await go_on(request)
    try:
        while True:
            async with asyncio.timeout(most_s):
                piece = await request.content.readany()
            if not piece:
                return
            size += len(piece)
            if size > most:
                raise Refused(_too_large(most))
            yield piece
    except TimeoutError:
        said = f"The request body stood still for {most_s:g} s (server.request_body_s)."
        raise Refused(failure("bad_request", said, status=408)) from None
    except web.RequestPayloadError:
        raise bad_request("The request body could not be read: it is cut.") from None
    finally:
        if isinstance(connection, Connection):
            connection.body = None


def _too_large(most: int) -> Failure:
    said = f"The request body is larger than the {most} bytes of limits.max_pass_bytes."
    return failure("too_large", said)


async def _answered(
    gateway: Gateway, visit: Visit, bound: Bound, passed: Passed
) -> web.StreamResponse:
    record = visit.record
    headers = {**_HEADERS, **passed.headers, "x-mainstem-upstream": bound.endpoint.name}
    record.status = passed.status
    if passed.body is not None:
        record.bytes_in = record.bytes_out = len(passed.body)
        return web.Response(status=passed.status, headers=headers, body=passed.body)
    response = web.StreamResponse(status=passed.status, headers=headers)
    await response.prepare(visit.request)
    try:
        why = await _streamed(visit, bound, passed, response)
    except asyncio.CancelledError:
        why = gateway.dismissed(record)
        if why is None:
            raise
    if why is not None:  # too late for a status: no end of the body, so that it is no whole one
        visit.broke_off = why
        cut(visit.request)
    return response


async def _streamed(
    visit: Visit, bound: Bound, passed: Passed, response: web.StreamResponse
) -> Failure | None:
    """From the upstream to the client, no faster than it takes. Why it broke off, if it did."""
    record, limits, times = visit.record, visit.state.plan.limits, bound.timeouts
    write_s = visit.state.plan.streams.write_timeout_s
    pieces = passed.answer.pieces()
    try:
        async with asyncio.timeout(times.total_s):
            while True:
                try:
                    async with asyncio.timeout(times.idle_s):
                        piece = await anext(pieces, b"")
                except TimeoutError:
                    return failure("idle_timeout", "The upstream fell silent.")
                if not piece:
                    break
                record.chunk(len(piece), time.monotonic())
                if record.bytes_in > limits.max_pass_bytes:
                    return failure("upstream_error", "The answer is too large.")
                try:
                    async with asyncio.timeout(write_s):
                        await response.write(piece)
                except TimeoutError:
                    return failure("client_gone", "The client takes nothing.")
                record.bytes_out += len(piece)
    except TimeoutError:
        return failure("total_timeout", "The answer took too long.")
    except Refused as refused:
        return refused.failure
    await response.write_eof()
    return None
