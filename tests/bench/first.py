"""What stands between a request and its first content in the proxy's process, counted: opcodes, and
turns of the event loop, in each of which everybody else's work comes in between.
"""

import asyncio
import contextlib
import functools
import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest.mock import patch

import uvloop

from proxy.app import Process
from proxy.observe import logs
from proxy.server.connection import Connection
from proxy.server.streamed import ResponseSink
from proxy.upstream.protocol import Protocol
from tests.bench.matrix import REFERENCE
from tests.bench.opcodes import Opcodes
from tests.bench.through import SHORT, Exchange, config
from tests.running import settings_of

_REQUESTS = 4  # of which the cheapest counts: what runs by the clock may come in between
# The request is read, the upstream is asked, its answer's first piece is read, a frame is sent.
_PLACES: tuple[tuple[type, str], ...] = (
    (Connection, "data_received"),
    (Protocol, "ask"),
    (Protocol, "data_received"),
    (ResponseSink, "send"),
)


class Steps(NamedTuple):
    """From one place to another."""

    opcodes: int
    turns: int


class First(NamedTuple):
    """To ask the upstream, once the request has come; to send a frame, once the answer has."""

    asked: Steps
    sent: Steps


class _Watch:
    """Where the counts stood when each place was reached first."""

    def __init__(self) -> None:
        self._counter = Opcodes()
        self._turns = 0
        self._counts = False
        self._reached: dict[int, Steps] = {}

    @contextlib.contextmanager
    def placed(self) -> Iterator[None]:
        """Connections that are made now tell of their places: event loops keep the methods."""
        with contextlib.ExitStack() as stack:
            for place, (owner, name) in enumerate(_PLACES):
                told = self._telling(place, getattr(owner, name))
                stack.enter_context(patch.object(owner, name, told))
            yield

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        self._reached.clear()
        self._counts = True
        self._turn()
        with self._counter.counting():
            yield
        self._counts = False

    def first(self) -> First:
        steps = []
        for place in (0, 2):
            before, after = self._reached[place], self._reached[place + 1]
            steps.append(Steps(after.opcodes - before.opcodes, after.turns - before.turns))
        return First(*steps)

    def _telling(self, place: int, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def told(*args: Any, **more: Any) -> Any:
            if place not in self._reached:
                own = self._counter.by_code[_Watch._turn.__code__]
                self._reached[place] = Steps(self._counter.total - own, self._turns)
            return method(*args, **more)

        return told

    def _turn(self) -> None:
        self._turns += 1
        if self._counts:
            asyncio.get_running_loop().call_soon(self._turn)


async def _first(more: dict[str, Any]) -> First:
    exchange, watch, found = Exchange(REFERENCE), _Watch(), []
    process = Process(settings_of({**config(REFERENCE.upstream, exchange.port), **more}))
    ask = asyncio.get_running_loop().run_in_executor
    with watch.placed():
        await process.start()
        port = int(process.urls[0].rstrip("/").rpartition(":")[2])
        try:
            for _ in range(1 + _REQUESTS):
                with watch.counting():
                    await ask(None, exchange.ask, port, SHORT, True)
                found.append(watch.first())
                await asyncio.sleep(0)  # in which its turns end
        finally:
            exchange.close()
            await process.stop()
    # the first pays for what later ones find
    return First(
        *(Steps(*map(min, zip(*steps, strict=True))) for steps in zip(*found[1:], strict=True))
    )


def first(**more: Any) -> First:
    """Of a short request, with keys, metrics and logs on, and `more` of the configuration."""
    logs.configure("json", "info", io.StringIO())
    return uvloop.run(_first(more))
