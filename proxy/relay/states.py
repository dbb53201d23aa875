"""What is known of each upstream in this process from one request to the next. It outlives a
reload.
"""

from collections.abc import Iterable
from typing import NamedTuple

from proxy.observe.metrics import Metrics
from proxy.relay.circuit import Budget, Circuit
from proxy.relay.plan import Bound
from proxy.relay.slots import Slots


class UpstreamState(NamedTuple):
    """One upstream's."""

    circuit: Circuit
    slots: Slots
    budget: Budget


class UpstreamStates:
    """The upstreams' states, by name."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._states: dict[str, UpstreamState] = {}

    def of(self, bound: Bound) -> UpstreamState:
        """The state of an upstream of the running configuration."""
        name = bound.endpoint.name
        state = self._states.get(name)
        if state is None:
            metrics = self._metrics
            state = self._states[name] = UpstreamState(
                Circuit(bound.breaker, lambda is_open: metrics.circuit(name, is_open=is_open)),
                Slots(lambda more: metrics.waiting(name, more)),
                Budget(bound.retry_share),
            )
            self._heed(state, bound)
        return state

    def heed(self, bounds: Iterable[Bound]) -> None:
        """The configuration was read again: what is open stays open, under the new rules."""
        for bound in bounds:
            self._heed(self.of(bound), bound)

    @staticmethod
    def _heed(state: UpstreamState, bound: Bound) -> None:
        state.circuit.rules = bound.breaker
        if state.circuit.is_open and not bound.breaker.failures:
            state.circuit.succeeded()
        state.budget.share = bound.retry_share
        state.slots.most, state.slots.most_waiting = (
            bound.settings.max_streams,
            bound.settings.max_queue,
        )
        state.slots.serve()
