"""A `ChatRequest` to a GenerateContentRequest. Source: "Generating content" of the API's reference,
and Vertex AI's. The upstream's options: see `target`.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, options_of, with_vendor
from proxy.codec.response_format import wanted_format
from proxy.codec.shared_notes import NO_TOOLS
from proxy.codec.single_prompt import cannot_say
from proxy.codec.wire_rules import keep_to
from proxy.dialects.gemini.build_turns import TurnBuilder
from proxy.dialects.gemini.schema import both_spellings
from proxy.dialects.gemini.target import Options, headers, path
from proxy.dialects.gemini.thinking import thinking_config
from proxy.dialects.gemini.wire import NAME
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

_MODE = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
_SAID = (
    *("max_tokens", "temperature", "top_p", "top_k", "stop", "seed", "n"),
    *("frequency_penalty", "presence_penalty", "logprobs", "top_logprobs"),
    *("tools", "tool_choice", "response_format", "reasoning", "reasoning.summary"),
)
_TIERS = {"default": "standard", "auto": None}


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. The answer is always asked for as a stream."""
    options = options_of(target, Options)
    model = (target.model or request.model).removeprefix("models/")
    where = path(model, options)
    on_vertex = options.vertex is not None
    notes = cannot_say(
        request, (*_SAID, "metadata") if on_vertex else (*_SAID, "service_tier", "store")
    )
    turns = TurnBuilder(notes, target.rules, ids=not on_vertex)
    contents = turns.built(request)
    if not contents:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    body: dict[str, Any] = {"contents": contents}
    if turns.system:
        body["systemInstruction"] = {"parts": [{"text": turns.system}]}
    shown = options.include_thoughts
    thinking = thinking_config(request.reasoning, target.rules, notes, include_thoughts=shown)
    if request.tools and request.response_format and target.rules.json_with_tools is False:
        said = "This model takes no form of the answer together with tools."
        drop(notes, "response_format", said)
        request = replace(request, response_format=None)
    own = dict(request.own.get(NAME, {}))
    rules = both_spellings(target.rules)
    if config := {**_generation(request, thinking, notes), **own.pop("generationConfig", {})}:
        keep_to(rules, config, notes, target.upstream)
        body["generationConfig"] = config
    if request.tools:
        declared = [_declaration(tool, notes) for tool in request.tools]
        body["tools"] = [{"functionDeclarations": declared}]
    if calling := _calling(request, options, notes):
        body["toolConfig"] = {"functionCallingConfig": calling}
    body |= own
    body |= _labels(request, notes) if on_vertex else _standing(request)
    body = with_vendor(body, request.vendor, "generationConfig")
    if options.safety_settings:
        body.pop("safety_settings", None)
        body["safetySettings"] = options.safety_settings
    keep_to(rules, body, notes, target.upstream)
    return Outgoing(
        where, msgspec.json.encode(body), headers(target.api_key, options), tuple(notes)
    )


def _labels(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Vertex AI's place for metadata, which holds text alone."""
    labels = {name: value for name, value in request.metadata.items() if isinstance(value, str)}
    if len(labels) < len(request.metadata):
        drop(notes, "metadata", "Labels hold text: what else metadata holds is left out.")
    return {"labels": labels} if labels else {}


def _standing(request: ChatRequest) -> dict[str, Any]:
    """What the Gemini API alone knows."""
    tier = request.service_tier
    said = {
        "serviceTier": None if tier is None else _TIERS.get(tier.lower(), tier),
        "store": request.store,
    }
    return {name: value for name, value in said.items() if value is not None}


def _generation(
    request: ChatRequest, thinking: dict[str, Any] | None, notes: list[Note]
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "maxOutputTokens": request.max_tokens,
        "stopSequences": request.stop or None,
        "seed": request.seed,
        "candidateCount": request.n,
        "presencePenalty": request.presence_penalty,
        "frequencyPenalty": request.frequency_penalty,
        "responseLogprobs": request.logprobs,
        "logprobs": request.top_logprobs,
        "thinkingConfig": thinking,
    }
    wanted = wanted_format(request.response_format, notes)
    if wanted is not None:
        said |= {"responseMimeType": "application/json", "responseJsonSchema": wanted.schema}
    return {name: value for name, value in said.items() if value is not None}


def _declaration(tool: ToolSpec, notes: list[Note]) -> dict[str, Any]:
    if tool.strict:
        drop(notes, "tools.strict", "Gemini cannot be held to a tool's schema.")
    said = {
        "name": tool.name,
        "description": tool.description,
        "parametersJsonSchema": tool.parameters,
    }
    return {name: value for name, value in said.items() if value is not None}


def _calling(request: ChatRequest, options: Options, notes: list[Note]) -> dict[str, Any]:
    choice = request.tool_choice or ToolChoice()
    if not request.tools:
        if choice.mode in ("required", "tool"):
            notes.append(NO_TOOLS)
        return {}
    if choice.parallel is False:
        drop(notes, "tool_choice.parallel", "Gemini cannot be held to one tool call at a time.")
    calling: dict[str, Any] = {} if request.tool_choice is None else {"mode": _MODE[choice.mode]}
    if choice.mode == "tool":
        calling["allowedFunctionNames"] = [choice.name]
    if options.stream_arguments:
        calling["streamFunctionCallArguments"] = True
    return calling
