"""Work on large requests, done beside the event loop, so that no stream stands still for it.

One thread is enough: the interpreter runs one at a time, and each more would take its turn from the
loop. Large requests wait for one another, the small ones do not.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# Below this a request is read or built in a few milliseconds, and a thread's turn costs as much.
LARGE_BYTES = 262_144
_POOL = ThreadPoolExecutor(1, thread_name_prefix="large-request")
_T = TypeVar("_T")


async def apart(size: int, do: Callable[[], _T]) -> _T:
    """What `do` gives; apart from the loop where the request has more than `LARGE_BYTES`."""
    return do() if size <= LARGE_BYTES else await beside(do)


async def beside(do: Callable[[], _T]) -> _T:
    """The same, in any case apart from the loop."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, do)
