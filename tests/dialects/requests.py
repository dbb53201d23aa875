"""Requests made at random, for tests of what is relayed."""

import random
from typing import Any


def any_value(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    plain = (None, True, 0, -1.5, "", "text", "\u00e4\u2028\U0001f600")
    if depth > 2 or dice.random() < 0.6:
        return dice.choice(plain)
    if dice.random() < 0.5:
        return [any_value(dice, depth + 1) for _ in range(dice.randrange(3))]
    return {f"k{each}_y": any_value(dice, depth + 1) for each in range(dice.randrange(3))}


def mixed(dice: random.Random, known: dict[str, Any]) -> dict[str, Any]:
    """Some of these keys, in any order, and strange ones between them."""
    keys = [key for key in known if dice.random() < 0.7]
    strange = [f"strange{dice.randrange(99)}" for _ in range(dice.randrange(3))]
    order = [*keys, *strange]
    dice.shuffle(order)
    return {key: known[key] if key in known else any_value(dice) for key in order}
