"""Two spellings of this vendor's clients, read as one: snake_case for camelCase, and its own Schema
for JSON Schema.

Source: the protobuf JSON mapping, by which a server takes both spellings of a field; "Schema" of
the API's reference.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from proxy.codec.rules import Rules
from proxy.dialects.gemini.numbers import type_word

_CAPITAL = re.compile("[A-Z]")
# What stands below these is the client's own, and its keys are no fields of the API.
_OPAQUE = frozenset(
    {
        "args",
        "response",
        "parameters",
        "parametersJsonSchema",
        "responseSchema",
        "responseJsonSchema",
        "labels",
    }
)
_COUNTS = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)
_SCHEMAS = ("items", "additionalProperties", "not")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")


def camel(value: Any) -> Any:
    """The body with every field in camelCase. Where both spellings stand, camelCase wins."""
    if isinstance(value, list):
        return [camel(item) if isinstance(item, dict | list) else item for item in value]
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, inner in value.items():
        name = in_camel(key)
        if name == key or name not in value:
            out[name] = inner if name in _OPAQUE else camel(inner)
    return out


def spelled(value: Mapping[str, Any], name: str) -> str | None:
    """The key under which an object holds a field, in camelCase or, where that is not there, in
    snake_case; None: it has not got it.
    """
    if name in value:
        return name
    other = snake(name)
    return other if other in value else None


def both_spellings(rules: Rules) -> Rules:
    """The rules with their keys in snake_case and in camelCase, as the server takes both."""
    if not (rules.refused or rules.refuse or rules.at_most_one):
        return rules

    def both(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*names, *map(snake, names), *map(in_camel, names))))

    groups = tuple(both(group) for group in rules.at_most_one)
    return replace(
        rules, refused=both(rules.refused), refuse=both(rules.refuse), at_most_one=groups
    )


def snake(name: str) -> str:
    """A field's name in snake_case."""
    return _CAPITAL.sub(lambda match: f"_{match[0].lower()}", name)


def json_schema(schema: Any) -> Any:
    """The vendor's Schema as JSON Schema: types in lower case, `nullable` as a type, counts that
    are text as numbers.

    What is JSON Schema already stays as it is.
    """
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for key, said in schema.items():
        name, value = in_camel(key), type_word(said) if key == "type" else said
        if name in _SCHEMAS:
            out[name] = json_schema(value)
        elif name in _LISTS and isinstance(value, list):
            out[name] = [json_schema(item) for item in value]
        elif name == "properties" and isinstance(value, dict):
            out[name] = {inner: json_schema(of) for inner, of in value.items()}
        elif (
            name in _COUNTS
            and isinstance(value, str)
            and value.isascii()
            and value.isdigit()
            and len(value) < 20
        ):
            out[name] = int(value)
        elif name == "type" and isinstance(value, str):
            out[name] = value.lower()
        elif name not in ("nullable", "propertyOrdering"):
            out[name] = value
    if schema.get("nullable") is True and isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
    if out.get("type") == "type_unspecified":
        del out["type"]
    return out


def in_camel(name: str) -> str:
    """A field's name in camelCase."""
    first, *rest = name.split("_")
    return (
        name
        if not first or not rest
        else first + "".join(word[:1].upper() + word[1:] for word in rest)
    )
