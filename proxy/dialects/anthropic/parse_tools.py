"""The tools of a client's Messages request, and which of them the model is to call."""

from typing import Any, Literal

import msgspec

from proxy.codec.json_body import fitted
from proxy.dialects.anthropic.parse_turns import Turns, cache_of
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ToolChoice, ToolSpec


class _Tool(msgspec.Struct):
    """One of the vendor's own has a type, and may have no name."""

    name: str = ""
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    type: str | None = None
    strict: bool | None = None
    cache_control: dict[str, Any] | None = None


class Choice(msgspec.Struct):
    """`tool_choice` of the request."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_TOOL = frozenset(_Tool.__struct_fields__)
_MODE: dict[str, Literal["auto", "required", "tool", "none"]] = {
    "auto": "auto",
    "any": "required",
    "tool": "tool",
    "none": "none",
}
_SERVER_TOOLS = Note(
    "dropped", "server_tools", "Tools that Anthropic runs itself cannot be asked for here."
)
_TOOL_KEYS = Note(
    "dropped", "tools", "Of a tool only its name, description, schema and strict are carried."
)


def parse_tools(said: list[dict[str, Any]], turns: Turns) -> list[ToolSpec]:
    """The client's own tools. Those that the vendor would run have a type of their own, and nobody
    else to run them.
    """
    specs: list[ToolSpec] = []
    for at, value in enumerate(said):
        tool = fitted(value, _Tool, f"tools[{at}]")
        if tool.type not in (None, "custom"):
            turns.note(_SERVER_TOOLS)
            continue
        if not tool.name:
            raise bad_request(f"tools[{at}].name is required.", param=f"tools[{at}].name")
        if not _TOOL.issuperset(value):
            turns.note(_TOOL_KEYS)
        cache = cache_of(tool.cache_control, turns)
        spec = ToolSpec(tool.name, tool.description, tool.input_schema, tool.strict, cache=cache)
        specs.append(spec)
    return specs


def parse_choice(choice: Choice | None, notes: list[Note]) -> ToolChoice | None:
    """Which tool is to be called, None where nothing is said of it. A way to choose that is not
    known becomes a note; the API's `tool` without a name is refused.
    """
    if choice is None:
        return None
    mode = _MODE.get(choice.type)
    if mode is None:
        said = "A way to choose a tool that is not known was left out."
        notes.append(Note("dropped", "tool_choice", said))
        return None
    if mode == "tool" and not choice.name:
        raise bad_request("tool_choice.name is required with type tool.", param="tool_choice.name")
    parallel = (
        None if choice.disable_parallel_tool_use is None else not choice.disable_parallel_tool_use
    )
    return ToolChoice(mode, choice.name, parallel)
