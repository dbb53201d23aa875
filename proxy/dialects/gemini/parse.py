"""A client's request to a `ChatRequest`. Source: GenerateContentRequest of the API's reference.

The model and whether to stream stand in the path. Refused as the vendor does: wrong types, wrong
roles, no contents. What the API knows and ours cannot carry is a note, and so is a key that we do
not know: the vendor's SDKs gain fields faster than we do.
"""

from typing import Any, Literal, NamedTuple

import msgspec

from proxy.codec.base import Incoming, Parsed
from proxy.codec.chat_turns import drop
from proxy.codec.json_body import fitted, json_object
from proxy.codec.response_format import NO_NAME
from proxy.codec.roles import with_known_roles
from proxy.dialects.gemini import code_assist
from proxy.dialects.gemini.listed import listed
from proxy.dialects.gemini.numbers import with_plain_numbers
from proxy.dialects.gemini.parse_turns import ROLES, Turns
from proxy.dialects.gemini.schema import camel, json_schema
from proxy.dialects.gemini.wire import NAME
from proxy.dialects.gemini.wire_request import (
    Body,
    CallingConfig,
    Config,
    Declaration,
    ThinkingConfig,
    ToolConfig,
    WireContent,
    fields,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Effort, Original, Reasoning, ToolChoice, ToolSpec

# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "model": (),
    "safetySettings": ([],),
    "responseModalities": ([], ["TEXT"]),
    "speechConfig": (),
    "mediaResolution": (),
    "imageConfig": (),
    "audioTimestamp": (False,),
    "routingConfig": (),
    "modelConfig": (),
    "modelSelectionConfig": (),
    "enableAffectiveDialog": (False,),
    "enableEnhancedCivicAnswers": (False,),
}
_EFFORT: dict[str, Effort] = {
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
    "MAX": "max",
}
# Headers of Vertex AI that say how a request is to be served.
_OWN_HEADERS = "x-vertex-ai-llm-"
_MODE: dict[str, Literal["auto", "required", "none"]] = {
    "AUTO": "auto",
    "ANY": "required",
    "NONE": "none",
    "VALIDATED": "auto",
}
_CACHED = "it begins in Gemini's cache, which only Gemini knows: send the whole conversation"
_TIERS = {"standard": "default", "unspecified": None}
_UNSET = ("", "MODE_UNSPECIFIED", "THINKING_LEVEL_UNSPECIFIED")


class Options(NamedTuple):
    """What only the encoder needs to know: the form of the stream, whether to show thoughts, and
    whether the answer stands in Code Assist's wrapper.
    """

    sse: bool = True
    thoughts: bool = True
    wrapped: bool = False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    wrapped = code_assist.is_wrapped(incoming)
    if wrapped:
        incoming = code_assist.unwrapped(incoming)
    model = incoming.path.get("model", "").removeprefix("models/")
    if not model:
        raise bad_request(
            "The path must name the model: /v1beta/models/{model}:streamGenerateContent.",
            param="model",
        )
    written = with_known_roles(json_object(incoming.body), "contents", ROLES)
    value = with_plain_numbers(listed(camel(written)))
    body = fitted(value, Body)
    notes: list[Note] = []
    _note_unknown(value, notes)
    config = body.generation_config or Config()
    turns = Turns(notes)
    contents = body.contents if isinstance(body.contents, list) else [body.contents]
    messages = turns.messages(contents)
    if body.cached_content:
        turns.keep("cachedContent", _CACHED)
    if not messages and turns.only_relayed is None:
        raise bad_request("contents must hold a turn that is not empty.", param="contents")
    tools = _tools(body.tools or [], notes)
    choice, tools = _choice(body.tool_config, tools, notes)
    thinking = config.thinking_config or ThinkingConfig()
    request = ChatRequest(
        model=model,
        messages=messages,
        original=Original(NAME, written, _own_headers(incoming)),
        only_relayed=turns.only_relayed,
        system=turns.system(body.system_instruction),
        max_tokens=config.max_output_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        stop=config.stop_sequences or [],
        seed=config.seed,
        top_k=None if config.top_k is None else int(config.top_k),
        presence_penalty=config.presence_penalty or None,
        frequency_penalty=config.frequency_penalty or None,
        logprobs=config.response_logprobs,
        top_logprobs=config.logprobs,
        service_tier=_tier(body.service_tier),
        store=body.store,
        tools=tools,
        tool_choice=choice,
        response_format=_response_format(config, notes),
        reasoning=_reasoning(thinking, notes),
        metadata=dict(body.labels or {}),
        stream=incoming.path.get("method", "streamGenerateContent") == "streamGenerateContent",
        n=config.candidate_count,
    )
    return Parsed(
        request,
        Options(
            incoming.query.get("alt") == "sse", thinking.include_thoughts is not False, wrapped
        ),
        tuple(notes),
    )


def _tier(said: str | None) -> str | None:
    """In the words that others have for a tier; the SDKs' enumerations write it at length."""
    word = (said or "").lower().removeprefix("service_tier_")
    return _TIERS.get(word, word or None)


def _own_headers(incoming: Incoming) -> dict[str, str]:
    return {name: said for name, said in incoming.headers.items() if name.startswith(_OWN_HEADERS)}


