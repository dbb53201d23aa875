"""What somebody may have meant."""

from proxy.codec.nearest import nearest


def test_the_word_most_alike_is_found() -> None:
    assert nearest("modle", ["model", "models", "x"]) == "model"


def test_nothing_is_said_where_nothing_is_alike_or_the_word_is_too_long_to_be_one() -> None:
    assert (None, None) == (nearest("q", ["model"]), nearest("model" * 1000, ["model" * 1000]))
