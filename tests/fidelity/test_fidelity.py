"""Nothing that a client asks for vanishes on its way up; and the page that says what becomes of it
is true."""

import pytest

from proxy.dialects.registry import UPSTREAMS
from tests.fidelity.page import PAGE, page
from tests.fidelity.table import LOST, PROBES, upstream_fate


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_nothing_is_lost_without_a_note(dialect: str) -> None:
    assert [] == [feature for feature in PROBES if upstream_fate(dialect, feature).word == LOST]


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), (
        "run `python -m tests.fidelity --write` and review what changed"
    )
