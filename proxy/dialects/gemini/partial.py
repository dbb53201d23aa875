"""Arguments that come as pieces with a JSON path each, to pieces of one JSON text.

    {"jsonPath": "$.recipe.steps[0]", "stringValue": "Preheat"}  ->  {"recipe":{"steps":["Preheat

The text is written as the paths come, depth first. A path that goes back into what is closed
already cannot be said any more.
"""

import re

import msgspec

from proxy.dialects.gemini.wire import PartialArg
from proxy.framing import BadFrame

# RFC 9535's normalised and short-hand names, and indexes.
_STEP = re.compile(
    r"""\.([^.\[\]]+)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]"""
)
_ESCAPED = re.compile(r"\\(.)")
_MAX_STEPS = 64
_MAX_KEYS = 4096  # of one call; a model names a handful

Step = str | int


class _Open(msgspec.Struct):
    """An object or list that is being written. `last` is its newest key or index, `seen` the hashes
    of an object's keys.
    """

    is_list: bool
    last: Step | None = None
    seen: set[int] = set()


class Arguments:
    """The arguments of one call. Methods answer the JSON text to append; `add` raises BadFrame for
    pieces in no order.
    """

    def __init__(self) -> None:
        self._path: list[Step] | None = None  # of the value written last
        self._open: list[_Open] = []  # from the outermost
        self._in_string = False
        self._keys = 0

    def add(self, piece: PartialArg) -> str:
        path = _steps(piece.json_path or "")
        if path == self._path:
            return _inner(piece.string_value) if self._in_string and piece.string_value else ""
        value = _value(piece)
        if value is None:
            return ""
        text = self._go_to(path) + value
        self._path = path
        self._in_string = piece.string_value is not None
        return text

    def close(self) -> str:
        """The end of the JSON text: an empty object if nothing came."""
        if not self._open:
            return "{}"
        text = self._end_value()
        while self._open:
            text += self._pop()
        return text

    def _end_value(self) -> str:
        ended, self._in_string = self._in_string, False
        return '"' if ended else ""

    def _pop(self) -> str:
        return "]" if self._open.pop().is_list else "}"

    def _go_to(self, path: list[Step]) -> str:
        """Leave the old value, close what the new path has not, open what it has."""
        text = self._end_value()
        common = 0
        while (
            common < min(len(self._open) - 1, len(path) - 1)
            and self._open[common].last == path[common]
        ):
            common += 1
        while len(self._open) > common + 1:
            text += self._pop()
        if not self._open:
            text += self._begin(path[0])
        for depth in range(len(self._open) - 1, len(path)):
            if depth == len(self._open):
                text += self._begin(path[depth])
            text += self._member(self._open[depth], path[depth])
        return text

    def _begin(self, first: Step) -> str:
        is_list = isinstance(first, int)
        if is_list and not self._open:
            raise BadFrame("the arguments of a call must be an object")
        self._open.append(_Open(is_list, seen=set()))
        return "[" if is_list else "{"

    def _member(self, owner: _Open, step: Step) -> str:
        comma = "" if owner.last is None else ","
        if isinstance(step, int):
            if not owner.is_list or step != (0 if owner.last is None else int(owner.last) + 1):
                raise BadFrame(f"an argument's item {step} came out of order")
            owner.last = step
            return comma
        if owner.is_list or hash(step) in owner.seen:
            raise BadFrame(f"the argument {step[:60]!r} came out of order")
        self._keys += 1
        if self._keys > _MAX_KEYS:
            raise BadFrame(f"a function call has more than {_MAX_KEYS} arguments")
        owner.seen.add(hash(step))
        owner.last = step
        return f"{comma}{msgspec.json.encode(step).decode()}:"


def _steps(path: str) -> list[Step]:
    steps: list[Step] = []
    at = 1
    while path[:1] == "$" and at < len(path):
        match = _STEP.match(path, at)
        if match is None or len(steps) == _MAX_STEPS:
            break
        name, index, single, double = match.groups()
        quoted = single if single is not None else double
        steps.append(
            int(index)
            if index is not None
            else name
            if name is not None
            else _ESCAPED.sub(r"\1", quoted)
        )
        at = match.end()
    if not steps or at < len(path):
        raise BadFrame(f"an argument's path cannot be followed: {path[:60]!r}")
    return steps


def _value(piece: PartialArg) -> str | None:
    """The JSON text of a value, of a string only its beginning; None for a piece without a
    value.
    """
    if piece.string_value is not None:
        return '"' + _inner(piece.string_value)
    if piece.bool_value is not None:
        return "true" if piece.bool_value else "false"
    number = bytes(piece.number_value)
    if number:
        return number.decode()
    return "null" if bytes(piece.null_value) else None


def _inner(text: str) -> str:
    return msgspec.json.encode(text)[1:-1].decode()
