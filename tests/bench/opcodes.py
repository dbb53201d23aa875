"""What code costs, counted: the interpreter's instructions, which are the same on any machine and
under any load. They say nothing of what is done in C.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any


class Opcodes:
    """Counts those of this thread while it is `counting`, by the code that they are in. From Python
    3.12 on, code that was not traced just before may be counted in part: count once for nothing.
    """

    def __init__(self) -> None:
        self.by_code: Counter[CodeType] = Counter()

    @property
    def total(self) -> int:
        return self.by_code.total()

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Frames that begin from now on are counted. Whoever traced before (coverage) goes on
        afterwards."""
        before = sys.gettrace()
        sys.settrace(self._entered)
        try:
            yield
        finally:
            sys.settrace(before)

    def _entered(self, frame: FrameType, _event: str, _: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._ran

    def _ran(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "opcode":
            self.by_code[frame.f_code] += 1
        return self._ran
