"""JSON as vendors write it, not as the standard has it."""

import json
import re
from typing import Any

import msgspec

_SHOWN_CHARS = 80
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
_NOT_SPACE = re.compile(r"\S")


class NotJSONError(ValueError):
    """It cannot be read as JSON by any leniency of ours."""


def loads(data: bytes | msgspec.Raw) -> Any:
    """Any JSON value. Raises NotJSONError."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    text = mended(bytes(data))
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotJSONError(str(error)) from error


def several(data: bytes) -> list[Any] | None:
    """The JSON objects of a text that holds at least two of them, one after the other; None for any
    other text.
    """
    text = data.decode("utf-8", "replace")
    found: list[Any] = []
    at = 0
    try:
        while rest := _NOT_SPACE.search(text, at):
            value, at = _DECODER.raw_decode(text, rest.start())
            found.append(value)
    except (ValueError, RecursionError):
        return None
    objects = len(found) > 1 and all(isinstance(value, dict) for value in found)
    return [loads(json.dumps(value).encode()) for value in found] if objects else None


def mended(data: bytes) -> bytes:
    """The same JSON, strictly written: invalid UTF-8 and lone surrogates are U+FFFD, NaN and
    infinities null. Raises NotJSONError.
    """
    try:
        value = json.loads(
            data.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None
        )
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise NotJSONError(str(error)) from error
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def shown(data: bytes) -> str:
    """The start of what a vendor sent, for an error message."""
    text = data[: 4 * _SHOWN_CHARS].decode("utf-8", "replace").strip()
    cut = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
    return repr(cut)[: _SHOWN_CHARS + 2]
