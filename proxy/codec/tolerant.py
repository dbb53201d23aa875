"""A vendor's JSON in the shape that we read, where a field of it has a wrong type.

A wrong field costs that field, never the frame that it stands in: it is left at its default. A
number that is written as text, or with a fraction of zero, is that number; one object where a list
of objects is expected is a list of one; what is wrong within a list is left out of it.

This is the slow way, for frames that msgspec refuses: see `proxy.codec.framed.decoded`.
"""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Raw, inspect

T = TypeVar("T")

_MOST_DIGITS = 19  # of a number that is written as text; more are no count


class MisfitError(ValueError):
    """A value that cannot stand where it stands."""


def tolerant(value: Any, wanted: type[T]) -> T:
    """A JSON value as the struct that is wanted. Raises MisfitError where not even the outermost
    shape is right, or a field is wrong without which the struct cannot be.
    """
    return cast("T", _fit(value, _shape(cast("Hashable", wanted))))


@lru_cache(maxsize=256)
def _shape(wanted: Hashable) -> inspect.Type:
    return inspect.type_info(wanted)


def _fit(value: Any, shape: inspect.Type) -> Any:
    match shape:
        case inspect.StructType():
            return _struct(value, shape)
        case inspect.UnionType():
            return _one_of(value, shape.types)
        case inspect.ListType():
            return _list(value, shape.item_type)
        case inspect.IntType() | inspect.FloatType():
            return _number(value, shape)
        case inspect.AnyType():
            return value
        case inspect.RawType():
            return Raw(msgspec.json.encode(value))
        case inspect.StrType() if isinstance(value, str):
            return value
        case inspect.BoolType() if isinstance(value, bool):
            return value
        case inspect.DictType() if isinstance(value, dict):
            return value
        case inspect.NoneType() if value is None:
            return value
        case inspect.LiteralType() if value in shape.values:
            return value
    raise MisfitError


def _struct(value: Any, shape: inspect.StructType) -> Any:
    if not isinstance(value, dict):
        raise MisfitError
    if shape.tag_field is not None and value.get(shape.tag_field) != shape.tag:
        raise MisfitError
    given: dict[str, Any] = {}
    for field in shape.fields:
        if field.encode_name in value:
            try:
                given[field.name] = _fit(value[field.encode_name], field.type)
            except MisfitError:
                if field.required:
                    raise
        elif field.required:
            raise MisfitError
    return shape.cls(**given)


def _one_of(value: Any, shapes: tuple[inspect.Type, ...]) -> Any:
    """The shape that fits: a text is rather a text than a number, null rather null than nothing."""
    plain = [shape for shape in shapes if not isinstance(shape, inspect.StructType)]
    if isinstance(value, str) and any(isinstance(shape, inspect.StrType) for shape in plain):
        return value
    for shape in shapes:
        try:
            return _fit(value, shape)
        except MisfitError:
            continue
    raise MisfitError


def _list(value: Any, item: inspect.Type) -> list[Any]:
    if isinstance(value, dict):
        return [_fit(value, item)]
    if not isinstance(value, list):
        raise MisfitError
    fitting = []
    for each in value:
        try:
            fitting.append(_fit(each, item))
        except MisfitError:
            continue
    return fitting


def _number(value: Any, shape: inspect.IntType | inspect.FloatType) -> int | float:
    number: int | float
    if isinstance(value, str) and len(value) <= _MOST_DIGITS:
        number = _written(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    else:
        raise MisfitError
    if isinstance(shape, inspect.IntType) and isinstance(number, float):
        if not number.is_integer():
            raise MisfitError
        number = int(number)
    if (shape.ge is not None and number < shape.ge) or (shape.le is not None and number > shape.le):
        raise MisfitError
    return number


def _written(text: str) -> int | float:
    try:
        return msgspec.json.decode(text.strip(), type=int | float)
    except msgspec.DecodeError:
        raise MisfitError from None
