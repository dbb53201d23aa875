"""Lists of a client's own request, changed item by item. A list in which nothing is changed stays
the very same object: whoever holds it sees by that that it fits.
"""

from collections.abc import Callable
from operator import is_
from typing import Any


def mapped(items: Any, change: Callable[[Any], Any]) -> Any:
    """The items, each changed; what is no list stays as it is."""
    return changed(items, [change(item) for item in items]) if isinstance(items, list) else items


def changed(given: list[Any], made: list[Any]) -> list[Any]:
    """What was made of a list; the given one where that has the very same items."""
    same = len(made) == len(given) and all(map(is_, made, given))
    return given if same else made
