"""A request costs what its bytes cost, to read and to pass on: counted (see `growth.py`,
`work.py` and `searches.py` in `tests/fuzz`), never timed.
"""

import json

import pytest

from proxy.dialects.registry import CLIENTS, UPSTREAMS
from tests.fuzz import searches
from tests.fuzz.growth import (
    Make,
    Task,
    building,
    dear,
    grown,
    parsing,
)

pytestmark = [
    pytest.mark.timeout(300),  # seconds of work at most, but a machine may be loaded
    # They go ways that other tests go too, thousands of times: coverage's look at each line would
    # take half as long again.
    pytest.mark.no_cover,
]


def read_dear(name: str, make: Make) -> bool:
    def task(count: int) -> Task:
        body = make(count)
        return Task(parsing(name, body), len(json.dumps(body)))

    return dear(task)


def built_dear(client: str, name: str, make: Make) -> bool:
    def task(count: int) -> Task:
        body = make(count)
        return Task(building(client, name, body), len(json.dumps(body)))

    return dear(task)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_long_request_is_read_at_the_cost_of_its_bytes(name: str) -> None:
    """Whatever it is that is long in it."""
    assert [] == [label for label, make in grown(name) if read_dear(name, make)]


@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_long_request_is_built_at_the_cost_of_its_bytes(name: str) -> None:
    """From the native dialect, which can say whatever a request can."""
    assert [] == [label for label, make in grown("native") if built_dear("native", name, make)]


@pytest.mark.parametrize("name", sorted(CLIENTS.keys() & UPSTREAMS.keys() - {"native"}))
def test_a_long_request_of_the_upstreams_own_dialect_is_built_at_the_cost_of_its_bytes(
    name: str,
) -> None:
    """What is passed through goes other ways than what is translated."""
    assert [] == [label for label, make in grown(name) if built_dear(name, name, make)]


def test_work_that_goes_with_the_square_is_seen() -> None:
    """The measure itself: a search in C of a list, a list and a text that are built anew with each
    item, and a list that is gone through with each."""

    def searched(count: int) -> None:
        seen: list[int] = []
        for number in range(count):
            if number not in searches.tell(seen):
                seen.append(number)

    def joined(count: int) -> None:
        seen: tuple[int, ...] = ()
        for number in range(count):
            seen = (*searches.tell(seen), number)

    def built(count: int) -> None:
        text = ""
        for _ in range(count):
            text = "".join((text, "x" * 20))

    def read_again(count: int) -> None:
        seen: list[str] = []
        for number in range(count):
            seen.append(f"{number}")
            for item in seen:
                item.isascii()

    for do in (searched, joined, built, read_again):
        assert dear(lambda count, do=do: Task(lambda: do(count), count))
