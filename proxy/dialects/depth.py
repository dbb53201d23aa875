"""How deep a vendor's JSON value is nested. What could just be decoded may be too deep to be encoded again: both use the stack."""

from typing import Any, TypeVar

from proxy.framing import FramingError

T = TypeVar("T")
# Deeper values than this are no vendor's extras.
MAX_DEPTH = 100


def too_deep(value: Any) -> bool:
    """Whether a decoded JSON value is nested deeper than anything that a vendor means. Costs one pass, level by level."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level if isinstance(item, dict | list) for child in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return False
    return True


def shallow(value: T) -> T:
    """The value itself, for a `vendor` event. Raises FramingError if it is nested too deeply to be passed on."""
    if too_deep(value):
        raise FramingError(f"it holds a value that is nested deeper than {MAX_DEPTH} levels")
    return value
