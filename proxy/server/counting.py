"""Requests for the number of tokens that a request would have: under the same keys, limits and
timeouts as an answer, asked of a vendor that counts.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import cache

from aiohttp import web

from proxy.codec.base import Counting, Incoming, Parsed, Reply
from proxy.codec.halves import ClientHalf
from proxy.dialects.registry import UPSTREAMS
from proxy.errors import Refused, failure
from proxy.observe.record import StreamRecord
from proxy.relay.apart import apart
from proxy.relay.dear import Dear, is_dear, plain
from proxy.relay.dear_work import Reading, Unread
from proxy.relay.won import Envelope
from proxy.server.access.keys import check_model, credential
from proxy.server.body import check_body, read_body
from proxy.server.gateway import Gateway
from proxy.server.incoming import asked_by, mock_wishes, read_head, request_id
from proxy.server.respond import whole
from proxy.server.visit import Visit, attended

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def handler(gateway: Gateway, half: ClientHalf, counting: Counting) -> Handler:
    """The handler of a dialect's paths for it."""

    async def count(request: web.Request) -> web.StreamResponse:
        record = StreamRecord(request_id(request), half.name, time.monotonic(), work="count")
        visit = Visit(gateway, request, record)

        async def answer() -> web.StreamResponse:
            return await _counted(gateway, visit, half, counting)

        return await attended(gateway, visit, answer, half.render_error)

    return count


async def _counted(
    gateway: Gateway, visit: Visit, half: ClientHalf, counting: Counting
) -> web.StreamResponse:
    """Raises Refused."""
    visit.check_origin()
    head, plan = read_head(visit.request), visit.state.plan
    secret = credential(head.headers, head.query)
    await visit.admit(secret)
    most = plan.limits.max_body_bytes
    check_body(visit.request, most)
    with gateway.bodies.hold(plan.limits.max_inflight_body_bytes) as hold:
        body = await read_body(visit.request, most, hold)
        incoming = asked_by(head, body)
        parsed, dear = await _read(gateway, half, counting, incoming)
        record, model = visit.record, parsed.request.model
        record.model = model
        if visit.caller is not None:
            check_model(visit.caller, model)
        routed = plan.router.route(model)
        record.model_label = routed.label
        visit.enter()
        wishes = mock_wishes(head) if plan.plays else {}
        envelope = Envelope(wishes, secret, head.headers, len(body), dear=dear)
        counter = gateway.counter(plan, envelope)
        counted = await counter.count(parsed, routed.targets, record)
    if counted is None:
        able = await asyncio.to_thread(_able)  # it may import dialects
        said = (
            f"How many tokens a request has cannot be known here: no target of {model[:100]!r} "
            f"counts them. Upstreams of these dialects do: {able}."
        )
        raise Refused(failure("bad_request", said, status=counting.unknown_status))
    # of the vendor's own clients nothing is kept back
    same = counted.dialect == half.name
    reply = Reply(200, counted.body if same else counting.reply(counted.tokens))
    record.bytes_out += len(reply.body)
    return whole(reply._replace(headers={"x-mainstem-upstream": record.upstream}))


async def _read(
    gateway: Gateway, half: ClientHalf, counting: Counting, incoming: Incoming
) -> tuple[Parsed, Dear | None]:
    """Raises Refused."""
    if gateway.dear is None or not is_dear(incoming.body):
        return await apart(len(incoming.body), lambda: counting.parse(incoming)), None
    dear = Dear(gateway.dear, Reading((half.name,), plain(incoming), counted=True))
    read = await dear.read()
    if isinstance(read, Unread):
        raise Refused(read.why)
    return read.parsed, dear


@cache
def _able() -> str:
    return ", ".join(half.name for half in UPSTREAMS.values() if half.count_request is not None)
