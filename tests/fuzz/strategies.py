"""What the tests with hypothesis share."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import GARBAGE

# From fixed seeds, so that a run is the same as the last one; and in no hurry, as a loaded machine
# must not fail a test.
steady = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
# What is done, where (a share of the body), over how many bytes, and with what.
SPOILING = st.tuples(
    st.sampled_from(["delete", "insert", "replace"]),
    st.floats(0, 1),
    st.sampled_from([1, 2, 9, 60, 700]),
    st.sampled_from(GARBAGE),
)


def spoiled(body: bytes, how: Sequence[tuple[str, float, int, bytes]]) -> bytes:
    data = bytearray(body)
    for what, where, size, piece in how:
        start = int(where * len(data))
        data[start : start if what == "insert" else start + size] = (
            b"" if what == "delete" else piece
        )
    return bytes(data)


def shaped(example: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """JSON of the example's shape: keys left out, lists longer and shorter, and in any place, now
    and then, something of `other`."""
    rare = st.integers(0, 15)
    alike = _alike(example, other)  # made once: it has as many parts as the example
    return st.one_of(alike, st.tuples(rare, other, alike).map(_pick))


def _pick(drawn: tuple[int, Any, Any]) -> Any:
    return drawn[1] if drawn[0] == 0 else drawn[2]


def _alike(example: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    match example:
        case bool():
            return st.booleans()
        case int() | float():
            return st.sampled_from([example, 0, 1, -1, 0.5, 2**31, 2**63])
        case str():
            return st.sampled_from(
                [example, example, example, "", "x", "auto", "模型", "a\r\nb", "\0"]
            )
        case dict():
            return st.fixed_dictionaries(
                {}, optional={key: shaped(value, other) for key, value in example.items()}
            )
        case list() if example:
            return st.lists(st.one_of([shaped(item, other) for item in example]), max_size=4)
        case _:
            return st.just(example)
