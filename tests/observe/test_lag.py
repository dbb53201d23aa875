"""How late the event loop is, and how much it has to do."""

import asyncio
import gc

from proxy.observe.lag import number_of_tasks


async def test_tasks_are_counted_as_they_come_and_go() -> None:
    gc.collect()  # of other tests' loops
    before = counted()
    done = asyncio.Event()
    tasks = [asyncio.create_task(done.wait()) for _ in range(50)]
    assert [50, 50] == [now - then for now, then in zip(counted(), before, strict=True)]

    done.set()
    await asyncio.gather(*tasks)
    tasks.clear()
    await asyncio.sleep(0)  # asyncio has let go of them
    assert before == counted()


def counted() -> tuple[int, int]:
    return number_of_tasks(), len(asyncio.all_tasks())
