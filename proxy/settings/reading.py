"""Reads a file that somebody named, whatever stands under the name by now: a pipe into which nobody
writes, or a device without an end, is a mistake and holds nobody up.
"""

import errno
import os
import select
import stat
import time
from pathlib import Path

_PIPE_S = 5.0  # for a pipe to be written, as a shell's `<(...)` is
_PIECE_BYTES = 1 << 20


def read_file(path: Path, most: int) -> bytes:
    """All of it. Raises ValueError beyond `most` bytes; OSError as reading does, or ETIMEDOUT for a
    pipe or a device that is not at its end in five seconds.
    """
    # else to open a pipe would wait for its writer
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        due = None if stat.S_ISREG(os.fstat(file).st_mode) else time.monotonic() + _PIPE_S
        found = bytearray()
        while piece := _piece(file, due):
            found += piece
            if len(found) > most:
                raise ValueError(f"it has more than {most} bytes")
        return bytes(found)
    finally:
        os.close(file)


def _piece(file: int, due: float | None) -> bytes:
    """The next bytes; none at the end."""
    while due is not None:
        left = due - time.monotonic()
        if left <= 0 or not select.select([file], [], [], left)[0]:
            raise OSError(errno.ETIMEDOUT, f"it did not come to an end within {_PIPE_S:g} s")
        try:
            return os.read(file, _PIECE_BYTES)
        except BlockingIOError:
            continue
    return os.read(file, _PIECE_BYTES)
