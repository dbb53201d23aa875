"""What an open stream keeps does not grow unseen: its bytes are counted, which no load disturbs."""

import pytest

from tests.bench.bounds import HELD
from tests.bench.held import held


@pytest.mark.parametrize("pair", HELD, ids=str)
def test_no_open_stream_keeps_more_bytes_than_its_bound(pair):
    """With keys, metrics and logs on: two sockets, what it has come to say, and who waits for
    it."""
    kept = held(pair, 60)

    assert kept.total() <= HELD[pair], kept.most_common(12)
