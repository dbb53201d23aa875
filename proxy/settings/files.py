"""The files of which a configuration is made, so that a change of any of them can be noticed.

They are looked at (stat) and not subscribed to: what the system announces is of an inode, and
Kubernetes swaps a symlink instead, editors put a new file in the old one's place, and a network's
file system announces nothing.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple


class _Mark(NamedTuple):
    """By what a change is known. `changed_ns` also moves with permissions, and where a file comes
    back with its old time of writing.
    """

    written_ns: int
    changed_ns: int
    size: int
    inode: int


class Files:
    """The files that one reading of the configuration took, or missed, each as it was just before
    it was read.
    """

    def __init__(self) -> None:
        self._read: dict[Path, _Mark | None] = {}
        self._seen: dict[Path, _Mark | None] | None = None  # at the last look

    def __bool__(self) -> bool:
        return bool(self._read)

    def note(self, path: Path) -> None:
        """Call it before the file is read: what is written from now on is a change. A pipe is
        passed over, as it can be read only once.
        """
        found = _stat(path)
        if found is None or stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
            self._read.setdefault(path, _mark(found))

    def changed(self) -> bool:
        """Look at them. True when one is not as it was read and all are as they were at the last
        look: whoever writes may be at it yet.
        """
        seen = {path: _mark(_stat(path)) for path in self._read}
        settled, self._seen = seen == self._seen, seen
        return settled and seen != self._read


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):  # ValueError: a null byte in the path
        return None


def _mark(found: os.stat_result | None) -> _Mark | None:
    return (
        None
        if found is None
        else _Mark(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
    )
