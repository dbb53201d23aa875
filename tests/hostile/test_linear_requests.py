"""A request costs what its bytes cost, to read and to pass on: counted (see `tests/fuzz/work.py`
and `searches.py`), never timed, of three sizes of which each is twice the one before.
"""

import json

import pytest

from tests.fuzz import searches
from tests.fuzz.growth import (
    CLIENTS,
    SIZES,
    UPSTREAMS,
    Make,
    building,
    cost,
    grown,
    not_linear,
    parsing,
)

pytestmark = pytest.mark.timeout(300)  # seconds of work at most, but a machine may be loaded

# What measures coverage allocates too, now and then: what is dear is so each time.
_TIMES = 3


def read_dear(name: str, make: Make) -> bool:
    bodies = [make(size) for size in SIZES]
    reads = [parsing(name, body) for body in bodies]
    reads[0]()  # what is made at the first time only
    sizes = [len(json.dumps(body)) for body in bodies]
    return all(not_linear([cost(read) for read in reads], sizes) for _ in range(_TIMES))


def built_dear(client: str, name: str, make: Make) -> bool:
    bodies = [make(size) for size in SIZES]
    builds = [building(client, name, body) for body in bodies]
    builds[0]()
    sizes = [len(json.dumps(body)) for body in bodies]
    return all(not_linear([cost(build) for build in builds], sizes) for _ in range(_TIMES))


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


def test_a_search_within_a_loop_is_seen() -> None:
    """The measure itself: a search in C of a list, and of as many lists a joined one."""

    def searched(count: int) -> None:
        seen: list[int] = []
        for number in range(count):
            if number not in searches.tell(seen):
                seen.append(number)

    def joined(count: int) -> None:
        seen: tuple[int, ...] = ()
        for number in range(count):
            seen = (*searches.tell(seen), number)

    for do in (searched, joined):
        assert not_linear([cost(lambda do=do, size=size: do(size)) for size in SIZES], list(SIZES))
