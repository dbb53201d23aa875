"""A measure of what an object holds, and a check of the framing's own promise about it."""

import io
import re
import types
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from proxy.framing import sse_lines
from proxy.framing.aws import MessageSplitter
from proxy.framing.lines import LineSplitter
from proxy.framing.sse import SSEParser
from proxy.framing.values import ValueSplitter

_CODE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    re.Pattern,
)
_SPLITTERS = (LineSplitter, MessageSplitter, SSEParser, ValueSplitter)
# A splitter with a tiny bound still holds a BOM or the lengths of a message, to know what it has.
_LEAST = 16


def held(root: Any) -> int:
    """Bytes that are reachable from an object: of its texts, and a few for each thing that a
    container holds. Raises AssertionError where a splitter within holds more of the frame that it is
    reading than it may."""
    size = 0
    for item in _reachable(root):
        size += _size(item)
        wrong = too_full(item) if isinstance(item, _SPLITTERS) else None
        assert wrong is None, wrong
    return size


def too_full(splitter: Any) -> str | None:
    """What a splitter holds of the frame that it is reading, if that is more than it may."""
    unread = len(splitter._held) + len(getattr(splitter, "_data", b""))
    if unread > max(splitter._max, _LEAST):
        return f"{type(splitter).__name__} holds {unread} bytes of one frame and may hold {splitter._max}"
    if isinstance(splitter, SSEParser) and len(splitter._stray) > sse_lines.STRAY_BYTES + 1:
        return f"SSEParser holds {len(splitter._stray)} stray bytes"
    return None


def _reachable(root: Any) -> Iterator[Any]:
    seen: set[int] = set()
    todo = [root]
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, _CODE):
            continue
        seen.add(id(item))
        yield item
        if isinstance(item, str | bytes | bytearray | int | float | None):
            continue
        if isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            todo += item
        elif not isinstance(item, io.StringIO | msgspec.Raw):
            todo += _attributes(item)


def _size(item: Any) -> int:
    if isinstance(item, str | bytes | bytearray):
        return len(item)
    if isinstance(item, io.StringIO):
        return len(item.getvalue())
    if isinstance(item, msgspec.Raw):
        return len(bytes(item))
    if isinstance(item, dict):
        return 16 * len(item)
    return 8 * len(item) if isinstance(item, list | tuple | set | frozenset) else 0


def _attributes(item: Any) -> Iterable[Any]:
    yield from getattr(item, "__dict__", {}).values()
    names = [
        *getattr(item, "__struct_fields__", ()),
        *(name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())),
    ]
    yield from (getattr(item, name) for name in names if hasattr(item, name))
