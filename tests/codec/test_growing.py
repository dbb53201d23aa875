"""A text that grows and is cut, beside a plain one."""

import random

from proxy.codec.growing import GrowingText


def test_it_says_what_a_plain_text_says() -> None:
    """After any additions and cuts, whole and in any part."""
    rng = random.Random(7)
    for _ in range(200):
        plain, grown = "", GrowingText()
        for number in range(rng.randint(1, 300)):
            if rng.random() < 0.2:
                keep = rng.choice([0, len(plain), max(len(plain) - 1, 0), rng.randint(0, 99)])
                plain = plain[:keep]
                grown.cut(keep)
            piece = f"{number}模" * rng.randint(0, 3)
            plain += piece
            grown.add(piece)
            begin, end = sorted(rng.randint(0, len(plain)) for _ in range(2))
            assert (plain[begin:end], len(plain)) == (grown.between(begin, end), len(grown))
        assert plain == str(grown)
    assert GrowingText("begun").between(1, 3) == "eg"


def test_few_pieces_are_held() -> None:
    """However short they came."""
    grown = GrowingText()
    for _ in range(10_000):
        grown.add("x")
    assert len(grown._pieces) < 100
