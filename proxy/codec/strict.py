"""Where a vendor is to hold its model to a schema: each does so with schemas of one kind alone, and
refuses the request for another.

OpenAI ("Structured Outputs": "Supported schemas") wants closed objects, each of whose properties is
required. Anthropic ("Structured outputs": "JSON Schema limitations", "Schema complexity limits"),
and Bedrock after it, want closed objects and few properties that are optional or of several types.
"""

from typing import Any

from msgspec.structs import replace

from proxy.codec.chat_turns import drop
from proxy.codec.json_schema import CLOSED, adapted, parts_of
from proxy.codec.rules import Names, Rules, SchemaFeature
from proxy.events import Note
from proxy.request import ToolSpec

_UNKNOWN_TO_OPENAI = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "patternProperties", "dependentSchemas"}
)
NOT_HELD = ("tools.strict", "This model cannot be held to a schema.")  # for a note
_CLOSED: tuple[SchemaFeature, ...] = ("open_objects",)
_NAME = Names(chars="a-zA-Z0-9_-", most=64)  # of a response format; it says nothing
_MOST_TOOLS, _MOST_OPTIONAL, _MOST_UNIONS = 20, 24, 16


def openai_schema(schema: Any) -> dict[str, Any] | None:
    """A schema to which OpenAI holds its models; None where it takes no such schema."""
    if not isinstance(schema, dict) or "anyOf" in schema:
        return None
    if not all(map(_openai_holds_to, parts_of(schema))):
        return None
    return adapted(schema, _CLOSED)


def openai_format(form: dict[str, Any], notes: list[Note]) -> dict[str, Any]:
    """A response format under a name that is taken, and strict only where its schema lets it be;
    the very same object where there is nothing to change.
    """
    match form:
        case {"json_schema": {"name": str(name)} as named} if not _NAME.fit(name):
            form = {**form, "json_schema": {**named, "name": _NAME.fitted(name)}}
    match form:
        case {"json_schema": {"strict": True, "schema": dict(schema)} as named}:
            held = openai_schema(schema)
            if held is schema:
                return form
            if held is not None:
                return {**form, "json_schema": {**named, "schema": held}}
            said = "To a schema of this kind nobody is held strictly here: it is sent as a wish."
            drop(notes, "response_format.strict", said, "changed")
            return {**form, "json_schema": {**named, "strict": False}}
    return form


def openai_tool(tool: ToolSpec, notes: list[Note]) -> ToolSpec:
    """A tool, which is strict only where its schema lets it be."""
    if not tool.strict or tool.parameters is None:
        return tool
    held = openai_schema(tool.parameters)
    if held is None:
        said = "To parameters of this kind nobody is held strictly here."
        drop(notes, "tools.strict", said, "changed")
        return replace(tool, strict=False)
    return replace(tool, parameters=held)


def claude_tools(tools: list[ToolSpec], rules: Rules, notes: list[Note]) -> list[ToolSpec]:
    """Tools, of which the first are strict, as far as the vendor goes, if the model knows that."""
    if not any(tool.strict is not None for tool in tools):
        return tools
    if not rules.holds_to_schemas:
        if any(tool.strict for tool in tools):
            drop(notes, *NOT_HELD)
        return [replace(tool, strict=None) for tool in tools]
    left = [_MOST_TOOLS, _MOST_OPTIONAL, _MOST_UNIONS]
    return [_held(tool, left, notes) if tool.strict else tool for tool in tools]


def _held(tool: ToolSpec, left: list[int], notes: list[Note]) -> ToolSpec:
    """`left` counts down what the vendor takes of strict tools in one request."""
    schema = adapted(tool.parameters or {}, CLOSED)
    optional = sum(_optional(part) for part in parts_of(schema))
    unions = sum(_is_union(part) for part in parts_of(schema))
    after = [many - one for many, one in zip(left, (1, optional, unions), strict=True)]
    if min(after) < 0:
        said = "Claude is held to the schemas of so many tools and no more; the rest are a wish."
        drop(notes, "tools.strict", said, "changed")
        return replace(tool, strict=None)
    left[:] = after
    return replace(tool, parameters=schema) if tool.parameters is not None else tool


def _openai_holds_to(part: dict[str, Any]) -> bool:
    if not _UNKNOWN_TO_OPENAI.isdisjoint(part):
        return False
    if part.get("type") != "object" and "properties" not in part:
        return True
    named = part.get("properties")
    if not isinstance(named, dict) or part.get("additionalProperties", False) is not False:
        return False  # an object of any keys
    return named.keys() == set(part.get("required") or ())


def _optional(part: dict[str, Any]) -> int:
    named = part.get("properties")
    return len(named.keys() - set(part.get("required") or ())) if isinstance(named, dict) else 0


def _is_union(part: dict[str, Any]) -> bool:
    return "anyOf" in part or isinstance(part.get("type"), list)
