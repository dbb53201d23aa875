"""Work, counted and not timed, so that it is the same on every run and every machine: the calls
that the interpreter makes, of Python's functions and of C's, and the bytes that it allocates
between them, which is what is copied.
"""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

# Less than this at once is what calls themselves need, the one that counts among them: there is a
# bound of them to each call.
_SMALL_BYTES = 400
# Looked at here alone: when a call ends, what its result replaces is still held, and would hide as
# much of what is allocated next.
_BEGINNINGS = frozenset({"call", "c_call"})


class Work(NamedTuple):
    """`copied` are bytes, of larger pieces only."""

    calls: int
    copied: int


def work(do: Callable[[], Any]) -> Work:
    """What it costs. Do it once before: what is made at the first time only is no part of it."""
    calls = copied = 0
    last = 0
    held, forget = tracemalloc.get_traced_memory, tracemalloc.reset_peak

    def hook(frame: Any, event: str, arg: Any) -> None:
        nonlocal calls, copied, last
        if event not in _BEGINNINGS:
            return
        calls += 1
        now, peak = held()
        if peak - last > _SMALL_BYTES:
            copied += peak - last
        forget()
        last = now

    gc.disable()
    tracemalloc.start()
    sys.setprofile(hook)
    try:
        do()
    finally:
        sys.setprofile(None)
        tracemalloc.stop()
        gc.enable()
    return Work(calls, copied)
