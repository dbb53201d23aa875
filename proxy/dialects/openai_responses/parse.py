"""A client's request to a `ChatRequest`.

Refused as the vendor does: wrong types. Refused as well is what would make the answer a wrong one:
to go on from an answer, a conversation or a prompt that is kept elsewhere, and to answer in the
background. All else that the API has and ours cannot carry is a note, and so is a key that we do
not know: the vendor's SDKs gain fields faster than we do.
"""

from typing import Any, Literal, NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, key_notes
from proxy.dialects.openai_responses.parse_turns import Turns
from proxy.dialects.openai_responses.wire_request import Body, WireChoice, WireFormat
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Effort, Message, Reasoning, ToolChoice, ToolSpec

_KNOWN = frozenset(Body.__struct_fields__)
_KEPT_ELSEWHERE = {
    "previous_response_id": "send the whole input, with the items of the earlier answer",
    "conversation": "send the whole input, with the items of the conversation",
    "prompt": "send the prompt itself as instructions and input",
}
# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "access_programs": (),
    "background_options": (),
    "context_management": (),
    "frequency_penalty": (0,),
    "image": (),
    "max_tool_calls": (),
    "moderation": (),
    "presence_penalty": (0,),
    "prompt_cache_key": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "safety_identifier": (),
    "service_tier": ("auto", "default"),
    "top_logprobs": (0,),
    "truncation": ("disabled",),
}
_ENCRYPTED = "reasoning.encrypted_content"  # comes without being asked for
_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
}
_MOST = ("xhigh", "max")
# The request's own settings, which the vendor repeats in every response, with the values that they
# have when nothing was said.
_REPEATED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


class Options(NamedTuple):
    """What only the encoder needs to know: the settings that go back in every response."""

    repeated: dict[str, Any]


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    value = json_object(incoming.body)
    _refuse_kept(value)
    body = fitted(value, Body)
    if not body.input:
        raise bad_request("input must be a text or a list of at least one item.", param="input")
    if body.background and not body.stream:
        raise bad_request(
            "background cannot be honoured without stream: there is nowhere to ask for the "
            "answer later.",
            param="background",
        )
    notes = _notes(value, body)
    leading, messages = (
        (None, [Message("user", body.input)])
        if isinstance(body.input, str)
        else Turns(notes).read(body.input)
    )
    tools, choice = _tools(body, notes)
    request = ChatRequest(
        model=body.model,
        messages=messages,
        system="\n\n".join(filter(None, (body.instructions, leading))) or None,
        max_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        tools=tools,
        tool_choice=choice,
        response_format=_response_format(body.text.format if body.text else None),
        reasoning=_reasoning(body, notes),
        user=body.user,
        metadata=body.metadata or {},
        stream=bool(body.stream),
    )
    repeated = {
        name: default if value.get(name) is None else value[name]
        for name, default in _REPEATED.items()
    }
    return Parsed(request, Options({**repeated, "store": False, "background": False}), tuple(notes))


def _refuse_kept(value: dict[str, Any]) -> None:
    for key, advice in _KEPT_ELSEWHERE.items():
        if value.get(key) is not None:
            raise bad_request(
                f"{key} cannot be honoured, as nothing is kept here: {advice}.", param=key
            )


def _notes(value: dict[str, Any], body: Body) -> list[Note]:
    notes = key_notes(value, {*_KNOWN, *_KEPT_ELSEWHERE}, _DROPPED)
    if body.store:
        notes.append(Note("dropped", "store", "No answer is kept here to be asked for later."))
    if body.background:
        notes.append(
            Note(
                "dropped",
                "background",
                "The answer ends with its stream: it cannot be asked for later.",
            )
        )
    if any(wanted != _ENCRYPTED for wanted in body.include or ()):
        notes.append(
            Note(
                "dropped",
                "include",
                "Of what may be included in an answer only encrypted reasoning can be asked for.",
            )
        )
    if body.text is not None and body.text.verbosity not in (None, "medium"):
        notes.append(
            Note(
                "dropped",
                "text.verbosity",
                "How many words to make cannot be said to other vendors.",
            )
        )
    if body.reasoning is not None and body.reasoning.summary in ("concise", "detailed"):
        notes.append(
            Note(
                "dropped",
                "reasoning.summary",
                "How reasoning is to be summarised cannot be said to other vendors.",
            )
        )
    return notes


def _tools(body: Body, notes: list[Note]) -> tuple[list[ToolSpec], ToolChoice | None]:
    tools: list[ToolSpec] = []
    for at, tool in enumerate(body.tools or ()):
        if tool.type != "function":
            notes.append(
                Note("dropped", "tools", "Tools that are no functions cannot be asked for here.")
            )
        elif not tool.name:
            raise bad_request(f"tools[{at}].name is required.", param=f"tools[{at}].name")
        else:
            tools.append(ToolSpec(tool.name, tool.description, tool.parameters, tool.strict))
    notes[:] = dict.fromkeys(notes)
    said, parallel = body.tool_choice, body.parallel_tool_calls
    if said is None:
        return tools, None if parallel is None else ToolChoice("auto", None, parallel)
    if isinstance(said, str):
        return tools, ToolChoice(_MODES[said], None, parallel)
    return _chosen(said, tools, parallel, notes)


def _chosen(
    said: WireChoice, tools: list[ToolSpec], parallel: bool | None, notes: list[Note]
) -> tuple[list[ToolSpec], ToolChoice | None]:
    if said.type == "function":
        if not said.name:
            raise bad_request(
                "tool_choice.name is required with type function.", param="tool_choice.name"
            )
        return tools, ToolChoice("tool", said.name, parallel)
    if said.type == "allowed_tools":
        allowed = {tool.name for tool in said.tools or ()}
        notes.append(
            Note("changed", "tool_choice", "Only the allowed tools are named to the upstream.")
        )
        return [tool for tool in tools if tool.name in allowed], ToolChoice(
            said.mode, None, parallel
        )
    notes.append(
        Note("dropped", "tool_choice", "A tool that is no function cannot be chosen here.")
    )
    return tools, None if parallel is None else ToolChoice("auto", None, parallel)


def _response_format(wanted: WireFormat | None) -> dict[str, Any] | None:
    """In the form that ChatRequest has from chat completions: a schema stands in an object of its
    own.
    """
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "json_object"}
    if wanted.schema is None:
        raise bad_request(
            "text.format.schema is required with type json_schema.", param="text.format.schema"
        )
    schema = {
        "name": wanted.name or "answer",
        "description": wanted.description,
        "schema": wanted.schema,
        "strict": wanted.strict,
    }
    return {
        "type": "json_schema",
        "json_schema": {name: value for name, value in schema.items() if value is not None},
    }


def _reasoning(body: Body, notes: list[Note]) -> Reasoning | None:
    said = body.reasoning.effort if body.reasoning else None
    if said is None:
        return None
    if said in _MOST:
        notes.append(
            Note(
                "changed",
                "reasoning.effort",
                f"Effort {said} is said as high, the most that can be said.",
            )
        )
        return Reasoning("high")
    effort: Effort = said
    return Reasoning(effort)
