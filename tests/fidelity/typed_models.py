"""Values of an SDK's pydantic models, so that its types are the list of what a vendor's answers
hold: each field is there, with the first alternative of its type.
"""

import datetime as dt
import enum
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic

_MOST_DEEP = 8
_PLAIN: dict[Any, Any] = {
    str: "x",
    int: 1,
    float: 0.5,
    bool: True,
    object: "x",
    Any: "x",
    bytes: "eA==",
    dt.datetime: "2026-01-01T00:00:00Z",
}


def sample(wanted: Any, depth: int = 0) -> Any:
    """A value of a type. Raises TypeError for one that is not known."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted in _PLAIN:
        return _PLAIN[wanted]
    if origin in (Union, types.UnionType):
        return sample(next(each for each in inner if each is not type(None)), depth)
    if origin is Annotated:
        return sample(inner[0], depth)
    if origin is Literal:
        return inner[0]
    if wanted is list:
        return ["x"]
    if wanted is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {"x": sample(inner[1], depth + 1) if inner else "x"}
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return [sample(inner[0], depth + 1)] if depth < _MOST_DEEP else []
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return next(iter(wanted)).value
    if isinstance(wanted, type) and issubclass(wanted, pydantic.BaseModel):
        fields = wanted.model_fields.items() if depth < _MOST_DEEP else ()
        return {f.alias or name: sample(f.annotation, depth + 1) for name, f in fields}
    raise TypeError(f"no value for {wanted}")


def alternatives(wanted: Any) -> Iterator[Any]:
    """The types of a union, through its annotations."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        yield from alternatives(inner[0])
    elif origin in (Union, types.UnionType):
        for each in inner:
            yield from alternatives(each)
    else:
        yield wanted
