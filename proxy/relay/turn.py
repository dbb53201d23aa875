"""A request's turn at an upstream: only while its circuit is closed, only with a free slot, and the
circuit hears what came of it.
"""

from time import monotonic

from proxy.errors import Refused, failure
from proxy.relay.circuit import Circuit, unwell
from proxy.relay.plan import Bound
from proxy.relay.slots import Full
from proxy.relay.states import UpstreamState
from proxy.relay.won import NotSentError


class Turn:
    """`async with` it a request is sent and its answer opened. The slot is held on when nothing is
    raised: `state.slots.leave` must follow. `last`: there is no other target, so it is worth
    waiting for a slot.

    Raises NotSentError when it is not this request's turn.
    """

    __slots__ = ("_bound", "_last", "_state")

    def __init__(self, bound: Bound, state: UpstreamState, *, last: bool) -> None:
        self._bound = bound
        self._state = state
        self._last = last

    async def __aenter__(self) -> None:
        circuit, slots, budget = self._state
        if circuit.is_open:
            _refuse_while_open(circuit, self._bound)
        if not slots.take():
            await self._waited()
        circuit.sent()
        budget.asked()

    async def _waited(self) -> None:
        """For a place, which others have."""
        bound, (circuit, slots, _) = self._bound, self._state
        try:
            await slots.enter(bound.settings.queue_s if self._last else 0)
        except Full as full:
            name = bound.endpoint.name
            said = (
                f"{name} has {slots.most} streams open, as many as it may "
                f"(upstreams.{name}.max_streams); try again soon."
            )
            raise NotSentError(
                failure("overloaded", said, code="no_room", retry_after_s=1), "no_room"
            ) from full
        try:
            _refuse_while_open(circuit, bound)  # it may have opened meanwhile
        except NotSentError:
            slots.leave()
            raise

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        circuit, slots, _ = self._state
        if error is None:
            circuit.succeeded()
            return
        slots.leave()
        if not isinstance(error, Refused):
            circuit.left()
        elif unwell(error.failure):
            circuit.failed(monotonic())
        elif error.failure.kind == "rate_limited":
            circuit.left()
        else:
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
