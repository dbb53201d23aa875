"""How far a long run is: a bar on standard error where that is a terminal, a line now and then
elsewhere."""

import io
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self

_CELLS = 24
_DRAW_S = 0.5
_LINE_S = 15.0
_CLEAR = "\r\x1b[K"


class Nowhere(io.TextIOBase):
    """Where a bar is not seen."""

    def write(self, text: str) -> int:
        return len(text)


class Bar:
    """A context. `part` gives the share that is done, from 0 to 1; a thread asks it. `say` sets
    what stands behind the bar."""

    def __init__(
        self, title: str, part: Callable[[], float], out: IO[str] | io.TextIOBase | None = None
    ) -> None:
        self._title = title
        self._part = part
        self._out = sys.stderr if out is None else out
        self._draws = self._out.isatty()
        self._said = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._draws:
            self._write(_CLEAR)

    def say(self, text: str) -> None:
        self._said = text

    def clear(self) -> None:
        """Before something else is printed: the bar comes again below it."""
        if self._draws:
            self._write(_CLEAR)

    def _run(self) -> None:
        while not self._over.wait(_DRAW_S if self._draws else _LINE_S):
            line = drawn(self._title, self._part(), time.monotonic() - self._begun, self._said)
            self._write(f"{_CLEAR}{line}" if self._draws else f"{line}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def shown() -> IO[str] | Nowhere:
    """Where the bar of a command goes that has lines of its own for a file."""
    return sys.stderr if sys.stderr.isatty() else Nowhere()


def drawn(title: str, part: float, passed_s: float, said: str) -> str:
    """The line. What is left is told once a fiftieth is done."""
    part = min(1.0, max(0.0, part))
    full = round(part * _CELLS)
    left = f", {_clock(passed_s / part - passed_s)} left" if part >= 0.02 else ""
    behind = f"  {said}" if said else ""
    return f"{title} [{'#' * full}{'.' * (_CELLS - full)}] {part:4.0%}  {_clock(passed_s)}{left}{behind}"


def of_time(seconds: float) -> Callable[[], float]:
    """The share of a run that takes so long, from now on."""
    begun = time.monotonic()
    return lambda: (time.monotonic() - begun) / max(seconds, 1e-9)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
