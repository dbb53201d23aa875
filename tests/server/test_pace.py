"""Paced writes: never two within the gap, nothing lost, what waits is joined as the dialect sees
fit."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from time import monotonic

import pytest

from proxy.server.pace import PacedSink


class Sink:
    def __init__(self) -> None:
        self.writes: list[tuple[float, bytes]] = []

    def write(self, data: bytes) -> None:
        self.writes.append((monotonic(), data))

    def unsent(self) -> int:
        return 0

    async def drained(self) -> None:
        return


def all_of(frames: Sequence[bytes]) -> bytes:
    return b"".join(frames)


def newest(frames: Sequence[bytes]) -> bytes:
    return frames[-1]


@pytest.mark.parametrize(("joined", "last"), [(all_of, b"bcde"), (newest, b"e")])
async def test_what_comes_within_the_gap_goes_out_together(joined: object, last: bytes) -> None:
    inner = Sink()
    sink = PacedSink(inner, joined, 0.05)  # type: ignore[arg-type]
    for data in (b"a", b"b", b"c", b"d", b"e"):
        sink.write(data)
        if data == b"a":
            await sink.flushed()
    assert sink.unsent() == len(last)
    await sink.flushed()
    assert [b"a", last] == [data for _, data in inner.writes]
    assert 0 == sink.unsent()


async def test_two_writes_are_never_closer_than_the_gap() -> None:
    inner = Sink()
    sink = PacedSink(inner, all_of, 0.02)
    for _ in range(30):
        sink.write(b"x")
        await asyncio.sleep(0.005)
    await sink.flushed()
    times = [when for when, _ in inner.writes]
    assert all(later - earlier >= 0.0199 for earlier, later in pairwise(times))
    assert 30 == sum(len(data) for _, data in inner.writes)
