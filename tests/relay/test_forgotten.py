"""What has failed is let go at once: no circle of exceptions and frames keeps an answer, and what
it had read, until a collection."""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from proxy.relay.asking import Asking
from proxy.upstream.answer import Answer
from tests.raw_upstream import CHUNKED, Peer
from tests.relay.far import (
    ROLE,
    Deed,
    Far,
    ask,
    breaks_off_after,
    delta,
    hangs_up,
    proxied,
    says,
    status,
    until,
)


async def breaks_its_chunks(peer: Peer) -> None:
    peer.write(CHUNKED)
    peer.send(ROLE + delta("Hel"))
    await asyncio.sleep(0.01)
    peer.write(b"no size\r\n")
    await peer.left()


async def resets(peer: Peer) -> None:
    peer.write(CHUNKED)
    peer.send(ROLE + delta("Hel"))
    await asyncio.sleep(0.01)
    peer.reset()


@pytest.fixture
def _no_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held() -> Counter[str]:
    return Counter(
        type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, Answer | Asking)
    )


@pytest.mark.usefixtures("_no_collections")
@pytest.mark.parametrize(
    "deed", [says("whole"), status(500), status(429), hangs_up, resets, breaks_its_chunks]
)
@pytest.mark.parametrize(
    "model", [["far"], ["far", "far"], {"targets": ["far", "far"], "hedge_after_s": 5}]
)
async def test_an_answer_that_is_over_is_let_go(deed: Deed, model: object) -> None:
    async with proxied(model, {"far": Far(deed)}, breaker={"failures": 0}) as run:
        for _ in range(3):
            await ask(run)
        await until(lambda: not held())


@pytest.mark.usefixtures("_no_collections")
@pytest.mark.parametrize(
    ("deed", "model", "breaker"),
    [
        (status(500), ["far"], {"failures": 0}),
        (status(500), ["far"], {"failures": 1}),  # those after the first end before they wait
        (breaks_off_after("a"), {"targets": ["far"] * 2, "continue_after_commit": True}, {}),
    ],
)
async def test_a_kept_stream_is_let_go_when_its_time_is_over(
    deed: Deed, model: object, breaker: dict[str, object]
) -> None:
    keeps = {"resume": {"keep_s": 0.05}}
    async with proxied(model, {"far": Far(deed)}, breaker=breaker, streams=keeps) as run:
        for _ in range(3):
            await ask(run)
        await until(lambda: not held())
