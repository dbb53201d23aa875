"""A timer finer than the event loop's: loops sleep in whole milliseconds, which would send the
streams in bunches."""

import ctypes
import heapq
import os
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable

_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_TIMER_ABSTIME = 1
_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("sec", ctypes.c_long), ("nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Timer:
    """Calls back at times of the monotonic clock, in nanoseconds, with the kernel's own precision
    (Linux timerfd)."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._fd = _libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._spec = _Itimerspec()
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        loop.add_reader(self._fd, self._fire)

    def at(self, when_ns: int, callback: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (when_ns, self._count, callback))
        if self._due[0][1] == self._count:
            self._arm()

    def _arm(self) -> None:
        if not self._due:
            return
        value = self._spec.value
        value.sec, value.nsec = divmod(self._due[0][0], 1_000_000_000)
        if _libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(self._spec), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def _fire(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # it was set anew in the meantime
        due = self._due
        try:
            while due and due[0][0] <= time.monotonic_ns():
                heapq.heappop(due)[2]()
        finally:  # or one that fails would be the last of all
            self._arm()
