"""Which targets a request is sent to, in which order, how often, and at once or one after the
other. Before commit a failure costs the client nothing but time.
"""

import asyncio
import random
from collections.abc import Sequence
from time import monotonic

from msgspec import UNSET

from proxy.codec.base import Parsed
from proxy.errors import KINDS, Failure, Kind, Refused, failure
from proxy.observe.record import StreamRecord
from proxy.relay.asking import Asking
from proxy.relay.plan import ModelPolicy, Plan
from proxy.relay.race import race
from proxy.relay.states import UpstreamStates
from proxy.relay.won import Envelope, NotSentError, Won
from proxy.routing import Routed, Target
from proxy.settings.sections import OnDisconnect
from proxy.upstream.client import Upstreams

# After these another try may do better soon. A time-out has cost the client its patience already.
_RETRIED: frozenset[Kind] = frozenset(
    {
        "connect_failed",
        "rate_limited",
        "overloaded",
        "upstream_status",
        "upstream_error",
        "upstream_truncated",
        "upstream_malformed",
    }
)


class Attempts:
    """One request's way to an answer."""

    def __init__(
        self,
        plan: Plan,
        upstreams: Upstreams,
        states: UpstreamStates,
        record: StreamRecord,
        routed: Routed,
        *,
        envelope: Envelope = Envelope(),  # noqa: B008  it is frozen
        on_disconnect: OnDisconnect | None = None,
    ) -> None:
        """`on_disconnect` is the request's own wish."""
        self.policy = plan.policies.get(routed.label) or ModelPolicy(plan.streams)
        streams = self.policy.streams
        if on_disconnect is not None and on_disconnect != streams.on_disconnect:
            streams = streams.model_copy(update={"on_disconnect": on_disconnect})
        self.streams = streams
        self.limits = plan.limits
        self._plan = plan
        self._states = states
        self._record = record
        self._targets = _in_order(routed.targets)
        self._asking = Asking(plan, upstreams, states, envelope)

    async def first(self, parsed: Parsed, *, client_rewrites: bool) -> Won:
        """The first target whose answer has content, or a complete end. Raises Refused with the
        last failure when none has.
        """
        if self._plan.table is not None:
            await self._plan.table.load()
        for number in range(self._plan.retry.retries + 1):
            try:
                return await self._round(parsed, self._targets, client_rewrites=client_rewrites)
            except Refused as refused:
                wait_s = self._wait_s(refused, number)
                if wait_s is None:
                    raise
                self._record.retries = [
                    *self._record.retries,
                    (self._record.upstream, refused.failure.kind),
                ]
                self._record.start_over()
            await asyncio.sleep(wait_s)
        raise AssertionError("the last round has no retry")

    @property
    def may_rewrite(self) -> bool:
        """Whether the vendor of any target may take text back."""
        return any(self._plan.upstreams[target.upstream].half.rewrites for target in self._targets)

    async def onward(self, parsed: Parsed, failed: Target, *, client_rewrites: bool) -> Won:
        """The first of the targets after the failed one, in this request's order, that answers.
        Raises Refused when there is none.
        """
        # by itself: a model may name the same target twice
        at = next(number for number, target in enumerate(self._targets, 1) if target is failed)
        after = self._targets[at:]
        return await self._in_turn(parsed, after, client_rewrites=client_rewrites)

    async def _round(
        self, parsed: Parsed, targets: Sequence[Target], *, client_rewrites: bool
    ) -> Won:
        after_s, asking = self.policy.hedge_after_s, self._asking
        if len(targets) == 1:
            return await asking.ask(
                parsed, targets[0], self._record, client_rewrites=client_rewrites, last=True
            )
        if after_s is None or not targets:
            return await self._in_turn(parsed, targets, client_rewrites=client_rewrites)

        async def ask(target: Target, record: StreamRecord) -> Won:
            return await asking.ask(
                parsed, target, record, client_rewrites=client_rewrites, last=target is targets[-1]
            )

        def may_hedge(target: Target) -> bool:
            return self._states.of(self._plan.upstreams[target.upstream]).budget.take()

        return await race(targets, ask, may_hedge, after_s, self._record)

    async def _in_turn(
        self, parsed: Parsed, targets: Sequence[Target], *, client_rewrites: bool
    ) -> Won:
        """One after the other."""
        record = self._record
        said: Refused | None = None
        try:
            for number, target in enumerate(targets, 1):
                try:
                    return await self._asking.ask(
                        parsed,
                        target,
                        record,
                        client_rewrites=client_rewrites,
                        last=number == len(targets),
                    )
                except Refused as refused:
                    # What an upstream said tells the client more than that another one was not
                    # asked.
                    said = (
                        said if said is not None and isinstance(refused, NotSentError) else refused
                    )
                    kind = refused.failure.kind
                    if number == len(targets) or not KINDS[kind].next_target:
                        raise said from None
                    record.fallbacks.append((target.upstream, targets[number].upstream, kind))
                    record.start_over()
        finally:
            # its traceback holds this frame: they would keep each other, and what was asked, until
            # a collection
            said = None
        raise Refused(failure("model_not_found", "This model has no target."))

    def _wait_s(self, refused: Refused, number: int) -> float | None:
        """How long to wait before the next round; None: there is none, and the failure is the
        client's to hear.
        """
        why, retry = refused.failure, self._plan.retry
        if number >= retry.retries or why.kind not in _RETRIED or not why.retryable:
            return None
        wait_s = _backoff_s(
            why, min(retry.backoff_s * 2**number, retry.max_backoff_s), retry.max_backoff_s
        )
        bound = self._plan.upstreams[self._record.upstream]
        if wait_s is None or monotonic() + wait_s > self._record.started + bound.timeouts.total_s:
            return None
        return wait_s if self._states.of(bound).budget.take() else None


def _backoff_s(why: Failure, longest: float, most: float) -> float | None:
    """Drawn below `longest` ("full jitter": AWS Architecture Blog, Exponential Backoff And Jitter),
    beyond what the upstream asked for.
    """
    drawn = random.uniform(0, longest)  # noqa: S311  no secret hangs on it
    if why.retry_after_s is UNSET:
        return drawn
    return why.retry_after_s + drawn if why.retry_after_s <= most else None


def _in_order(targets: tuple[Target, ...]) -> Sequence[Target]:
    """Those with a weight first, drawn without putting back, each with a chance by its weight
    (Efraimidis and Spirakis, 2006); then the others as they stand.
    """
    if len(targets) == 1 or not any(target.weight for target in targets):
        return targets
    # no secret hangs on it
    drawn = {target: random.random() ** (1 / target.weight) for target in targets if target.weight}  # noqa: S311
    return [
        *sorted(drawn, key=drawn.__getitem__, reverse=True),
        *(target for target in targets if not target.weight),
    ]
