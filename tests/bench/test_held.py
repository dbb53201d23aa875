"""What an open stream keeps does not grow unseen: its bytes are counted, which no load disturbs."""

import re
import subprocess
import sys

import pytest

from tests.bench.bounds import HELD

STREAMS = 60


@pytest.mark.parametrize("pair", HELD, ids=str)
def test_no_open_stream_keeps_more_bytes_than_its_bound(pair):
    """With keys, metrics and logs on: two sockets, what it has come to say, and who waits for it.
    In a process of its own, as what other tests and coverage keep is none of it."""
    command = ["-m", "tests.bench.held", "--streams", str(STREAMS)]
    named = ["--upstream", pair.upstream, "--client", pair.client]
    done = subprocess.run(
        [sys.executable, *command, *named], capture_output=True, text=True, timeout=120, check=True
    )

    counted = re.match(rf"{re.escape(str(pair))}: (\d+) bytes for each open stream", done.stdout)
    assert counted is not None, done.stdout
    assert int(counted[1]) <= HELD[pair], done.stdout
