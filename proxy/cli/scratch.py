"""The folder in which the workers keep their numbers. Who is killed leaves it behind, and the next
start takes it away.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "mainstem-metrics-"
_YOUNG_S = 60.0  # a folder is made before it can be locked: one this young may be about to be


@contextlib.contextmanager
def metrics_folder() -> Iterator[tuple[str, int]]:
    """A new folder, and the descriptor that holds the lock on it. A worker is to inherit that, as
    the lock goes with the last who has it open: a process id would say nothing to a container that
    shares the temporary folder with others.
    """
    _remove_orphans(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # a file system without locks: there nothing is ever taken for an orphan
            with contextlib.suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield folder, held
        finally:
            os.close(held)


def _remove_orphans(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # gone meanwhile, another's, or no folder: a link is not followed
        with contextlib.suppress(OSError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                _remove_if_orphan(folder, held)
            finally:
                os.close(held)


def _remove_if_orphan(folder: Path, held: int) -> None:
    """Raises OSError (BlockingIOError) when somebody holds it."""
    found = os.fstat(held)
    if found.st_uid == os.getuid() and found.st_mtime < time.time() - _YOUNG_S:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
