"""JSON values that mean nothing to anybody, for what must go through untouched."""

import random
from typing import Any

_PLAIN: tuple[Any, ...] = (True, False, 0, -7, 2.5, "", "text", '名\n\\"', "\U0001f600")


def any_json(chance: random.Random, depth: int = 2) -> Any:
    """A value, nested at most this deep. Never null, which says nothing."""
    kind = chance.random()
    if depth and kind < 0.2:
        return [any_json(chance, depth - 1) for _ in range(chance.randint(0, 2))]
    if depth and kind < 0.4:
        return {f"k{n}": any_json(chance, depth - 1) for n in range(chance.randint(0, 2))}
    return chance.choice(_PLAIN)
