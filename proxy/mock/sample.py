"""Arguments for a tool call that the tool's own schema takes, in its simple cases."""

from typing import Any

import msgspec

from proxy.request import ToolSpec

_SIMPLE: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
_MAX_DEPTH = 8


def arguments(tool: ToolSpec, text: str) -> str:
    """JSON text. Every string in it is `text`."""
    value = _sample(tool.parameters or {}, text, _MAX_DEPTH)
    return msgspec.json.encode(value if isinstance(value, dict) else {}).decode()


def _sample(schema: Any, text: str, depth: int) -> Any:
    if not isinstance(schema, dict) or not depth:
        return text
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    kind = schema.get("type")
    properties = schema.get("properties")
    if kind == "object" or isinstance(properties, dict):
        named = properties if isinstance(properties, dict) else {}
        return {str(name): _sample(inner, text, depth - 1) for name, inner in named.items()}
    if kind == "array":
        return [_sample(schema.get("items"), text, depth - 1)]
    return _SIMPLE.get(kind, text) if isinstance(kind, str) else text
