"""A client's tools and its choice among them to ours.

Tools may stand in the request, in an input item of their own (`additional_tools`, as Codex sends
them), among what a search for tools has found (`tool_search_output`), and under a namespace. Ours
have one flat set of names: a tool of a namespace keeps its name where no other tool has it, and
else is `<namespace>__<name>`. The same request gives the same names, so calls of earlier turns fit,
and the encoder gives the calls of the answer their namespace back.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from proxy.codec.json_body import fitted
from proxy.codec.shared_notes import ALLOWED_TOOLS
from proxy.dialects.openai_responses.wire_request import (
    Body,
    WireChoice,
    WireNamespace,
    WireTool,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ToolChoice, ToolSpec

ADDITIONAL = "additional_tools"
_WITH_TOOLS = (ADDITIONAL, "tool_search_output")
_CARRIED = ("function", "custom")
_KEYS = frozenset(WireTool.__struct_fields__)
_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
}
_SERVER = Note(
    "dropped",
    "tools",
    "The vendor's own tools are left out: only it can run them.",
)
_OPTIONS = Note(
    "dropped",
    "tools.options",
    "Of a tool its name, description, parameters, strictness and format are carried, no more.",
)
_NAMESPACE = Note(
    "changed",
    "tools.namespace",
    "Tools of a namespace are told to the upstream one by one; calls of them have it back.",
)
_DESCRIPTION = Note(
    "dropped", "tools.namespace", "The description of a namespace of tools is left out."
)
_CHOICE = Note(
    "dropped", "tool_choice", "A tool that the vendor itself runs cannot be chosen here."
)


class Named(NamedTuple):
    """A tool's place in the client's request."""

    namespace: str | None
    name: str


class Tools(NamedTuple):
    """`named`: our name of a tool to its place; `ours` is the inverse. Only those of namespaces."""

    specs: list[ToolSpec]
    named: Mapping[str, Named]
    ours: Mapping[Named, str]

    def name(self, namespace: str | None, name: str) -> str:
        """Our name of a tool that a call names."""
        return self.ours.get(Named(namespace, name), name)


def read_tools(body: Body, notes: list[Note]) -> Tools:
    """All tools of a request. Raises Refused for one that is none."""
    found = list(_all(body, notes))
    count = Counter(name for _, name in (place for place, _ in found))
    specs: dict[str, ToolSpec] = {}
    named: dict[str, Named] = {}
    for place, spec in found:
        ours = place.name
        if place.namespace is not None:
            ours = ours if count[ours] == 1 else f"{place.namespace}__{ours}"
            named[ours] = place
        schema = spec.parameters if isinstance(spec.parameters, dict) else None
        specs[ours] = ToolSpec(ours, spec.description, schema, spec.strict, _form(spec))
    return Tools(list(specs.values()), named, {place: ours for ours, place in named.items()})


def _all(body: Body, notes: list[Note]) -> Iterator[tuple[Named, WireTool]]:
    for at, tool in enumerate(body.tools or ()):
        yield from _read(tool, f"tools[{at}]", None, notes)
    for number, item in enumerate(body.input if isinstance(body.input, list) else ()):
        more = item.get("tools") if item.get("type") in _WITH_TOOLS else None
        for at, tool in enumerate(more if isinstance(more, list) else ()):
            if isinstance(tool, dict):
                yield from _read(tool, f"input[{number}].tools[{at}]", None, notes)


def _read(
    tool: dict[str, Any], at: str, namespace: str | None, notes: list[Note]
) -> Iterator[tuple[Named, WireTool]]:
    kind = tool.get("type")
    if kind == "namespace" and namespace is None:
        inner = fitted(tool, WireNamespace, at)
        notes.append(_NAMESPACE)
        if inner.description:
            notes.append(_DESCRIPTION)
        for number, each in enumerate(inner.tools):
            yield from _read(each, f"{at}.tools[{number}]", inner.name, notes)
    elif kind in _CARRIED:
        spec = fitted(tool, WireTool, at)
        if not spec.name:
            raise bad_request(f"{at}.name is required.", param=f"{at}.name")
        odd = spec.parameters is not None and not isinstance(spec.parameters, dict)
        if odd or any(key not in _KEYS and value is not None for key, value in tool.items()):
            notes.append(_OPTIONS)
        yield Named(namespace, spec.name), spec
    else:
        notes.append(_SERVER)


def _form(tool: WireTool) -> dict[str, Any] | None:
    """The format of free text: any text, unless it is said."""
    if tool.type != "custom":
        return None
    return {} if tool.format is None or tool.format == {"type": "text"} else tool.format


def read_choice(
    body: Body, tools: Tools, notes: list[Note]
) -> tuple[list[ToolSpec], ToolChoice | None]:
    """The tools that may be called, and which must be."""
    said, parallel = body.tool_choice, body.parallel_tool_calls
    if isinstance(said, WireChoice) and said.type in _CARRIED:
        if not said.name:
            raise bad_request(
                f"tool_choice.name is required with type {said.type}.", param="tool_choice.name"
            )
        return tools.specs, ToolChoice("tool", tools.name(said.namespace, said.name), parallel)
    if isinstance(said, WireChoice) and said.type == "allowed_tools":
        notes.append(ALLOWED_TOOLS)
        allowed = set(_allowed(said.tools or (), tools))
        specs = [tool for tool in tools.specs if tool.name in allowed]
        return specs, ToolChoice(_MODES.get(said.mode, "auto"), None, parallel)
    if isinstance(said, str) and said in _MODES:
        return tools.specs, ToolChoice(_MODES[said], None, parallel)
    if said is not None:
        notes.append(_CHOICE)
    return tools.specs, None if parallel is None else ToolChoice("auto", None, parallel)


def _allowed(said: Sequence[dict[str, Any]], tools: Tools) -> Iterator[str]:
    for tool in said:
        name, namespace = tool.get("name"), tool.get("namespace")
        if isinstance(name, str):
            yield tools.name(namespace if isinstance(namespace, str) else None, name)
