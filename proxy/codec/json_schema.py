"""A tool's JSON Schema in the part of the language that a target takes.

What is changed keeps, as far as it can, what the schema admits: a model that calls by the changed
schema calls rightly by the client's. Constraints that cannot be said are left out, so the changed
schema may admit more.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from proxy.codec.json_depth import MAX_DEPTH
from proxy.codec.rules import SchemaFeature

# A schema of references to references can stand for a tree of any size: beyond this many parts of
# it, what is left admits anything.
_MOST_PARTS = 20_000
_UNIONS = ("anyOf", "oneOf", "allOf")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "if", "then", "else", "contains")
_BOUNDS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties"),
    }
)
_DEFINITIONS = ("$defs", "definitions")
# What Anthropic, and Bedrock after it, refuse in a schema to which the model is held; the vendor's
# SDKs say it likewise.
CLOSED: tuple[SchemaFeature, ...] = ("open_objects", "bounds")


def adapted(schema: dict[str, Any], lacks: Collection[SchemaFeature]) -> dict[str, Any]:
    """The schema without the features that the target lacks; the very same object where there is
    nothing to change.
    """
    if not lacks:
        return schema
    out = _Adapter(schema, frozenset(lacks)).root()
    return schema if out == schema else out


def parts_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all schemas in it, those that are referred to once each."""
    left = [(schema, 0)]
    while left:
        part, depth = left.pop()
        yield part
        if depth < MAX_DEPTH:
            left += [(of, depth + 1) for of in _inner(part) if isinstance(of, dict)]


def _inner(part: dict[str, Any]) -> Iterator[Any]:
    for key, value in part.items():
        if key in _NAMED and isinstance(value, dict):
            yield from value.values()
        elif key in _LISTED and isinstance(value, list):
            yield from value
        elif key in _SINGLE:
            yield value


class _Adapter:
    """One schema. `_left` counts down the parts that may still be made."""

    def __init__(self, schema: Mapping[str, Any], lacks: frozenset[SchemaFeature]) -> None:
        self._schema = schema
        self._lacks = lacks
        self._left = _MOST_PARTS

    def root(self) -> dict[str, Any]:
        schema: dict[str, Any] = dict(self._schema)
        if "root_any_of" in self._lacks:
            schema = _without_root_unions(schema, self._resolved)
        out = self._part(schema, (), 0)
        assert isinstance(out, dict)
        return out

    def _part(self, schema: Any, within: tuple[str, ...], depth: int) -> Any:
        """`within` are the references that led here: a schema within itself ends."""
        if not isinstance(schema, dict):
            return schema
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            return {}
        if "ref" in self._lacks and isinstance(schema.get("$ref"), str):
            return self._referred(schema, within, depth)
        out: dict[str, Any] = {}
        for key, value in schema.items():
            if key in _NAMED and isinstance(value, dict):
                if "ref" in self._lacks and key in _DEFINITIONS:
                    continue
                out[key] = {name: self._part(of, within, depth + 1) for name, of in value.items()}
            elif key in _LISTED and isinstance(value, list):
                out[key] = [self._part(of, within, depth + 1) for of in value]
            elif key in _SINGLE:
                out[key] = self._part(value, within, depth + 1)
            else:
                out[key] = value
        return self._plainer(out)

    def _referred(self, schema: dict[str, Any], within: tuple[str, ...], depth: int) -> Any:
        name = schema["$ref"]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        found = None if name in within else self._resolved(name)
        if found is None:  # elsewhere, or within itself: anything is admitted
            return self._part(rest, within, depth + 1)
        return self._part({**found, **rest}, (*within, name), depth + 1)

    def _resolved(self, name: str) -> dict[str, Any] | None:
        """What a reference into this very schema stands for (RFC 6901 in a URI fragment)."""
        if not name.startswith("#"):
            return None
        at: Any = self._schema
        for step in name[1:].strip("/").split("/") if name.strip("#/") else ():
            step = step.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901
            at = at.get(step) if isinstance(at, dict) else None
        return at if isinstance(at, dict) else None

    def _plainer(self, out: dict[str, Any]) -> dict[str, Any]:
        """One part, whose own parts are done already."""
        lacks = self._lacks
        if "const" in lacks and "const" in out:
            out["enum"] = [out.pop("const")]
        if "additional_properties" in lacks:
            out.pop("additionalProperties", None)
        if "format" in lacks:
            out.pop("format", None)
        if "bounds" in lacks:
            out = _without_bounds(out)
        if "open_objects" in lacks and (out.get("type") == "object" or "properties" in out):
            out["additionalProperties"] = False
        if "type_list" in lacks and isinstance(out.get("type"), list):
            out = _one_type(out)
        if "any_of" in lacks:
            out = _without_unions(out)
        return out


def _without_bounds(out: dict[str, Any]) -> dict[str, Any]:
    """What bounds a value, said in its description, where the model still reads it."""
    bounds = [f"{key}: {out[key]}" for key in out if key in _BOUNDS]
    if not bounds:
        return out
    rest = {key: value for key, value in out.items() if key not in _BOUNDS}
    said = [rest["description"]] if isinstance(rest.get("description"), str) else []
    return {**rest, "description": " ".join([*said, f"({', '.join(bounds)})"])}


def _one_type(out: dict[str, Any]) -> dict[str, Any]:
    """The first type that is not null; that it may be null too is OpenAPI's `nullable`."""
    types = [name for name in out["type"] if name != "null"]
    rest = {**out, "type": types[0] if types else "null"}
    return {**rest, "nullable": True} if len(types) < len(out["type"]) else rest


def _without_unions(out: dict[str, Any]) -> dict[str, Any]:
    """A union of one shape and null is that shape, nullable. Of other unions the first shape, all
    that such a vendor can be told.
    """
    for key in _UNIONS:
        branches = out.get(key)
        if not isinstance(branches, list):
            continue
        shapes = [branch for branch in branches if branch != {"type": "null"}]
        rest = {name: value for name, value in out.items() if name != key}
        first = shapes[0] if shapes and isinstance(shapes[0], dict) else {}
        out = {**first, **rest, **({"nullable": True} if len(shapes) < len(branches) else {})}
    return out


def _without_root_unions(schema: dict[str, Any], resolved: Any) -> dict[str, Any]:
    """The root as one object: the properties of all branches, of which those are required that
    every branch requires (any branch, for allOf).
    """
    properties: dict[str, Any] = {}
    required = list(schema.get("required") or ())
    out = {key: value for key, value in schema.items() if key not in _UNIONS}
    for key in _UNIONS:
        branches = [
            (resolved(branch["$ref"]) or {}) if isinstance(branch.get("$ref"), str) else branch
            for branch in schema.get(key) or ()
            if isinstance(branch, dict)
        ]
        if not branches:
            continue
        for branch in branches:
            for name, of in (branch.get("properties") or {}).items():
                properties.setdefault(name, of)
        wanted = [set(branch.get("required") or ()) for branch in branches]
        common = set.union(*wanted) if key == "allOf" else set.intersection(*wanted)
        required += sorted(common - set(required))
    if len(out) == len(schema):
        return schema
    out["type"] = "object"
    out["properties"] = {**properties, **(schema.get("properties") or {})}
    if required:
        out["required"] = [name for name in required if name in out["properties"]]
    return out
