"""The kinds of failure and their table."""

from typing import get_args

from proxy.errors import KINDS, Kind


def test_every_kind_has_its_row() -> None:
    assert set(get_args(Kind)) == set(KINDS)
