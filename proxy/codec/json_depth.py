"""How deep a JSON value is nested, and of how many lists and objects it is made.

What could just be decoded may be too deep to be encoded again: both use the stack. And of a text
that is nothing but brackets each three bytes become some eighty of memory, and as much work: they
are counted before anything is made of them.
"""

from itertools import chain
from typing import Any, TypeVar

from proxy.framing import FramingError

T = TypeVar("T")
# Deeper values than this are no vendor's extras.
MAX_DEPTH = 100
_NESTING = (dict, list)
_none_nests = frozenset(_NESTING).isdisjoint
_UNCOUNTED = bytes(byte for byte in range(256) if byte not in b'"[{')


def too_deep(value: Any) -> bool:
    """Whether a decoded JSON value is nested deeper than anything that a vendor means. Costs one
    pass, level by level.
    """
    if isinstance(value, dict) and _none_nests(map(type, value.values())):
        return False  # as of nearly all
    level = [value] if isinstance(value, _NESTING) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        inner = chain.from_iterable(
            item.values() if isinstance(item, dict) else item for item in level
        )
        level = [child for child in inner if isinstance(child, _NESTING)]
    return bool(level)


def containers(body: bytes) -> int:
    """How many lists and objects a JSON text opens, those in its strings left out. A few passes in
    C, whatever the text is; of one that is malformed, at least as many as stand before its first
    fault.
    """
    # an escaped quotation mark ends no string
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # in and out again, or out and in: either way where it was
    marks = plain.translate(None, _UNCOUNTED).replace(b'""', b"")
    return sum(map(len, marks.split(b'"')[::2]))


def shallow(value: T) -> T:
    """The value itself, for a `vendor` event. Raises FramingError if it is nested too deeply to be
    passed on.
    """
    if too_deep(value):
        raise FramingError(f"it holds a value that is nested deeper than {MAX_DEPTH} levels")
    return value
