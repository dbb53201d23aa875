"""Nothing that a client asks for vanishes on its way up; and the page that says what becomes of it
is true."""

import pytest

from proxy.dialects.registry import CLIENTS, UPSTREAMS
from tests.fidelity.answers import PARTS, streamed, whole
from tests.fidelity.page import PAGE, page
from tests.fidelity.table import LOST, PROBES, upstream_fate
from tests.fidelity.within import DOCUMENTED, fields, parameters


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_nothing_is_lost_without_a_note(dialect: str) -> None:
    assert [] == [feature for feature in PROBES if upstream_fate(dialect, feature).word == LOST]


@pytest.mark.parametrize("dialect", CLIENTS)
def test_a_client_half_says_what_it_leaves_out(dialect: str) -> None:
    """No more and no less: a document never has a part that a stream has not."""
    assert set(PARTS) - CLIENTS[dialect].omits == streamed(dialect)
    assert whole(dialect) <= streamed(dialect)


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), (
        "run `python -m tests.fidelity --write` and review what changed"
    )


@pytest.mark.parametrize("dialect", DOCUMENTED)
def test_every_parameter_is_kept_within_one_dialect(dialect: str) -> None:
    """Of those that the vendor's SDK documents."""
    assert [] == [name for name, kept in parameters(dialect) if not kept]


# OpenAI pads its chunks with it against listeners: it fits no chunk but the one that it came with.
NOT_KEPT = {"openai_chat": ["obfuscation"]}


@pytest.mark.parametrize("dialect", DOCUMENTED)
def test_every_field_of_an_answer_is_kept_within_one_dialect(dialect: str) -> None:
    """But for one that is no use to a client."""
    assert NOT_KEPT.get(dialect, []) == [name for name, kept in fields(dialect) if not kept]
