"""The crowd in small."""

import pytest

from tests.load.crowd import Plan, crowd


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_crowd_is_held_open_and_none_is_lost(workers: int) -> None:
    report, verdicts = crowd(Plan(streams=300, workers=workers, seconds=3))
    assert [] == [verdict for verdict in verdicts if not verdict.holds]
    assert 300 * 2 == report.crowd.pieces
