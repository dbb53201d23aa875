"""Tasks whose first step is done at once."""

import asyncio
from contextvars import ContextVar

import pytest

from proxy.server.begun import begun

NAME: ContextVar[str] = ContextVar("NAME", default="nobody's")


async def test_the_first_step_is_done_at_once_and_in_the_task_itself() -> None:
    seen: list[object] = []
    go_on = asyncio.get_running_loop().create_future()

    async def work() -> None:
        NAME.set("its own")
        seen.append(asyncio.current_task())
        seen.append(await go_on)
        seen.append(NAME.get())

    mine = asyncio.current_task()
    task = begun(work())
    assert [task] == seen
    assert (mine, "nobody's") == (asyncio.current_task(), NAME.get())
    go_on.get_loop().call_later(0.01, go_on.set_result, "later")
    await task
    assert [task, "later", "its own"] == seen


async def test_what_came_before_the_task_went_on_is_found() -> None:
    go_on = asyncio.get_running_loop().create_future()

    async def work() -> None:
        await go_on
        await asyncio.sleep(0)

    task = begun(work())
    go_on.set_result(None)
    await task
    assert task.done()


async def test_one_that_has_nothing_to_wait_for_ends_with_what_became_of_it() -> None:
    async def work() -> None:
        raise ValueError("of the first step")

    async def nothing() -> None:
        pass

    with pytest.raises(ValueError, match="of the first step"):
        await begun(work())
    await begun(nothing())


async def test_one_that_is_cancelled_before_it_goes_on_learns_of_it_where_it_waits() -> None:
    learned: list[str] = []
    never = asyncio.get_running_loop().create_future()

    async def waits() -> None:
        try:
            await never
        except asyncio.CancelledError:
            learned.append("while it waited")
            raise

    async def turns() -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            learned.append("between two turns")
            raise

    for work in (waits, turns):
        task = begun(work())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ["while it waited", "between two turns"] == learned
    assert never.cancelled()


async def test_one_that_is_cancelled_when_it_has_ended_has_ended() -> None:
    async def work() -> None:
        raise ValueError("too early")

    task = begun(work())
    task.cancel()
    with pytest.raises(ValueError, match="too early"):
        await task


def test_one_may_be_begun_by_a_callback() -> None:
    async def main() -> None:
        done = asyncio.get_running_loop().create_future()

        async def work() -> None:
            await asyncio.sleep(0)
            done.set_result(asyncio.current_task())

        tasks: list[asyncio.Task[None]] = []
        asyncio.get_running_loop().call_soon(lambda: tasks.append(begun(work())))
        task = await done
        assert tasks == [task]

    asyncio.run(main())
