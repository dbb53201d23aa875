"""JSON as vendors write it, not as the standard has it."""

import json
from typing import Any

import msgspec

_SHOWN_CHARS = 80


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
