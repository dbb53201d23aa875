"""Counts as vendors write them."""

from proxy.codec.counts import count
from proxy.events import MAX_COUNT


def test_whole_numbers_count_however_they_are_written():
    """As numbers, floats or text."""
    assert [3, 3, 3, 3, 0, MAX_COUNT] == [
        count(each) for each in (3, 3.0, "3", " 3.0 ", "0", MAX_COUNT)
    ]


def test_what_is_no_count_is_unknown():
    """Never 0."""
    odd = (
        None,
        -1,
        2.5,
        "2.5",
        1e20,
        float("inf"),
        float("nan"),
        2**53,
        "x",
        "",
        "-1",
        True,
        [],
        {},
    )
    assert [None] * len(odd) == [count(each) for each in odd]
    assert [None, None] == [count("9" * 5000), count("²")]
