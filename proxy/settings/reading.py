"""Reads a file that somebody named, whatever stands under the name by now: a pipe into which nobody
writes, or a device without an end, is a mistake and holds nobody up.
"""

import errno
import os
import re
import select
import stat
import time
from pathlib import Path

_PIPE_S = 5.0  # for a pipe to be written, as a shell's `<(...)` is
_PIECE_BYTES = 1 << 20
# No folder, no ending, and longer than names are.
_MAYBE_KEY = re.compile(r"(?=.*[0-9])[A-Za-z0-9_-]{24,}")


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


def unreadable(file: Path, error: OSError) -> str:
    """The rest of a sentence about a setting that names a file. What may be a key by mistake is not
    repeated.
    """
    name = file.name
    if error.errno == errno.ENOENT and (name.startswith("sk-") or _MAYBE_KEY.fullmatch(name)):
        return "names no file: a key itself goes into api_key, and here the path of a file"
    said = f"cannot be read: {file} ({error.strerror}); "
    if error.errno == errno.ENOENT and ("~" in file.parts or "$" in str(file)):
        return f"{said}~ and $NAME are no folders here: write the path out, or ${{NAME}}"
    return f"{said}check the path and its permissions"


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
