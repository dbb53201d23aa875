"""How long a client may take: as long as it takes anything."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from proxy.relay.sink import drained_by


class Moment(NamedTuple):
    """What was written so far, and what of it the client has not taken."""

    written: int
    unsent: int


class Client:
    """Its buffer at each look, two for each time that somebody's patience ends; after the last one
    it has taken all."""

    def __init__(self, *moments: Moment) -> None:
        self._moments: Iterator[Moment] = iter(moments)
        self._waits = len(moments) // 2
        self._now = Moment(0, 0)
        self.was_cut = False

    def write(self, data: bytes) -> None:
        raise AssertionError(data)

    def written(self) -> int:
        self._now = next(self._moments, Moment(0, 0))
        return self._now.written

    def unsent(self) -> int:
        return self._now.unsent

    async def drained(self) -> None:
        if self._waits:
            self._waits -= 1
            await asyncio.Event().wait()

    def cut(self) -> None:
        self.was_cut = True


async def test_a_client_that_takes_a_little_each_time_is_waited_for() -> None:
    client = Client(Moment(100, 90), Moment(100, 80), Moment(100, 80), Moment(100, 79))
    await drained_by(client, 0.01, client.written)
    assert not client.was_cut


async def test_what_is_written_meanwhile_does_not_hide_what_was_taken() -> None:
    client = Client(Moment(100, 90), Moment(5000, 4900))
    await drained_by(client, 0.01, client.written)
    assert not client.was_cut


async def test_a_client_that_takes_nothing_is_cut() -> None:
    client = Client(Moment(100, 90), Moment(100, 90))
    with pytest.raises(ConnectionError):
        await drained_by(client, 0.01, client.written)
    assert client.was_cut


async def test_what_is_written_meanwhile_is_nothing_taken() -> None:
    client = Client(Moment(100, 90), Moment(5000, 4990))
    with pytest.raises(ConnectionError):
        await drained_by(client, 0.01, client.written)
    assert client.was_cut
