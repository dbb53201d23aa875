"""The native schema as JSON Schema and as TypeScript types, both generated from the structs.

`python -m proxy.dialects.native.schema --write` puts them into `proxy/web/`; without `--write` it
says whether they are current. `GET /v1/schema` serves the JSON.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from proxy.dialects.native.typescript import interfaces
from proxy.dialects.native.wire import Problem, StreamRequest, Whole
from proxy.events import SCHEMA_VERSION, Event

WEB = Path(__file__).resolve().parents[2] / "web"
JSON_FILE, TYPES_FILE = WEB / "schema.json", WEB / "mainstem.d.ts"

_EVENTS: tuple[type[msgspec.Struct], ...] = Event.__args__
_EVENT_NOTE = (
    "One frame of a stream. The last is a StreamEnd or a StreamError, always; nothing comes after "
    "it."
)


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. `$defs` has every shape; a document is a StreamRequest, a StreamEvent, a
    Whole answer or a Problem.
    """
    _, components = msgspec.json.schema_components(
        (StreamRequest, *_EVENTS, Whole, Problem), ref_template="#/$defs/{name}"
    )
    tags = {str(struct.__struct_config__.tag): _ref(struct.__name__) for struct in _EVENTS}
    event = {
        "title": "StreamEvent",
        "description": _EVENT_NOTE,
        "oneOf": [{"$ref": ref} for ref in tags.values()],
        "discriminator": {"propertyName": "type", "mapping": tags},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mainstem native schema",
        "description": "Requests to /v1/stream, the events of its answers, and its documents.",
        "version": SCHEMA_VERSION,
        "anyOf": [
            {"$ref": _ref(name)} for name in ("StreamRequest", "StreamEvent", "Whole", "Problem")
        ],
        "$defs": _sorted(
            {
                **{name: _described(shape) for name, shape in components.items()},
                "StreamEvent": event,
            }
        ),
    }


def _described(shape: dict[str, Any]) -> dict[str, Any]:
    """Descriptions are docstrings: one line a paragraph, whatever the width of the code."""
    paragraphs = shape["description"].split("\n\n")
    return {**shape, "description": "\n\n".join(" ".join(each.split()) for each in paragraphs)}


def typescript() -> str:
    """Declarations for TypeScript: an interface for every shape, and the union of events that
    `type` tells apart.
    """
    head = (
        f"// Mainstem native schema, version {SCHEMA_VERSION}. Generated from the code: do not "
        "edit.\n"
    )
    return head + interfaces(json_schema()["$defs"])


def written() -> dict[Path, str]:
    """The files, and what they must hold to be current."""
    schema = msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"
    return {JSON_FILE: schema, TYPES_FILE: typescript()}


def main(arguments: list[str]) -> int:
    """Write the files, or say which are not current."""
    stale = [
        path
        for path, text in written().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    if "--write" in arguments:
        for path in stale:
            path.write_text(written()[path], "utf-8")
        return 0
    for path in stale:
        sys.stderr.write(
            f"{path.name} is not current: run python -m proxy.dialects.native.schema --write\n"
        )
    return 1 if stale else 0


def _ref(name: str) -> str:
    return f"#/$defs/{name}"


def _sorted(components: Mapping[str, Any]) -> dict[str, Any]:
    return {name: components[name] for name in sorted(components)}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
