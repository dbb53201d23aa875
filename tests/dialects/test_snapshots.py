"""Whole texts to pieces."""

import pytest

from proxy.dialects.snapshots import Snapshots
from proxy.framing import FramingError


def pieces(*texts: str, whole: bool = True) -> list[str]:
    snapshots = Snapshots(whole=whole)
    return [snapshots.new("text", text) for text in texts]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("a", "ab", "ab", "abc"), ["a", "b", "", "c"]),
        (("a", "", "ab"), ["a", "", "b"]),
        (("a", "b", "bc"), ["a", "b", "bc"]),  # the second piece does not repeat the first, so none does
        (("a",), ["a"]),
    ],
)
def test_whole_texts(texts: tuple[str, ...], expected: list[str]):
    """What each adds."""
    assert expected == pieces(*texts)


def test_pieces_stay_pieces():
    """Where they were asked for, whatever they look like."""
    assert ["a", "ab", "ab"] == pieces("a", "ab", "ab", whole=False)


def test_texts_are_told_apart_by_key():
    """Reasoning may come in pieces beside a whole text."""
    snapshots = Snapshots(whole=True)
    keys = ["r", "t", "r", "t", "r", "t"]
    texts = ["x", "a", "y", "ab", "xy", "abc"]
    assert ["x", "a", "y", "b", "xy", "c"] == [snapshots.new(key, text) for key, text in zip(keys, texts, strict=True)]


def test_text_that_is_taken_back_is_refused():
    """Once it is known that texts are repeated whole."""
    with pytest.raises(FramingError, match="differs from what it said"):
        pieces("a", "ab", "xb")
