"""Streams that have ended take no more than they may, and nothing when their time is over."""

from pathlib import Path

import pytest

from tests.bench.stored import Load, measure
from tests.needs import requires

LOAD = Load(streams=60, tokens=200, most_bytes=600_000, keep_s=3)


@pytest.mark.parametrize("redis", [False, pytest.param(True, marks=requires("redis"))])
def test_what_is_kept_is_bounded_and_expires(redis: bool, tmp_path: Path) -> None:
    found = measure(LOAD, tmp_path, redis=redis)
    assert 0 < found.kept.counted <= LOAD.most_bytes
    assert redis == (found.kept.keys > 0)
    assert (0, 0) == (found.after.counted, found.after.keys)
    # Redis has the same events, and what it needs for each key
    assert found.kept.redis - found.before.redis < 2 * LOAD.most_bytes
