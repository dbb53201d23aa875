"""Twice the bytes cost twice the work, for every decoder and whatever the bytes: counted (see
`work.py`), never timed."""

import pytest

from proxy.dialects.registry import UPSTREAMS
from tests.fuzz import linear
from tests.fuzz.linear import TIMES, grown

pytestmark = [
    pytest.mark.timeout(300),  # seconds of work at most, but a machine may be loaded
    # They go ways that other tests go too, thousands of times: coverage's look at each line would
    # take half as long again.
    pytest.mark.no_cover,
]

# In short inputs a table that doubles once more may cost this much; what does is tried again,
# longer, where that does not count any more.
_SUSPECT = 1.25 * TIMES
_MOST_TIMES = 1.5 * TIMES  # where work that goes with the square takes TIMES * TIMES
_BYTES = 2000
# One dialect for each way to cut bytes into frames.
_FRAMINGS = ("openai_chat", "ollama", "sider", "gemini", "bedrock_converse")


def dear(name: str, kinds: linear.Kinds, size: int = _BYTES) -> dict[str, tuple[float, float]]:
    """The kinds of input of which a longer one costs more than its length."""
    suspects = [(label, kind) for label, kind in kinds if max(grown(name, kind, size)) > _SUSPECT]
    costs = {label: grown(name, kind, 8 * size) for label, kind in suspects}
    return {label: cost for label, cost in costs.items() if max(cost) > _MOST_TIMES}


@pytest.mark.parametrize("name", UPSTREAMS)
def test_an_endless_answer_costs_what_its_bytes_cost(name: str) -> None:
    assert {} == dear(name, linear.endless(name), 2 * _BYTES)
    assert {} == dear(name, linear.common(), _BYTES // 2)


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_long_frame_costs_what_its_bytes_cost(name: str) -> None:
    """Whatever it is that is long in it: a list, an object or a text."""
    assert {} == dear(name, linear.stretched(name))


@pytest.mark.parametrize("name", _FRAMINGS)
def test_many_small_reads_cost_what_their_bytes_cost(name: str) -> None:
    assert {} == dear(name, linear.bits(linear.common()))


@pytest.mark.parametrize("name", _FRAMINGS)
def test_one_large_read_costs_what_its_bytes_cost(name: str) -> None:
    assert {} == dear(name, linear.whole(linear.common()))


def test_work_that_is_not_linear_is_seen() -> None:
    """The measure itself: a text that is built anew with every piece, and a list that is gone
    through with every item."""

    def built(count: int) -> None:
        text = ""
        for _ in range(count):
            text = "".join((text, "x" * 20))

    def searched(count: int) -> None:
        seen: list[str] = []
        for number in range(count):
            for item in seen:
                item.isascii()
            seen.append(f"{number}")

    for do in (built, searched):
        few, many = (
            linear.work(lambda do=do, count=count: do(count)) for count in (100, 100 * TIMES)
        )
        assert max(many.calls / few.calls, many.copied / max(few.copied, 1)) > _MOST_TIMES
