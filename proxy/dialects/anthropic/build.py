"""A `ChatRequest` to a Messages request. Source: "Create a Message" of the API reference.

Options of the upstream: `version` (header anthropic-version), `beta` (header anthropic-beta: text
or a list).
"""

from typing import Any

import msgspec

from proxy.codec.base import JSON, Outgoing, TargetConfig
from proxy.dialects.anthropic.build_turns import TurnBuilder
from proxy.dialects.anthropic.thinking import Budget, plan
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

PATH = "/v1/messages"
VERSION = "2023-06-01"
MAX_TOKENS = 4096
_CHOICE = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}
_NO_PARAMETERS = {"type": "object", "properties": {}}


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. The answer is always asked for as a stream."""
    notes: list[Note] = []
    turns = TurnBuilder(notes)
    messages = turns.built(request)
    if not messages:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    body: dict[str, Any] = {
        "model": target.model or request.model,
        "messages": messages,
        "stream": True,
    }
    if turns.system:
        body["system"] = turns.system
    budget = plan(request, target.rules.max_tokens or MAX_TOKENS, messages, notes)
    body["max_tokens"] = budget.max_tokens
    if budget.thinking is not None:
        body["thinking"] = {"type": "enabled", "budget_tokens": budget.thinking}
    _sampling(request, body, budget, notes)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        _choose(request.tool_choice, request, body, notes)
    if request.user is not None:
        body["metadata"] = {"user_id": request.user}
    schema = ((request.response_format or {}).get("json_schema") or {}).get("schema")
    if schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    _note_losses(request, notes)
    body.update(request.vendor)
    return Outgoing(PATH, msgspec.json.encode(body), _headers(target), tuple(notes))


def _headers(target: TargetConfig) -> dict[str, str]:
    headers = {
        "content-type": JSON,
        "accept": "text/event-stream",
        "anthropic-version": str(target.options.get("version", VERSION)),
    }
    if target.api_key is not None:
        headers["x-api-key"] = target.api_key
    beta = target.options.get("beta")
    if beta:
        headers["anthropic-beta"] = beta if isinstance(beta, str) else ",".join(map(str, beta))
    return headers


def _sampling(
    request: ChatRequest, body: dict[str, Any], budget: Budget, notes: list[Note]
) -> None:
    """Temperature is 0 to 1 here, and 1 while the model thinks; stop sequences must be more than
    white space.
    """
    temperature = request.temperature
    if temperature is not None and budget.thinking is not None:
        if temperature != 1:
            notes.append(
                Note(
                    "dropped",
                    "temperature",
                    "Anthropic takes no temperature together with thinking.",
                )
            )
    elif temperature is not None:
        if temperature > 1:
            notes.append(
                Note("changed", "temperature", "Anthropic's temperature ends at 1; 1 was sent.")
            )
        body["temperature"] = min(temperature, 1)
    if request.top_p is not None:
        body["top_p"] = request.top_p
    stop = [text for text in request.stop if text.strip()]
    if len(stop) < len(request.stop):
        notes.append(
            Note("dropped", "stop", "Anthropic takes no stop sequence of white space alone.")
        )
    if stop:
        body["stop_sequences"] = stop


def _tool(tool: ToolSpec) -> dict[str, Any]:
    built: dict[str, Any] = {"name": tool.name, "input_schema": tool.parameters or _NO_PARAMETERS}
    if tool.description is not None:
        built["description"] = tool.description
    if tool.strict is not None:
        built["strict"] = tool.strict
    return built


def _choose(
    choice: ToolChoice, request: ChatRequest, body: dict[str, Any], notes: list[Note]
) -> None:
    if not request.tools:
        if choice.mode in ("required", "tool"):
            notes.append(Note("dropped", "tool_choice", "There are no tools to choose from."))
        return
    built: dict[str, Any] = {"type": _CHOICE[choice.mode]}
    if choice.mode == "tool":
        built["name"] = choice.name
    if choice.parallel is not None and choice.mode != "none":
        built["disable_parallel_tool_use"] = not choice.parallel
    body["tool_choice"] = built


def _note_losses(request: ChatRequest, notes: list[Note]) -> None:
    if request.seed is not None:
        notes.append(Note("dropped", "seed", "Anthropic has no seed."))
    if request.n is not None and request.n > 1:
        notes.append(Note("dropped", "n", "Anthropic gives one answer a request."))
    if request.metadata:
        notes.append(Note("dropped", "metadata", "Anthropic keeps no metadata but the user's id."))
    if request.response_format is not None and request.response_format.get("type") == "json_object":
        notes.append(
            Note(
                "dropped",
                "response_format",
                "Anthropic takes a schema, not JSON of any kind: give it one.",
            )
        )
