"""Which dialect a request is in, and what its path says. Sans-IO."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from proxy.dialects.base import ClientHalf

# Dialects that share a path are told apart by what their bodies must hold. `POST /data` is such a path.
_MARKS: dict[str, frozenset[str]] = {
    "chatglm": frozenset({"query", "history"}),
    "sider": frozenset({"app_name"}),
}
_VARIABLE = re.compile(r"\{(\w+)(?::([^{}]+))?\}")


def choose(dialects: Sequence[str], body: bytes) -> str:
    """The one of several dialects that a body is in; without a mark, the first that needs none."""
    if len(dialects) == 1:
        return dialects[0]
    keys = _keys(body)
    for dialect in dialects:
        if dialect in _MARKS and _MARKS[dialect] <= keys:
            return dialect
    return next((dialect for dialect in dialects if dialect not in _MARKS), dialects[0])


def variables(client: ClientHalf, tail: str) -> dict[str, str]:
    """The variables of the dialect's own route at the end of a path, whatever stands before it; none when no route fits."""
    for route in client.routes:
        match = re.search(_pattern(route.path), f"/{tail}")
        if match:
            return match.groupdict()
    return {}


def _pattern(path: str) -> str:
    parts, at = [], 0
    for match in _VARIABLE.finditer(path):
        parts += [re.escape(path[at : match.start()]), f"(?P<{match[1]}>{match[2] or '[^/]+'})"]
        at = match.end()
    return "".join([*parts, re.escape(path[at:]), "$"])


def _keys(body: bytes) -> frozenset[str]:
    try:
        value: Any = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return frozenset()
    return frozenset(value)
