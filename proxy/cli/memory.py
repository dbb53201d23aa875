"""Keeps the process small: gives memory back that large answers took.

glibc's heap is a row of blocks, and by itself it gives back only what is free at its end
(mallopt(3), M_TRIM_THRESHOLD). Buffers that grow to megabytes, for a large event or a slow client,
leave holes behind blocks that live on: of a heap under load most was free, and the process as large
as ever. malloc_trim(3) gives back the pages within the holes too. And large buffers are kept out of
the heap, whatever was freed before: by itself glibc takes them into it once it has freed one.
"""

import asyncio
import contextlib
import ctypes
import os
from collections.abc import AsyncIterator, Callable

_EVERY_S = 10.0
# mallopt(3): its parameters' numbers, and what they are set to.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_TUNED = {
    _MMAP_THRESHOLD: 1 << 18,  # bytes: what is larger has pages of its own, that go when it does
    _TRIM_THRESHOLD: 1 << 20,  # bytes that may be free at the heap's end
    _ARENA_MAX: 1,  # one heap: a thread that reads a large request leaves none behind
}
# what environment variables begin with that set the same: MALLOC_ARENA_MAX, GLIBC_TUNABLES
_OPERATORS = ("MALLOC_", "GLIBC_")


def tune() -> bool:
    """Set how the C library keeps memory, before much of it is taken. False where it has no mallopt
    (musl, macOS), where it refused, and where the operator has set it.
    """
    mallopt = _of_libc("mallopt")
    if mallopt is None or any(name.startswith(_OPERATORS) for name in os.environ):
        return False
    return all(mallopt(parameter, value) for parameter, value in _TUNED.items())


def trimmer() -> Callable[[int], int] | None:
    """The C library's malloc_trim; None where it has none (musl, macOS)."""
    return _of_libc("malloc_trim")


def _of_libc(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it has none of that name."""
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return function


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
