"""JSON Schema in the part of the language that a target takes."""

from typing import Any

import pytest

from proxy.codec.json_schema import adapted
from proxy.codec.rules import SchemaFeature

TEXT = {"type": "string"}
TREE = {
    "type": "object",
    "properties": {"left": {"$ref": "#/$defs/tree"}, "name": TEXT},
    "$defs": {"tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/tree"}}}},
}


def test_a_schema_without_what_is_lacking_is_the_same_object() -> None:
    schema = {"type": "object", "properties": {"a": TEXT}}
    assert schema is adapted(schema, ("root_any_of", "ref", "const", "any_of", "type_list"))


@pytest.mark.parametrize(
    ("lacks", "schema", "expected"),
    [
        ("const", {"const": 1}, {"enum": [1]}),
        ("additional_properties", {"type": "object", "additionalProperties": False}, None),
        ("format", {"type": "string", "format": "date"}, {"type": "string"}),
        ("type_list", {"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ("any_of", {"anyOf": [TEXT, {"type": "null"}]}, {**TEXT, "nullable": True}),
        ("any_of", {"anyOf": [TEXT, {"type": "number"}]}, TEXT),
        ("bounds", {**TEXT, "maxLength": 3}, {**TEXT, "description": "(maxLength: 3)"}),
        (
            "bounds",
            {**TEXT, "description": "A name.", "minLength": 1, "maxLength": 3},
            {**TEXT, "description": "A name. (minLength: 1, maxLength: 3)"},
        ),
    ],
)
def test_a_part_is_said_otherwise(
    lacks: SchemaFeature, schema: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    """At any depth, also within a list."""
    expected = {"type": "object"} if expected is None else expected
    inner = {"type": "object", "properties": {"a": {"type": "array", "items": schema}}}
    assert {
        "type": "object",
        "properties": {"a": {"type": "array", "items": expected}},
    } == adapted(inner, (lacks,))


def test_a_property_may_have_any_name() -> None:
    """`const` as the name of a property is no keyword."""
    schema = {"type": "object", "properties": {"const": TEXT, "format": TEXT, "$ref": TEXT}}
    assert schema is adapted(schema, ("const", "format", "ref"))


def test_a_union_at_the_root_is_one_object() -> None:
    """All that a branch knows may be given; what every branch wants must be."""
    schema = {
        "anyOf": [
            {"type": "object", "properties": {"a": TEXT, "c": TEXT}, "required": ["a", "c"]},
            {"type": "object", "properties": {"b": TEXT, "c": TEXT}, "required": ["b", "c"]},
        ]
    }
    assert {
        "type": "object",
        "properties": {"a": TEXT, "c": TEXT, "b": TEXT},
        "required": ["c"],
    } == adapted(schema, ("root_any_of",))


def test_references_are_written_out_and_a_shape_within_itself_ends() -> None:
    found = adapted(TREE, ("ref",))
    assert {
        "type": "object",
        "properties": {
            "left": {"type": "object", "properties": {"next": {}}},
            "name": TEXT,
        },
    } == found


def test_references_that_would_fill_the_memory_do_not() -> None:
    """Each name stands for two of the next: 2**60 parts, were they all made."""
    defs = {
        f"a{n}": {"properties": {key: {"$ref": f"#/$defs/a{n + 1}"} for key in "xy"}}
        for n in range(60)
    }
    found = adapted({"$ref": "#/$defs/a0", "$defs": defs}, ("ref",))
    assert len(str(found)) < 4_000_000
