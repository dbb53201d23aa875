"""The crowd in small."""

import pytest

from tests.load.crowd import Plan, crowd
from tests.load.harm import HARM


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_crowd_is_held_open_and_none_is_lost(workers: int) -> None:
    report, verdicts = crowd(Plan(streams=300, workers=workers, seconds=3))
    assert [] == [verdict for verdict in verdicts if not verdict.holds]
    assert 300 * 2 == report.crowd.pieces


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_beside_clients_that_mean_harm_none_is_lost() -> None:
    """How much is felt of them is for `make crowd`."""
    report, verdicts = crowd(Plan(streams=100, seconds=11, hostile=10))
    assert [] == [verdict for verdict in verdicts if not verdict.holds and verdict.name != HARM]
    assert report.crowd.felt.phases > 0