def _note_unknown(value: dict[str, Any], notes: list[Note]) -> None:
    """What is said beside all that is known, in the request and in its parts."""
    _note_keys(value, fields(Body), notes)
    _note_inner(value, "generationConfig", Config, notes)
    _note_inner(value, "toolConfig", ToolConfig, notes)
    _note_inner(value.get("generationConfig") or {}, "thinkingConfig", ThinkingConfig, notes)
    _note_inner(value.get("toolConfig") or {}, "functionCallingConfig", CallingConfig, notes)
    _note_contents(value["contents"], notes)


def _note_inner(
    owner: dict[str, Any], name: str, known: type[msgspec.Struct], notes: list[Note]
) -> None:
    if isinstance(owner.get(name), dict):
        _note_keys(owner[name], fields(known), notes)


def _note_contents(contents: Any, notes: list[Note]) -> None:
    """What is said of a turn beside its parts and its role."""
    for content in contents if isinstance(contents, list) else [contents]:
        _note_keys(content, fields(WireContent), notes)


def _note_keys(value: dict[str, Any], known: frozenset[str], notes: list[Note]) -> None:
    for key, said in value.items():
        if said is None or key in known:
            continue
        if key not in _DROPPED:
            drop(notes, "unknown_key", "A key of the request that is not known was left out.")
        elif said not in _DROPPED[key] and key != "model":
            drop(notes, key, f"{key} has no place in the requests of other vendors.")


def _tools(tools: list[dict[str, Any]], notes: list[Note]) -> list[ToolSpec]:
    """The functions. Tools that the vendor would run have nobody else to run them."""
    specs: list[ToolSpec] = []
    for at, tool in enumerate(tools):
        declared = [] if tool.get("functionDeclarations") is None else tool["functionDeclarations"]
        if any(value is not None for key, value in tool.items() if key != "functionDeclarations"):
            drop(notes, "server_tools", "Tools that Gemini runs itself cannot be asked for here.")
        if not isinstance(declared, list):
            raise bad_request(
                f"tools[{at}].functionDeclarations must be a list.",
                param=f"tools[{at}].functionDeclarations",
            )
        for number, function in enumerate(declared):
            spec = fitted(function, Declaration, f"tools[{at}].functionDeclarations[{number}]")
            if any(function[key] is not None for key in function.keys() - fields(Declaration)):
                said = "Of a function its name, description and parameters are sent."
                drop(notes, "tools.function", said)
            parameters = spec.parameters_json_schema
            if parameters is None:
                parameters = json_schema(spec.parameters)
            elif not isinstance(parameters, dict):
                drop(notes, "tools.parameters", "A schema that is no object was left out.")
                parameters = None
            specs.append(ToolSpec(spec.name, spec.description, parameters))
    return specs


def _choice(
    config: ToolConfig | None, tools: list[ToolSpec], notes: list[Note]
) -> tuple[ToolChoice | None, list[ToolSpec]]:
    """The choice, and the tools that are left to choose from."""
    calling = config.function_calling_config if config else None
    if calling is None or (calling.mode or "") in _UNSET:
        return None, tools
    said = (calling.mode or "").upper()
    if said not in _MODE:
        drop(notes, "toolConfig", "A mode of calling that is not known here was left out.")
        return None, tools
    if said == "VALIDATED":
        drop(
            notes,
            "toolConfig",
            "Calls that are held to their schema are asked for as calls like any.",
            "changed",
        )
    allowed = calling.allowed_function_names or []
    if said == "ANY" and len(allowed) == 1:
        return ToolChoice("tool", allowed[0]), tools
    if allowed and said != "NONE":
        drop(
            notes, "toolConfig", "Only the allowed functions are named to the upstream.", "changed"
        )
        names = set(allowed)
        tools = [tool for tool in tools if tool.name in names]
    return ToolChoice(_MODE[said]), tools


def _reasoning(thinking: ThinkingConfig, notes: list[Note]) -> Reasoning | None:
    """A budget stays a budget, a level an effort. By -1, or by asking only to see it, thinking is
    left to the model.
    """
    summary = "auto" if thinking.include_thoughts else None
    level, budget = (thinking.thinking_level or "").upper(), thinking.thinking_budget
    if level not in _UNSET and level not in _EFFORT:
        drop(notes, "thinkingConfig", "A level of thinking that is not known here was left out.")
    elif level not in _UNSET:
        return Reasoning(_EFFORT[level], summary=summary)
    if budget == 0:
        return Reasoning("none")
    if budget is not None and budget > 0:
        return Reasoning(None, budget, summary=summary)
    if budget is None and not thinking.include_thoughts:
        return None
    said = "How much to think is left to the model: an upstream may have no word for that."
    drop(notes, "thinkingConfig", said, "changed")
    return Reasoning(adaptive=True, summary=summary)


def _response_format(config: Config, notes: list[Note]) -> dict[str, Any] | None:
    """In the form that ChatRequest has from the OpenAI API."""
    schema = (
        config.response_json_schema
        if config.response_json_schema is not None
        else json_schema(config.response_schema)
    )
    if config.response_mime_type == "application/json":
        if schema is None:
            return {"type": "json_object"}
        return {
            "type": "json_schema",
            "json_schema": {"name": NO_NAME, "schema": schema, "strict": True},
        }
    if schema is not None:
        said = "A schema for the answer holds only where responseMimeType is application/json."
        drop(notes, "responseSchema", said)
    if config.response_mime_type not in (None, "", "text/plain"):
        drop(notes, "responseMimeType", "Answers are asked for as text or JSON.")
    return None
