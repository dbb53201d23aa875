"""A client's request to a `ChatRequest`. Source: GenerateContentRequest of the API's reference.

The model and whether to stream stand in the path. Refused as the vendor does: wrong types, wrong
roles, no contents. What the API knows and ours cannot carry is a note, and so is a key that we do
not know: the vendor's SDKs gain fields faster than we do.
"""

from typing import Any, Literal, NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.chat_turns import drop
from proxy.codec.json_body import fitted, json_object
from proxy.dialects.gemini.parse_turns import Turns
from proxy.dialects.gemini.schema import camel, json_schema
from proxy.dialects.gemini.wire_request import (
    Body,
    Config,
    Declaration,
    ThinkingConfig,
    ToolConfig,
    fields,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Effort, Reasoning, ToolChoice, ToolSpec

# What the API has and a ChatRequest has not -> values that ask for nothing.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "model": (),
    "safetySettings": ([],),
    "cachedContent": ("",),
    "serviceTier": ("standard", "SERVICE_TIER_UNSPECIFIED"),
    "store": (False,),
    "topK": (),
    "presencePenalty": (0,),
    "frequencyPenalty": (0,),
    "responseLogprobs": (False,),
    "logprobs": (),
    "responseModalities": (["TEXT"], []),
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
    "XHIGH": "high",
}
_MODE: dict[str, Literal["auto", "required", "none"]] = {
    "AUTO": "auto",
    "ANY": "required",
    "NONE": "none",
    "VALIDATED": "auto",
}
_UNSET = ("", "MODE_UNSPECIFIED", "THINKING_LEVEL_UNSPECIFIED")


class Options(NamedTuple):
    """What only the encoder needs to know: the form of the stream, and whether to show thoughts."""

    sse: bool = True
    thoughts: bool = True


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    model = incoming.path.get("model", "").removeprefix("models/")
    if not model:
        raise bad_request(
            "The path must name the model: /v1beta/models/{model}:streamGenerateContent.",
            param="model",
        )
    value = camel(json_object(incoming.body))
    body = fitted(value, Body)
    notes: list[Note] = []
    _note_keys(value, fields(Body), notes)
    config = body.generation_config or Config()
    if isinstance(value.get("generationConfig"), dict):
        _note_keys(value["generationConfig"], fields(Config), notes)
    turns = Turns(notes)
    messages = turns.messages(body.contents if isinstance(body.contents, list) else [body.contents])
    if not messages:
        raise bad_request("contents must hold a turn that is not empty.", param="contents")
    tools = _tools(body.tools or [], notes)
    choice, tools = _choice(body.tool_config, tools, notes)
    thinking = config.thinking_config or ThinkingConfig()
    request = ChatRequest(
        model=model,
        messages=messages,
        system=turns.system(body.system_instruction),
        max_tokens=config.max_output_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        stop=config.stop_sequences or [],
        seed=config.seed,
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
        Options(incoming.query.get("alt") == "sse", thinking.include_thoughts is not False),
        tuple(notes),
    )


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
            parameters = (
                spec.parameters_json_schema
                if spec.parameters_json_schema is not None
                else json_schema(spec.parameters)
            )
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
        at = "toolConfig.functionCallingConfig.mode"
        raise bad_request(f"{at} must be one of {', '.join(_MODE)}.", param=at)
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
    """A budget stays a budget, a level an effort. Thinking left to the model, by -1 or by asking
    only to see it, is nearest to medium.
    """
    level = (thinking.thinking_level or "").upper()
    if level not in _UNSET:
        if level not in _EFFORT:
            at = "generationConfig.thinkingConfig.thinkingLevel"
            raise bad_request(f"{at} must be one of {', '.join(_EFFORT)}.", param=at)
        if level == "XHIGH":
            drop(
                notes,
                "thinkingConfig",
                "Level XHIGH is said as high, the most that can be said.",
                "changed",
            )
        return Reasoning(_EFFORT[level])
    budget = thinking.thinking_budget
    if budget == 0:
        return Reasoning("none")
    if budget is not None and budget > 0:
        return Reasoning(None, budget)
    if budget is None and not thinking.include_thoughts:
        return None
    drop(
        notes,
        "thinkingConfig",
        "Thinking that is left to the model is said as reasoning of medium effort.",
        "changed",
    )
    return Reasoning("medium")


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
            "json_schema": {"name": "answer", "schema": schema, "strict": True},
        }
    if config.response_mime_type not in (None, "", "text/plain"):
        drop(notes, "responseMimeType", "Answers are asked for as text or JSON.")
    return None
