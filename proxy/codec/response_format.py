"""The form of the answer that a client asks for, in the form that ChatRequest has from the OpenAI
API, for upstreams that take a bare JSON Schema.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from proxy.codec.chat_turns import drop
from proxy.codec.json_schema import adapted
from proxy.codec.rules import SchemaFeature
from proxy.events import Note

# The name of a schema, for the vendors that insist on one, where the client has given none.
NO_NAME: Final = "answer"


# What the model is told of a form that its upstream cannot be asked for.
IN_WORDS: Final = "Answer with one JSON object, and nothing else."
SCHEMA_IN_WORDS: Final = (
    "Answer with one JSON object, and nothing else, that this JSON Schema admits: "
)


class JSONAnswer(NamedTuple):
    """JSON, by this schema; None: any."""

    schema: dict[str, Any] | None


def wanted_format(wanted: dict[str, Any] | None, notes: list[Note]) -> JSONAnswer | None:
    """The JSON that is wanted; None: text. Noted are forms that are neither, and what is said of a
    schema beside it.
    """
    kind = None if wanted is None else wanted.get("type")
    if wanted is None or kind in (None, "text"):
        return None
    if kind not in ("json_object", "json_schema"):
        said = "Only JSON, with or without a schema, can be asked for here."
        drop(notes, "response_format", said)
        return None
    named = wanted.get("json_schema")
    described = named if isinstance(named, dict) else {}
    schema = described.get("schema", named)
    named_so = described.get("name") not in (None, NO_NAME)
    beside = named_so or any(map(described.get, ("description", "strict")))
    if "schema" in described and beside:
        said = "Of a response format the schema is sent; its name and strictness are left out."
        drop(notes, "response_format.name", said)
    return JSONAnswer(schema if isinstance(schema, dict) else None)


def adapted_format(
    form: dict[str, Any], lacks: Collection[SchemaFeature], notes: list[Note]
) -> dict[str, Any]:
    """A response format whose schema has none of these features; the very same object where it had
    none.
    """
    match form:
        case {"json_schema": {"schema": dict(schema)} as named}:
            fitting = adapted(schema, lacks)
            if fitting is not schema:
                said = "The answer's JSON Schema was said in the words that the upstream takes."
                drop(notes, "response_format.json_schema", said, "changed")
                return {**form, "json_schema": {**named, "schema": fitting}}
    return form
