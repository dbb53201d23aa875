"""What clients ask about models beside their answers: the list, one of them, and what else a
dialect's clients want to know of the server.
"""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
from aiohttp import web

from proxy.codec.base import Incoming, Listed, Models, Reply
from proxy.codec.halves import ClientHalf
from proxy.codec.rules import Rules
from proxy.errors import Refused, failure
from proxy.relay.plan import Plan
from proxy.routing import WILDCARD, Router, Target
from proxy.server.access.caller import Caller
from proxy.server.access.keys import check_model, credential
from proxy.server.body import check_body, read_body
from proxy.server.gateway import Gateway
from proxy.server.incoming import asked_by, read_head
from proxy.server.respond import whole, with_retry_after

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[[ClientHalf, Incoming, Models], Reply]


class Entry(NamedTuple):
    """A path, and whose it is: the first of the dialects that share it, unless another one's
    headers claim the request.
    """

    method: str
    path: str
    halves: Sequence[ClientHalf]
    answer: Answer


def entries(halves: Sequence[ClientHalf]) -> Iterator[Entry]:
    """Every such path of these dialects."""
    listings: dict[str, list[ClientHalf]] = defaultdict(list)
    for half in halves:
        for path in filter(None, (half.listing, *half.other_listings)):
            listings[path].append(half)
    for path, sharing in listings.items():
        yield Entry("GET", path, sharing, _all)
        if one := [half for half in sharing if half.model is not None]:
            # A variable at the beginning: aiohttp looks for paths that begin without one first, and
            # the dialects' own paths, whose end a model's name may look like, have one.
            yield Entry("GET", f"/{{listing:{path[1:]}}}/{{model:.+}}", one, _one)
    for half in halves:
        for aside in half.asides:
            yield Entry(*aside.route, (half,), partial(_aside, answer=aside.answer))


def handler(gateway: Gateway, entry: Entry) -> Handler:
    """Answers one, in the form of the caller's own dialect."""
    created = int(time.time())

    async def listing(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        half = next((half for half in entry.halves if half.lists(headers)), entry.halves[0])
        try:
            incoming, models = await _asked(gateway, request, headers, created)
            return whole(entry.answer(half, incoming, models))
        except Refused as refused:
            return whole(with_retry_after(half.render_error(refused.failure), refused.failure))

    return listing


def listed(plan: Plan, name: str, targets: Sequence[Target]) -> Listed:
    """A model, with what is known of its targets."""
    rules = [plan.upstreams[target.upstream].rules.of(target.model or name) for target in targets]
    return Listed(
        name,
        msgspec.structs.replace(
            rules[0],
            context_tokens=_least(rules, "context_tokens"),
            largest_max_tokens=_least(rules, "largest_max_tokens"),
        ),
    )


async def _asked(
    gateway: Gateway, request: web.Request, headers: Mapping[str, str], created: int
) -> tuple[Incoming, Models]:
    """The request, and the models that its sender may ask for. Raises Refused."""
    state = gateway.state
    said = state.cors.refusal(headers.get("origin"), headers.get("host", ""))
    if said is not None:
        raise Refused(failure("forbidden", said))
    caller = None
    if state.keyring is not None:
        caller = await state.keyring.admit(credential(headers, request.query))
    head, limits = read_head(request), state.plan.limits
    check_body(request, limits.max_body_bytes)
    with gateway.bodies.hold(limits.max_inflight_body_bytes) as hold:
        body = await read_body(request, limits.max_body_bytes, hold)
    return asked_by(head, body), _models(state.plan, caller, created)


def _models(plan: Plan, caller: Caller | None, created: int) -> Models:
    router: Router = plan.router

    def find(name: str) -> Listed:
        if caller is not None:
            check_model(caller, name)
        return listed(plan, name, router.route(name).targets)

    names = [
        name
        for name in router.names
        if caller is None or WILDCARD in caller.models or name in caller.models
    ]
    return Models([find(name) for name in names], created, find)


def _least(rules: Sequence[Rules], fact: str) -> int | None:
    """What holds for all targets of which it is known."""
    return min(
        (known for each in rules if (known := getattr(each, fact)) is not None), default=None
    )


def _all(half: ClientHalf, _incoming: Incoming, models: Models) -> Reply:
    return Reply(200, half.models(models.listed, models.created))


def _one(half: ClientHalf, incoming: Incoming, models: Models) -> Reply:
    assert half.model is not None
    name = incoming.path["model"].removeprefix("models/")  # Gemini's clients know it with it
    return Reply(200, half.model(models.find(name), models.created))


def _aside(
    _half: ClientHalf,
    incoming: Incoming,
    models: Models,
    *,
    answer: Callable[[Incoming, Models], Reply],
) -> Reply:
    return answer(incoming, models)
