"""Whole texts to pieces."""

import pytest

from proxy.codec.snapshots import Snapshots
from proxy.framing import FramingError


def pieces(*texts: str, whole: bool = True) -> list[str]:
    snapshots = Snapshots(100, whole=whole)
    return [snapshots.new("text", text) for text in texts]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("a", "ab", "ab", "abc"), ["a", "b", "", "c"]),
        (("a", "", "ab"), ["a", "", "b"]),
        # the second piece does not repeat the first, so none does
        (("a", "b", "bc"), ["a", "b", "bc"]),
        (("a",), ["a"]),
    ],
)
def test_whole_texts(texts: tuple[str, ...], expected: list[str]):
    """What each adds."""
    assert expected == pieces(*texts)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("a", "b", "abc"), ["a", "b", "abc"]),
        (("a", "a", "aa", "aaa"), ["a", "a", "aa", "aaa"]),
        # one that repeats the first by chance waits for the next, and an empty one is no repetition
        (("a", "ab", "c", "abc"), ["a", "", "abc", "abc"]),
        (("a", "", "ab", "", "abc"), ["a", "", "", "ab", "abc"]),
        # these were not what was asked for
        (("a", "ab", "abc", "", "abcd"), ["a", "", "bc", "", "d"]),
        (("a", "ab", "ab", "abc"), ["a", "", "b", "c"]),
    ],
)
def test_where_pieces_were_asked_for(texts: tuple[str, ...], expected: list[str]):
    """What each adds."""
    assert expected == pieces(*texts, whole=False)


def test_the_last_piece_waits_for_none():
    """It is a repetition if it may be one."""
    for second, expected in (("ab", "b"), ("a", "a"), ("b", "b")):
        snapshots = Snapshots(100, whole=False)
        first = snapshots.new("text", "a")
        assert ["a", expected] == [first, snapshots.new("text", second, last=True)]


def test_texts_are_told_apart_by_key():
    """Reasoning may come in pieces beside a whole text."""
    snapshots = Snapshots(100, whole=True)
    keys = ["r", "t", "r", "t", "r", "t"]
    texts = ["x", "a", "y", "ab", "xy", "abc"]
    assert ["x", "a", "y", "b", "xy", "c"] == [
        snapshots.new(key, text) for key, text in zip(keys, texts, strict=True)
    ]


def test_text_that_is_taken_back_is_refused():
    """Once it is known that texts are repeated whole."""
    with pytest.raises(FramingError, match="differs from what it said"):
        pieces("a", "ab", "xb")


def test_texts_that_are_kept_have_a_bound_together():
    """A vendor that counts up its choices does not fill the memory; one whose texts are no
    repetitions is not held to it."""
    snapshots = Snapshots(100, whole=True)
    assert ["a" * 60] == [snapshots.new(1, "a" * 60)]
    assert ["b" * 60] == [snapshots.new(1, "b" * 60)]
    assert ["c" * 60] == [snapshots.new(2, "c" * 60)]
    with pytest.raises(FramingError, match="too long to be kept"):
        snapshots.new(3, "d" * 60)
