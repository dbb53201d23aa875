"""The published schema: current, true of what is sent and taken, and used by the types."""

import json
import re

import pytest

from proxy.dialects.native import schema
from tests.dialects.native.test_encode import EVENTS


def test_the_written_files_are_current() -> None:
    """`python -m proxy.dialects.native.schema --write` was run after the last change."""
    for path, text in schema.written().items():
        assert path.is_file(), (
            f"{path.name} is missing: run python -m proxy.dialects.native.schema --write"
        )
        assert text == path.read_text("utf-8")


def test_every_reference_leads_somewhere() -> None:
    """The JSON Schema is whole."""
    document = schema.json_schema()
    references = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(document)))
    assert references <= set(document["$defs"])
    assert {"StreamRequest", "StreamEvent", "Whole", "Problem"} <= references


def test_every_event_is_in_it_by_its_type() -> None:
    """The discriminator knows each event that an answer can hold, with the fields that it has."""
    definitions = schema.json_schema()["$defs"]
    mapping = definitions["StreamEvent"]["discriminator"]["mapping"]
    for event in EVENTS:
        shape = definitions[mapping[event.__struct_config__.tag].rpartition("/")[2]]
        assert set(event.__struct_fields__) | {"type"} == set(shape["properties"])
    assert 13 == len(mapping)


def test_unknown_keys_of_a_request_are_refused_in_the_schema_too() -> None:
    """What the parser refuses, a validator refuses."""
    assert schema.json_schema()["$defs"]["StreamRequest"]["additionalProperties"] is False


def test_types_cover_the_schema() -> None:
    """One declaration for each shape, and only names that are declared."""
    text = schema.typescript()
    declared = set(re.findall(r"^export (?:interface|type) (\w+)", text, re.MULTILINE))
    assert set(schema.json_schema()["$defs"]) == declared
    code = re.sub(r'/\*.*?\*/|^//.*?$|"[^"]*"', "", text, flags=re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"\b[A-Z]\w+\b", code)) - {"Record"} <= declared
    assert "  url: string | null;" in text
    assert "  max_tokens?: number | null;" in text


def test_the_command_says_what_is_not_current(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --write it fails and names the file; with it, it mends."""
    assert 0 == schema.main([])
    monkeypatch.setattr(schema, "JSON_FILE", tmp_path / "schema.json")  # type: ignore[operator]
    assert 1 == schema.main([])
    assert "schema.json is not current" in capsys.readouterr().err
    assert 0 == schema.main(["--write"])
    assert 0 == schema.main([])
