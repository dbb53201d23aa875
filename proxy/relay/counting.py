"""How many tokens a request has, asked of the first of its targets that can count."""

import asyncio
from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import NamedTuple

from proxy.codec.base import Outgoing, Parsed, TargetConfig
from proxy.errors import KINDS, Refused, failure
from proxy.observe.record import StreamRecord
from proxy.relay.apart import apart
from proxy.relay.opening import opened
from proxy.relay.passing import place, prepared_apart, tell_failure, veil_of
from proxy.relay.plan import Bound, Plan
from proxy.relay.states import UpstreamStates
from proxy.relay.turn import Turn
from proxy.relay.won import Envelope
from proxy.routing import Target
from proxy.upstream.client import Upstreams


class Counted(NamedTuple):
    """The count, and the vendor's answer that it stands in. `dialect` is the vendor's."""

    tokens: int
    body: bytes
    dialect: str


class Counter:
    """Asks targets for one client."""

    def __init__(
        self, plan: Plan, upstreams: Upstreams, states: UpstreamStates, envelope: Envelope
    ) -> None:
        self._plan = plan
        self._upstreams = upstreams
        self._states = states
        self._envelope = envelope

    async def count(
        self, parsed: Parsed, targets: Sequence[Target], record: StreamRecord
    ) -> Counted | None:
        """None where no target can count. Raises Refused with the last failure where those that can
        have failed.
        """
        able = [target for target in targets if _can_count(self._plan.upstreams[target.upstream])]
        for number, target in enumerate(able, 1):
            last = number == len(able)
            try:
                return await self._asked(parsed, target, record, last=last)
            except Refused as refused:
                kind = refused.failure.kind
                if last or not KINDS[kind].next_target:
                    raise
                record.fallbacks.append((target.upstream, able[number].upstream, kind))
        return None

    async def _asked(
        self, parsed: Parsed, target: Target, record: StreamRecord, *, last: bool
    ) -> Counted:
        bound = self._plan.upstreams[target.upstream]
        record.upstream, record.upstream_dialect = target.upstream, bound.half.name
        record.upstream_model = target.model
        record.begin_target(monotonic())
        state = self._states.of(bound)
        sent: bytes | None = None
        try:
            config, call = await self._call(bound, target, parsed)
            record.asked, sent = place(bound, call), call.body
            async with Turn(bound, state, last=last):
                counted = await self._answer(bound, call, config, record)
        except Refused as refused:
            tell_failure(refused, bound, self._envelope, record, sent)
            raise
        state.slots.leave()
        record.attempted(target.upstream, "ok", monotonic())
        return counted

    async def _call(
        self, bound: Bound, target: Target, parsed: Parsed
    ) -> tuple[TargetConfig, Outgoing]:
        """The request for an answer, made into one for its count. Raises Refused."""
        count_request, envelope = bound.half.count_request, self._envelope
        assert count_request is not None
        config, call = await prepared_apart(bound, target, parsed.request, envelope)
        if envelope.dear is None:
            call = await apart(envelope.size, partial(count_request, call))
        if bound.played and envelope.mock_headers:
            call = call._replace(headers={**call.headers, **envelope.mock_headers})
        return config, call

    async def _answer(
        self, bound: Bound, call: Outgoing, config: TargetConfig, record: StreamRecord
    ) -> Counted:
        """Raises Refused."""
        assert bound.half.count_answer is not None
        name, limits = bound.endpoint.name, self._plan.limits
        veil = veil_of(bound, self._envelope.credential)
        answer = await opened(
            self._upstreams, bound, call, config, limits, record=record, veil=veil, optional=True
        )
        try:
            async with asyncio.timeout(bound.timeouts.idle_s):
                body = await answer.read(limits.max_error_bytes)
        except TimeoutError:
            said = f"{name} did not send the count within {bound.timeouts.idle_s:g} s."
            raise Refused(failure("idle_timeout", said)) from None
        finally:
            answer.close()
        why = bound.half.parse_error(answer.status, answer.headers, body)
        if why is not None:
            raise Refused(why)
        tokens = bound.half.count_answer(body)
        if tokens is None:
            raise Refused(
                failure("upstream_malformed", f"{name} answered without a count of tokens.")
            )
        return Counted(tokens, body, bound.half.name)


def _can_count(bound: Bound) -> bool:
    """A path of the operator's own leads to answers, not to counts."""
    return bound.half.count_request is not None and bound.endpoint.path is None
