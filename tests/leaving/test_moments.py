"""Moments of leaving that last for a few milliseconds, or hang on a bound: made to last, in this
process."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from time import monotonic
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from proxy.codec.base import Incoming
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import StreamStart
from proxy.observe.record import StreamRecord
from proxy.relay.delivery import Delivery
from proxy.relay.ending import ended
from proxy.relay.generation import Generation
from proxy.relay.log import Log
from proxy.relay.race import race
from proxy.relay.source import Source
from proxy.routing import Target
from proxy.settings.limits import Limits
from proxy.settings.sections import Streams, Timeouts
from tests.cli.tools import request_bytes
from tests.leaving.scene import big_bytes
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.relay.far import ROLE, STOP, Far, ask, delta, proxied, silent, until
from tests.running import one, running

PIECE = delta("x" * 60_000)
PIECES = big_bytes() // len(PIECE)


class Answer:
    """A target's answer, as far as a race looks at it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.dropped = False
        self.generation = SimpleNamespace(has_content=True, source=SimpleNamespace(record=None))

    def drop(self) -> None:
        self.dropped = True


async def test_who_leaves_while_the_losers_of_a_race_are_cancelled_takes_the_winner_along() -> None:
    quick, slow = Target("quick", "m"), Target("slow", "m")
    answer, cancelling = Answer(quick), asyncio.Event()

    async def asks(target: Target, _: StreamRecord) -> Any:
        if target is quick:
            await asyncio.sleep(0.02)
            return answer
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelling.set()
            await asyncio.sleep(0.05)
            raise

    racing = asyncio.create_task(
        race([slow, quick], asks, lambda _: True, 0, StreamRecord("r", "native", 0))
    )
    await cancelling.wait()
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert answer.dropped


async def test_an_answer_that_comes_although_it_was_cancelled_is_dropped() -> None:
    """Also when nobody waits for the end of the race any more."""
    slow, other = Target("slow", "m"), Target("other", "m")
    answer, started, cancelling = Answer(slow), asyncio.Event(), asyncio.Event()

    async def asks(target: Target, _: StreamRecord) -> Any:
        if target is other:
            started.set()
            await asyncio.get_running_loop().create_future()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelling.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.02)
        return answer

    racing = asyncio.create_task(
        race([slow, other], asks, lambda _: True, 0, StreamRecord("r", "native", 0))
    )
    await started.wait()
    racing.cancel()
    await cancelling.wait()
    racing.cancel()  # the client has left, and the drain is over
    with pytest.raises(asyncio.CancelledError):
        await racing
    await until(lambda: answer.dropped)


async def test_what_was_said_of_tokens_before_an_answer_broke_off_is_counted_when_the_client_leaves_the_search() -> (
    None
):
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}\n\n'

    async def breaks_off(peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE + delta("Hel") + usage)
        await asyncio.sleep(0.02)
        peer.write(LAST_CHUNK)

    second = Far(silent)
    model = {"targets": ["first", "second"], "continue_after_commit": True}
    async with proxied(model, {"first": Far(breaks_off), "second": second}) as run:
        asking = asyncio.create_task(ask(run))
        await until(lambda: second.asked)
        asking.cancel()
        await until(lambda: second.left)
        await until(
            lambda: run.metric(
                'mainstem_streams_total{client_dialect="native",model="m",outcome="client_gone",upstream="first"}'
            )
        )
        assert (5, 7) == (
            await run.metric('mainstem_tokens_total{direction="input",model="m",upstream="first"}'),
            await run.metric(
                'mainstem_tokens_total{direction="output",model="m",upstream="first"}'
            ),
        )


@pytest.mark.parametrize(
    ("policy", "outcome"), [("cancel", "client_gone"), ("finish", "completed")]
)
async def test_a_client_that_is_cut_because_it_takes_nothing_has_left_as_any_other(
    policy: str, outcome: str
) -> None:
    """A vanished client and one that closes are alike to whoever wants the answer finished."""
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        peer.write(CHUNKED)
        for _ in range(PIECES):
            peer.send(PIECE)
            await peer.writer.drain()
            sent += 1
        peer.send(STOP)
        peer.write(LAST_CHUNK)
        await peer.left()

    streams = {"write_timeout_s": 0.2, "on_disconnect": policy}
    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), "streams": streams}) as run,
    ):
        host, port = run.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(request_bytes(json.dumps({"model": "m", "prompt": "hi"}).encode()))
            await until(
                lambda: run.metric(
                    f'mainstem_streams_total{{client_dialect="native",model="*",outcome="{outcome}",upstream="far"}}'
                )
            )
    assert (policy == "finish") is (sent == PIECES)


class Unread:
    """A client's connection on which nothing is taken, and an upstream's answer that says what it
    is told to."""

    def __init__(self) -> None:
        self.on_chunk: Callable[[bytes], None] = lambda _: None

    def attach(self, on_chunk: Callable[[bytes], None], _on_end: Callable[[Any], None]) -> None:
        self.on_chunk = on_chunk

    def unsent(self) -> int:
        return 1_000_000

    async def drained(self) -> None:
        await asyncio.get_running_loop().create_future()

    def nothing(self, *_: object) -> None:
        """Closing, finishing, writing."""

    close = finish = write = nothing


@pytest.mark.parametrize(
    ("policy", "outcome"), [("cancel", "client_gone"), ("finish", "completed")]
)
async def test_a_client_that_leaves_before_it_has_the_end_of_a_whole_answer(
    policy: Literal["cancel", "finish"], outcome: str
) -> None:
    """The answer is complete; whether that is a success hangs on whether the client was to have
    it."""
    peer, record = Unread(), StreamRecord("r", "native", 0)
    half, client = UPSTREAMS["openai_chat"], CLIENTS["native"]
    log = Log(1000)
    source = Source(
        half.decoder(1 << 20, {}),
        record,
        log,
        upstream="far",
        timeouts=Timeouts(),
        most_silent_bytes=1 << 20,
        started=monotonic(),
    )
    generation = Generation(peer, source, log)  # type: ignore[arg-type]  # as much of an Answer as is used here
    generation.begin()
    peer.on_chunk(ROLE + delta("Hello"))
    parsed = client.parse_request(Incoming("POST", {}, {}, {}, b'{"model":"m","prompt":"hi"}'))
    log.begin(StreamStart("s", "m", "far", "m", 0, []))
    streams = Streams(on_disconnect=policy)
    limits = Limits(write_buffer_bytes=1000)
    delivery = Delivery(log, client.encoder(parsed), record, streams, limits)
    delivery.opening()
    relaying = asyncio.create_task(delivery.relay(generation, peer))
    await asyncio.sleep(0)
    peer.on_chunk(STOP)
    assert source.done
    await asyncio.sleep(0)
    relaying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await relaying
    assert not delivery.left(generation)
    assert outcome == ended(log.end, "left", policy, status=200).outcome
