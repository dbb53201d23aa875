"""Tasks whose first step is done at once: what they ask of others goes out before whoever began
them goes on. From Python 3.12 on asyncio has such tasks too (`eager_start`).
"""

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Coroutine, Generator
from contextvars import copy_context
from typing import Any, NoReturn


def begun(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that does this work. It has come to its first wait, or to its end."""
    loop, context = asyncio.get_running_loop(), copy_context()
    rest = _Begun(work)
    task = loop.create_task(rest, context=context)
    before = asyncio.current_task(loop)
    # as whoever makes a step of a task has to (Python's documentation, "Extending" asyncio)
    if before is not None:
        _leave_task(loop, before)
    _enter_task(loop, task)
    try:
        context.run(rest.begin)
    finally:
        _leave_task(loop, task)
        if before is not None:
            _enter_task(loop, before)
    return task


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine that has made a step already: the first that is asked of it gives what that
    one gave.
    """

    __slots__ = ("_ahead", "_ended", "_waits", "_work")

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        self._ahead = False
        self._waits: Any = None
        self._ended: BaseException | None = None

    def begin(self) -> None:
        """Make the step."""
        self._ahead = True
        try:
            self._waits = self._work.send(None)
        except BaseException as error:  # noqa: BLE001  it is the task's: see `send`
            self._ended = error

    def send(self, value: Any) -> Any:
        if not self._ahead:
            return self._work.send(value)
        self._ahead = False
        if self._ended is not None:
            self._raise()
        waits, self._waits = self._waits, None
        if waits is not None and waits.done():  # meanwhile
            return self._work.send(None)
        return waits

    def throw(self, *error: Any) -> Any:
        if self._ahead:
            if self._ended is not None:
                self._raise()
            self._ahead = False
            if self._waits is not None:  # as a task that is cancelled does
                self._waits.cancel()
        return self._work.throw(*error)

    def _raise(self) -> NoReturn:
        """What that step ended with, which is not kept: its traceback holds this object."""
        ended, self._ended = self._ended, None
        assert ended is not None
        try:
            raise ended
        finally:
            del ended

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._work.__await__()
