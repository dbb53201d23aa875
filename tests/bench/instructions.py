"""What the processor does for one chunk, counted by Valgrind: it runs a program twice, with more
chunks the second time, and the difference is theirs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.matrix import Pair

_PIECES = (1000, 3000)
_ROOT = Path(__file__).parents[2]
_RUN = """
import sys
from tests.bench.matrix import Pair
from tests.bench.micro import Turns
turns = Turns(Pair(*sys.argv[1:3]), int(sys.argv[3]))
turns.run(*turns.begun())
"""


def per_chunk(pair: Pair) -> int:
    """Instructions of the relay's step for one chunk of this pair."""
    few, many = (_counted(pair, pieces) for pieces in _PIECES)
    return (many - few) // (_PIECES[1] - _PIECES[0])


def _counted(pair: Pair, pieces: int) -> int:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SystemExit("valgrind is missing: on Debian or Ubuntu, apt-get install valgrind")
    counting = [valgrind, "--tool=callgrind", f"--callgrind-out-file={os.devnull}"]
    run = subprocess.run(
        [*counting, sys.executable, "-c", _RUN, *pair, str(pieces)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},  # sets and dictionaries come out alike
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Collected : (\d+)", run.stderr)
    assert found is not None, run.stderr
    return int(found[1])
