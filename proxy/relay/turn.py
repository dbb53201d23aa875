"""A request's turn at an upstream: only while its circuit is closed, only with a free slot, and the
circuit hears what came of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from proxy.errors import Refused, failure
from proxy.relay.circuit import Circuit, unwell
from proxy.relay.plan import Bound
from proxy.relay.slots import Full
from proxy.relay.states import UpstreamState
from proxy.relay.won import NotSentError


@asynccontextmanager
async def turn(bound: Bound, state: UpstreamState, *, last: bool) -> AsyncIterator[None]:
    """The slot is held on when nothing is raised: `state.slots.leave` must follow. `last`: there is
    no other target, so it is worth waiting for a slot.

    Raises NotSentError when it is not this request's turn.
    """
    name = bound.endpoint.name
    circuit, slots, budget = state
    _refuse_while_open(circuit, bound)
    try:
        await slots.enter(bound.settings.queue_s if last else 0)
    except Full as full:
        said = (
            f"{name} has {slots.most} streams open, as many as it may "
            f"(upstreams.{name}.max_streams); try again soon."
        )
        raise NotSentError(
            failure("overloaded", said, code="no_room", retry_after_s=1), "no_room"
        ) from full
    try:
        _refuse_while_open(circuit, bound)  # it may have opened while this one waited
    except NotSentError:
        slots.leave()
        raise
    circuit.sent()
    budget.asked()
    try:
        yield
    except Refused as refused:
        slots.leave()
        if unwell(refused.failure):
            circuit.failed(monotonic())
        elif refused.failure.kind == "rate_limited":
            circuit.left()
        else:
            circuit.succeeded()
        raise
    except BaseException:
        slots.leave()
        circuit.left()
        raise
    circuit.succeeded()


def _refuse_while_open(circuit: Circuit, bound: Bound) -> None:
    """Raises NotSentError while the upstream's circuit is open, or another request tries whether it
    is well again.
    """
    wait_s = circuit.wait_s(monotonic())
    if wait_s is not None:
        times, name = bound.breaker.failures, bound.endpoint.name
        said = (
            f"{name} failed {times} times in a row, so nothing is sent to it for a while; try "
            "again later."
        )
        raise NotSentError(
            failure("overloaded", said, code="circuit_open", retry_after_s=wait_s), "circuit_open"
        )
