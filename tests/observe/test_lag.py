"""How late the event loop is, and how much it has to do."""

import asyncio
import gc

from proxy.observe.lag import number_of_tasks


async def test_tasks_that_have_ended_are_not_counted() -> None:
    before = number_of_tasks()
    ended = [asyncio.create_task(asyncio.sleep(0)) for _ in range(50)]
    assert before + 50 == number_of_tasks()
    await asyncio.gather(*ended)
    assert before == number_of_tasks()


async def test_many_tasks_are_counted_as_they_come_and_go() -> None:
    gc.collect()  # of other tests' loops
    before, done = number_of_tasks(), asyncio.Event()
    tasks = [asyncio.create_task(done.wait()) for _ in range(1000)]
    many = number_of_tasks()
    tasks += [asyncio.create_task(done.wait()) for _ in range(100)]
    assert many + 100 == number_of_tasks()

    done.set()
    await asyncio.gather(*tasks)
    tasks.clear()
    await asyncio.sleep(0)  # asyncio has let go of them
    assert before == number_of_tasks()
