"""Hides the values of chosen JSON fields.

In an answer each value is replaced by one of the same size and kind, so that read boundaries,
lengths and the JSON itself stay: the characters of texts become `*`, digits become 1.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

MASK = "********"
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"?|[{\[]|[}\]]|[^"{}\[\],\n]+|,|\n', re.DOTALL)
_DIGIT = re.compile(rb"[0-9]")


def veiled(data: bytes, names: Collection[str]) -> bytes:
    """Bytes in which JSON texts stand, with the values of these fields hidden. The work is linear
    in the bytes.
    """
    if not names:
        return data
    quoted = "|".join(re.escape(name) for name in names).encode()
    key = re.compile(rb'"(?:' + quoted + rb')"\s*:\s*')
    out: list[bytes] = []
    at = 0
    while (match := key.search(data, at)) is not None:
        out.append(data[at : match.end()])
        at = match.end()
        for token in _value(data, at):
            out.append(_hidden(token))
            at += len(token)
    return b"".join([*out, data[at:]])


def masked(value: Any, hides: Callable[[str], bool]) -> Any:
    """A JSON value with a mask in the place of each field whose name is to be hidden."""
    if isinstance(value, dict):
        return {
            name: MASK if hides(name) else masked(inner, hides) for name, inner in value.items()
        }
    return [masked(inner, hides) for inner in value] if isinstance(value, list) else value


def is_mask(value: Any) -> bool:
    """Whether it stands for a value that was hidden."""
    return isinstance(value, str) and value == MASK


def _value(data: bytes, at: int) -> Iterator[bytes]:
    """The tokens of the value that begins here, up to its end or that of the line."""
    depth = 0
    while (match := _TOKEN.match(data, at)) is not None:
        token, at = match[0], match.end()
        if token == b"\n" or (depth == 0 and token in (b",", b"}", b"]")):
            return
        depth += (token in (b"{", b"[")) - (token in (b"}", b"]"))
        yield token
        if depth == 0:
            return


def _hidden(token: bytes) -> bytes:
    if not token.startswith(b'"'):
        return _DIGIT.sub(b"1", token)
    closed = len(token) > 1 and token.endswith(b'"')
    return b'"' + b"*" * (len(token) - 1 - closed) + b'"' * closed
