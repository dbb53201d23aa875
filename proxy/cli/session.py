"""Asks the upstreams of a configuration in this process, turn after turn, without a server."""

import os
import sys
import time
from collections.abc import Callable

from proxy.app import Process
from proxy.cli.views import Quiet
from proxy.codec.base import Parsed
from proxy.errors import Failure, Refused
from proxy.events import StreamStart
from proxy.observe.metrics import make_metrics
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.delivery import Delivery
from proxy.relay.states import UpstreamStates
from proxy.request import ChatRequest
from proxy.settings.model import Settings
from proxy.upstream.answer import Answer
from proxy.upstream.client import Upstreams


class Session:
    """Life: `open`, `ask` for each turn, `close`, in one event loop."""

    def __init__(self, settings: Settings, hear: Callable[[bytes], None] | None = None) -> None:
        """`hear` gets the upstreams' bytes as they come."""
        self._settings = settings
        self._hear = hear

    async def open(self) -> None:
        """Raises MockError for a mock that cannot be played."""
        self._process = Process(self._settings)
        self._plan = await self._process.plan()
        self._upstreams = Upstreams()
        if self._hear is not None:
            self._upstreams.answer = _heard_by(self._hear)
        self._states = UpstreamStates(make_metrics())

    async def close(self) -> None:
        await self._upstreams.close()
        await self._process.stop()

    async def ask(self, request: ChatRequest, view: Quiet) -> None:
        """One answer, shown as it comes. `view.status` and `view.summary` then say how it ended."""
        record = StreamRecord("tap", "native", time.monotonic())
        plan = self._plan
        try:
            routed = plan.router.route(request.model)
            attempts = Attempts(plan, self._upstreams, self._states, record, routed)
            won = await attempts.first(Parsed(request), client_rewrites=True)
        except Refused as refused:
            out(view.refused(refused.failure))
            return
        try:
            target = won.target
            start = StreamStart("tap", request.model, target.upstream, target.model, 0, won.notes)
            log = won.generation.log
            log.begin(start)
            delivery = Delivery(log, view, record, plan.streams, plan.limits)
            out(delivery.opening())
            await delivery.relay(won.generation, _Terminal())
        finally:
            won.drop()


def out(data: bytes) -> None:
    """To standard output, at once."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)  # whoever read our output (head, less) has seen enough


def _heard_by(hear: Callable[[bytes], None]) -> type[Answer]:
    """Answers that are heard on their way to the decoder."""

    class Heard(Answer):
        __slots__ = ()

        def attach(
            self, on_chunk: Callable[[bytes], None], on_end: Callable[[Failure | None], None]
        ) -> None:
            def both(chunk: bytes) -> None:
                hear(chunk)
                on_chunk(chunk)

            super().attach(both, on_end)

    return Heard


class _Terminal:
    """Standard output as a sink."""

    def write(self, data: bytes) -> None:
        out(data)

    def unsent(self) -> int:
        return 0

    async def drained(self) -> None:
        return
