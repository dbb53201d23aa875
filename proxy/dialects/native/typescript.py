"""The part of JSON Schema that the native schema uses, as TypeScript declarations."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

_WIDTH = 110
_PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "object": "Record<string, unknown>",
}


def interfaces(definitions: Mapping[str, Any]) -> str:
    """An exported declaration for each definition."""
    return "".join(
        "\n" + "\n".join(_declaration(name, schema)) + "\n" for name, schema in definitions.items()
    )


def _declaration(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield from _comment(schema.get("description"), "")
    if "properties" not in schema:
        yield f"export type {name} ="
        yield from (f"  | {_type(branch)}" for branch in schema["oneOf"][:-1])
        yield f"  | {_type(schema['oneOf'][-1])};"
        return
    yield f"export interface {name} {{"
    required = _required(name, schema)
    for key, value in schema["properties"].items():
        yield from _comment(_limits(value), "  ")
        yield f"  {key}{'' if key in required else '?'}: {_type(value)};"
    yield "}"


def _required(name: str, schema: Mapping[str, Any]) -> set[str]:
    """Keys that are always there: in what is sent to us, those that we require; in what we send,
    also those with a default, which are always written. A key that may be left out has no default
    in the schema.
    """
    always = set(schema.get("required", ()))
    if name not in _SENT_TO_US:
        always |= {key for key, value in schema["properties"].items() if "default" in value}
    return always


# Shapes of requests; all others are written by the proxy.
_SENT_TO_US = frozenset(
    {
        "StreamRequest",
        "Message",
        "TextPart",
        "ImagePart",
        "DocumentPart",
        "AudioPart",
        "Cache",
        "ToolCallPart",
        "ToolResultPart",
        "ReasoningPart",
        "ToolSpec",
        "ToolChoice",
        "Reasoning",
    }
)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return " | ".join(_type(branch) for branch in branches)
    if schema.get("type") == "array":
        item = _type(schema.get("items", {}))
        return f"({item})[]" if "|" in item else f"{item}[]"
    return _PLAIN[schema["type"]] if "type" in schema else "unknown"


def _limits(schema: Mapping[str, Any]) -> str | None:
    """Bounds that TypeScript cannot say."""
    for branch in (schema, *schema.get("anyOf", ())):
        low, high = branch.get("minimum"), branch.get("maximum")
        if low is not None:
            return f"{low} or more." if high is None else f"{low} to {high}."
    return None


def _comment(text: str | None, indent: str) -> Iterator[str]:
    if not text:
        return
    lines = [
        line
        for paragraph in text.strip().split("\n")
        for line in textwrap.wrap(paragraph, _WIDTH - len(indent)) or [""]
    ]
    if len(lines) == 1:
        yield f"{indent}/** {lines[0]} */"
        return
    yield f"{indent}/**"
    yield from (f"{indent} * {line.strip()}".rstrip() for line in lines)
    yield f"{indent} */"
