"""Places at an upstream: first come, first served, and nobody waits for ever."""

import asyncio

import pytest

from proxy.relay.slots import Full, Slots


def slots(most: int | None = 1, most_waiting: int = 10) -> tuple[Slots, list[int]]:
    told: list[int] = []
    made = Slots(told.append)
    made.most, made.most_waiting = most, most_waiting
    return made, told


async def test_without_a_bound_everybody_enters() -> None:
    open_to_all, told = slots(None)
    for _ in range(100):
        await open_to_all.enter(0)
    assert (100, []) == (open_to_all.open, told)


async def test_who_waits_gets_the_place_that_is_left_in_turn() -> None:
    narrow, told = slots()
    order: list[int] = []

    async def visit(number: int) -> None:
        await narrow.enter(10)
        order.append(number)
        narrow.leave()

    await narrow.enter(10)
    waiting = [asyncio.create_task(visit(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert (1, 5) == (narrow.open, sum(told))
    narrow.leave()
    await asyncio.gather(*waiting)
    assert ([0, 1, 2, 3, 4], 0, 0) == (order, narrow.open, sum(told))


async def test_a_newcomer_does_not_overtake() -> None:
    narrow, _ = slots()
    await narrow.enter(0)
    first = asyncio.create_task(narrow.enter(10))
    await asyncio.sleep(0)
    narrow.leave()
    with pytest.raises(Full):
        await narrow.enter(0)
    await first
    assert 1 == narrow.open


async def test_waiting_is_bounded_in_time_and_in_number() -> None:
    narrow, told = slots(most_waiting=1)
    await narrow.enter(0)
    late = asyncio.create_task(narrow.enter(0.05))
    await asyncio.sleep(0)
    with pytest.raises(Full):
        await narrow.enter(10)
    with pytest.raises(Full):
        await late
    narrow.leave()
    assert (0, 0) == (narrow.open, sum(told))


async def test_who_leaves_the_queue_leaves_no_place_taken() -> None:
    """Also in the very moment in which it got its place."""
    narrow, told = slots()
    await narrow.enter(0)
    gone, given = asyncio.create_task(narrow.enter(10)), asyncio.create_task(narrow.enter(10))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    narrow.leave()
    given.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given
    assert (0, 0) == (narrow.open, sum(told))


async def test_a_wider_room_serves_those_who_wait() -> None:
    narrow, _ = slots()
    await narrow.enter(0)
    waiting = [asyncio.create_task(narrow.enter(10)) for _ in range(3)]
    await asyncio.sleep(0)
    narrow.most = 3
    narrow.serve()
    done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0)
    assert (3, 2) == (narrow.open, sum(task.done() for task in waiting))
    narrow.most = None
    narrow.serve()
    await asyncio.gather(*done, *rest)
    assert 4 == narrow.open
