"""The soak in small: the same processes and the same faults, for seconds. Its verdicts of memory
and of time are for `make soak`."""

from pathlib import Path

import pytest

from tests.load.harm import HARM
from tests.load.soak import Plan, soak

_MEASURED = {"memory", "event loop", HARM}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_under_faults_at_random_every_stream_is_accounted_for_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    verdicts = soak(Plan(seconds=10, streams=60, seed=4, quiet=True, hostile=True), tmp_path)
    assert [] == [
        verdict for verdict in verdicts if not verdict.holds and verdict.name not in _MEASURED
    ]
    assert {"summary.json", "memory.svg", "proxy.log"} == {file.name for file in tmp_path.iterdir()}
