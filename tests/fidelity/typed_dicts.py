"""Values of an SDK's TypedDicts, so that its types are the list of what a vendor documents: each key
is there, and each alternative of a union has a value of its own.
"""

import types
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import IO, Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import typing_extensions

_MOST_DEEP = 9
_PLAIN: dict[Any, Any] = {str: "x", int: 1, float: 0.5, bool: True, bytes: "eA==", object: "x"}


def samples(wanted: Any, depth: int = 0) -> Iterator[Any]:
    """Values of a type, of which the first has the first alternative everywhere."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted in _PLAIN:
        yield _PLAIN[wanted]
    elif wanted is Any:
        yield "x"
    elif origin in (Union, types.UnionType):
        for each in inner:
            if each is not type(None) and not _is_no_json(each):
                yield from samples(each, depth)
    elif origin in (Required, Annotated, NotRequired):
        yield from samples(inner[0], depth)
    elif origin is Literal:
        yield from inner
    elif wanted is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        yield {"x": next(samples(inner[1], depth + 1)) if inner else "x"}
    elif isinstance(origin, type) and issubclass(origin, Iterable):
        yield from ([value] for value in samples(inner[0], depth))
    elif typing_extensions.is_typeddict(wanted):
        yield from _of_dict(wanted, depth)
    else:
        raise TypeError(f"no value for {wanted}")


def _is_no_json(wanted: Any) -> bool:
    """Files, paths, and objects of an answer that an SDK lets its user give back."""
    origin = get_origin(wanted)
    if origin is not None:
        return origin in (IO, PathLike)
    known = wanted in _PLAIN or wanted is dict or typing_extensions.is_typeddict(wanted)
    return isinstance(wanted, type) and not known


def _of_dict(wanted: Any, depth: int) -> Iterator[dict[str, Any]]:
    """One with the first value of each key, and one more for each further value of a key."""
    if depth > _MOST_DEEP:
        yield {}
        return
    hints = typing_extensions.get_type_hints(wanted)
    first = {name: next(samples(kind, depth + 1), None) for name, kind in hints.items()}
    yield first
    for name, kind in hints.items():
        for at, value in enumerate(samples(kind, depth + 1)):
            if at:
                yield {**first, name: value}
