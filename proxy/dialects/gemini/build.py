"""A `ChatRequest` to a GenerateContentRequest. Source: "Generating content" of the API's reference,
and Vertex AI's.

The model stands in the path, behind a base URL without one:
`https://generativelanguage.googleapis.com`, or Vertex AI's
`https://<location>-aiplatform.googleapis.com` (`https://aiplatform.googleapis.com` for the location
`global`).

The upstream's options, all with defaults:

    form               `sse`, or `array`: one JSON array, for servers in between that know no events
    version            of the API, in the path: `v1beta`, with Vertex AI `v1`
    vertex             {project, location, publisher: google}: the request goes to Vertex AI, and
                       the key as a Bearer token
    include_thoughts   false: where reasoning is asked for, its summary is not
    stream_arguments   true: Vertex AI sends the arguments of a call as they are written, where the
                       model can
    safety_settings    sent as they are, a list of {category, threshold}
"""

import re
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from proxy.codec.base import JSON, Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, options_of, with_vendor
from proxy.dialects.gemini.build_turns import TurnBuilder
from proxy.dialects.gemini.thinking import how, thinking_config, wants_signatures
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

_SEGMENT = re.compile(r"[A-Za-z0-9_@:+~ .-]+")
_MODE = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
_MAX_STOPS = 5


class _Vertex(msgspec.Struct, forbid_unknown_fields=True):
    project: str
    location: str
    publisher: str = "google"


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    form: Literal["sse", "array"] = "sse"
    version: str | None = None
    vertex: _Vertex | None = None
    include_thoughts: bool = True
    stream_arguments: bool = False
    safety_settings: list[dict[str, Any]] = []


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. The answer is always asked for as a stream."""
    options = options_of(target, _Options)
    model = (target.model or request.model).removeprefix("models/")
    path = _path(model, options)
    notes: list[Note] = []
    turns = TurnBuilder(notes, ids=options.vertex is None, signed=wants_signatures(model))
    contents = turns.built(request)
    if not contents:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    body: dict[str, Any] = {"contents": contents}
    if turns.system:
        body["systemInstruction"] = {"parts": [{"text": turns.system}]}
    thinking = thinking_config(
        request, how(model, target.rules.thinking), notes, include_thoughts=options.include_thoughts
    )
    if config := _generation(request, thinking, notes):
        body["generationConfig"] = config
    if request.tools:
        body["tools"] = [
            {"functionDeclarations": [_declaration(tool, notes) for tool in request.tools]}
        ]
    if calling := _calling(request, options, notes):
        body["toolConfig"] = {"functionCallingConfig": calling}
    if options.safety_settings:
        body["safetySettings"] = options.safety_settings
    for name, value in (("user", request.user), ("metadata", request.metadata)):
        if value:
            drop(notes, name, f"Gemini has no place for {name}.")
    body = with_vendor(body, request.vendor, "generationConfig")
    return Outgoing(path, msgspec.json.encode(body), _headers(target, options), tuple(notes))


def _path(model: str, options: _Options) -> str:
    method = ":streamGenerateContent" + ("?alt=sse" if options.form == "sse" else "")
    name = _quoted(model, "model")
    if options.vertex is None:
        full = name if model.startswith("tunedModels/") else f"models/{name}"
        return f"/{options.version or 'v1beta'}/{full}{method}"
    project, location = (
        _quoted(text, "vertex") for text in (options.vertex.project, options.vertex.location)
    )
    publisher = _quoted(options.vertex.publisher, "vertex")
    place = f"projects/{project}/locations/{location}/publishers/{publisher}"
    return f"/{options.version or 'v1'}/{place}/models/{name}{method}"


def _quoted(name: str, param: str) -> str:
    """A name, perhaps of several segments, as a part of the path. Raises Refused for one that could
    lead elsewhere.
    """
    segments = name.split("/")
    if not all(_SEGMENT.fullmatch(segment) and segment.strip(".") for segment in segments):
        said = (
            "may have only letters, digits, blanks and . _ @ : + ~ - in it for this upstream, "
            "with single slashes between"
        )
        raise bad_request(f"{param} {said}.", param=param)
    return "/".join(quote(segment, safe="") for segment in segments)


def _headers(target: TargetConfig, options: _Options) -> dict[str, str]:
    headers = {
        "content-type": JSON,
        "accept": "text/event-stream" if options.form == "sse" else JSON,
    }
    if target.api_key is not None:
        if options.vertex is None:
            headers["x-goog-api-key"] = target.api_key
        else:
            headers["authorization"] = f"Bearer {target.api_key}"
    return headers


def _generation(
    request: ChatRequest, thinking: dict[str, Any] | None, notes: list[Note]
) -> dict[str, Any]:
    stop = request.stop
    if len(stop) > _MAX_STOPS:
        drop(
            notes,
            "stop",
            f"Gemini takes {_MAX_STOPS} stop sequences; the first of them were sent.",
            "changed",
        )
    said: dict[str, Any] = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "maxOutputTokens": request.max_tokens,
        "stopSequences": stop[:_MAX_STOPS] or None,
        "seed": request.seed,
        "candidateCount": request.n,
        "thinkingConfig": thinking,
        **_format(request.response_format, notes),
    }
    return {name: value for name, value in said.items() if value is not None}


def _format(wanted: dict[str, Any] | None, notes: list[Note]) -> dict[str, Any]:
    kind = None if wanted is None else wanted.get("type")
    if wanted is None or kind in (None, "text"):
        return {}
    if kind not in ("json_object", "json_schema"):
        drop(notes, "response_format", "Gemini knows text, JSON, and JSON by a schema.")
        return {}
    described = wanted.get("json_schema")
    schema = described.get("schema") if isinstance(described, dict) else None
    return {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema if kind == "json_schema" else None,
    }


def _declaration(tool: ToolSpec, notes: list[Note]) -> dict[str, Any]:
    if tool.strict:
        drop(notes, "tools.strict", "Gemini cannot be held to a tool's schema.")
    said = {
        "name": tool.name,
        "description": tool.description,
        "parametersJsonSchema": tool.parameters,
    }
    return {name: value for name, value in said.items() if value is not None}


def _calling(request: ChatRequest, options: _Options, notes: list[Note]) -> dict[str, Any]:
    choice = request.tool_choice or ToolChoice()
    if not request.tools:
        if choice.mode in ("required", "tool"):
            drop(notes, "tool_choice", "There are no tools to choose from.")
        return {}
    if choice.parallel is False:
        drop(notes, "tool_choice.parallel", "Gemini cannot be held to one tool call at a time.")
    calling: dict[str, Any] = {} if request.tool_choice is None else {"mode": _MODE[choice.mode]}
    if choice.mode == "tool":
        calling["allowedFunctionNames"] = [choice.name]
    if options.stream_arguments:
        calling["streamFunctionCallArguments"] = True
    return calling
