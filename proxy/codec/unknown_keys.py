"""Keys within a client's body that its dialect's structs do not have: msgspec passes over them, and
what is passed over must be told.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from proxy.events import Note

_SHOWN_KEYS = 5
_SHOWN_CHARS = 60
# Of a body with more of them these are looked at: enough to say that there are some.
_MOST_FOUND = 100

_Shape = Mapping[str, type[msgspec.Struct] | None]


def unknown_inner_keys(document: Mapping[str, Any], wanted: type[msgspec.Struct]) -> list[Note]:
    """At most one note. `document` was read as `wanted`; keys of its own level are not looked at
    (`json_body.key_notes` does), those of the objects in it are.
    """
    found: dict[str, None] = {}
    inner = _inner(wanted)
    for key in filter(document.__contains__, inner):
        for name in _within(document[key], inner[key], key):
            found[name] = None
            if len(found) == _MOST_FOUND:
                break
    if not found:
        return []
    shown = ", ".join(name[:_SHOWN_CHARS] for name in list(found)[:_SHOWN_KEYS])
    said = f"Keys within the request that are not known were left out: {shown}."
    return [Note("dropped", "unknown_key", said)]


@cache
def _shape(wanted: type[msgspec.Struct]) -> _Shape:
    info = inspect.type_info(wanted)
    assert isinstance(info, inspect.StructType)
    return {field.encode_name: _struct_in(field.type) for field in info.fields}


@cache
def _inner(wanted: type[msgspec.Struct]) -> Mapping[str, type[msgspec.Struct]]:
    """Those of its fields that hold structs."""
    return {key: inner for key, inner in _shape(wanted).items() if inner is not None}


def _struct_in(kind: inspect.Type) -> type[msgspec.Struct] | None:
    """The struct that a field holds, by itself or in a list."""
    match kind:
        case inspect.StructType(cls):
            return cls
        case inspect.ListType(item_type):
            return _struct_in(item_type)
        case inspect.UnionType(types):
            return next((found for each in types if (found := _struct_in(each))), None)
    return None


def _within(value: Any, wanted: type[msgspec.Struct], at: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _within(item, wanted, at)
    elif isinstance(value, dict):
        shape = _shape(wanted)
        for key, inner in value.items():
            if key not in shape:
                if inner is not None:
                    yield f"{at}.{key}"
            elif isinstance(inner, list | dict) and (of := shape[key]) is not None:
                yield from _within(inner, of, f"{at}.{key}")
