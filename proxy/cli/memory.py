"""Gives memory back that large answers took.

glibc's heap is a row of blocks, and by itself it gives back only what is free at its end
(mallopt(3), M_TRIM_THRESHOLD). Buffers that grow to megabytes, for a large event or a slow client,
leave holes behind blocks that live on: of a heap under load most was free, and the process as large
as ever. malloc_trim(3) gives back the pages within the holes too.
"""

import asyncio
import contextlib
import ctypes
from collections.abc import AsyncIterator, Callable

_EVERY_S = 10.0


def trimmer() -> Callable[[int], int] | None:
    """The C library's malloc_trim; None where it has none (musl, macOS)."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return trim


@contextlib.asynccontextmanager
async def given_back(every_s: float = _EVERY_S) -> AsyncIterator[None]:
    """Every so often, as long as the block runs. In a thread, so that the event loop waits for it
    only where it needs memory itself.
    """
    trim = trimmer()
    task = None if trim is None else asyncio.create_task(_now_and_then(trim, every_s))
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _now_and_then(trim: Callable[[int], int], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(trim, 0)
