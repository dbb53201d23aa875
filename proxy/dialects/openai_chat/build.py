"""A `ChatRequest` to the body of `POST /chat/completions`, behind a base URL that ends in the
version (`https://api.openai.com/v1`).

The upstream's options, all with defaults:

    max_tokens_field    `max_tokens` or `max_completion_tokens`; by default the latter for OpenAI's
                        reasoning models (o1, o3, o4, gpt-5)
    include_usage       false for servers that refuse `stream_options`; their usage is then unknown
                        unless they send it unasked
    organization, project   OpenAI's headers of that name
    api_key_header      the header that takes the bare key, for example `api-key` for Azure; by
                        default `Authorization: Bearer`
    send_reasoning      the field in which a vendor wants earlier reasoning back, for example
                        `reasoning_content`; by default it is left out
    rename              fields that this vendor calls otherwise, for example {seed: random_seed} for
                        Mistral
    omit                fields that this vendor refuses, for example [user, metadata]
"""

import re
from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.errors import Refused, failure
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
)

_PATH = "/chat/completions"
_REASONING_MODEL = re.compile(r"(?:^|/)(?:o[134](?:$|-)|gpt-5)")


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    max_tokens_field: str | None = None
    include_usage: bool = True
    organization: str | None = None
    project: str | None = None
    api_key_header: str | None = None
    send_reasoning: str | None = None
    rename: dict[str, str] = {}
    omit: list[str] = []
    no_finish_reason: bool = False  # read by `decode`


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Options that are none raise Refused (`internal`): the
    operator's fault.
    """
    try:
        options = msgspec.convert(target.options, _Options)
    except msgspec.ValidationError as error:
        raise Refused(
            failure("internal", f"The options of upstream {target.upstream} are wrong: {error}.")
        ) from error
    notes: list[Note] = []
    model = target.model or request.model
    body: dict[str, Any] = {
        "model": model,
        "messages": _messages(request, options, notes),
        "stream": True,
    }
    if options.include_usage:
        body["stream_options"] = {"include_usage": True}
    if request.max_tokens is not None:
        default = "max_completion_tokens" if _REASONING_MODEL.search(model) else "max_tokens"
        body[options.max_tokens_field or default] = request.max_tokens
    body.update(_settings(request, notes))
    for name in options.omit:
        if body.pop(name, None) is not None:
            _drop(notes, name, f"{target.upstream} is configured not to be sent {name}.")
    for name, theirs in options.rename.items():
        if name in body:
            body[theirs] = body.pop(name)
    body.update(request.vendor)
    return Outgoing(_PATH, msgspec.json.encode(body), _headers(target, options), tuple(notes))


def _headers(target: TargetConfig, options: _Options) -> dict[str, str]:
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    if target.api_key is not None:
        if options.api_key_header is None:
            headers["authorization"] = f"Bearer {target.api_key}"
        else:
            headers[options.api_key_header] = target.api_key
    if options.organization is not None:
        headers["openai-organization"] = options.organization
    if options.project is not None:
        headers["openai-project"] = options.project
    return headers


def _settings(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Everything but the messages, left out where the client said nothing."""
    said: dict[str, Any] = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": request.stop or None,
        "seed": request.seed,
        "n": request.n,
        "user": request.user,
        "metadata": request.metadata or None,
        "response_format": request.response_format,
    }
    if request.reasoning is not None:
        said["reasoning_effort"] = request.reasoning.effort
        if request.reasoning.max_tokens is not None:
            _drop(
                notes,
                "reasoning.max_tokens",
                "A budget of reasoning tokens cannot be said in this dialect, only an effort.",
            )
    if request.tools:
        said["tools"] = [_tool(tool) for tool in msgspec.to_builtins(request.tools)]
        said.update(_tool_choice(request.tool_choice))
    elif request.tool_choice is not None and request.tool_choice.mode in ("required", "tool"):
        _drop(notes, "tool_choice", "A tool choice without tools is left out.")
    return {name: value for name, value in said.items() if value is not None}


def _tool(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {name: value for name, value in spec.items() if value is not None},
    }


def _tool_choice(choice: ToolChoice | None) -> dict[str, Any]:
    if choice is None:
        return {}
    named = {"type": "function", "function": {"name": choice.name}}
    return {
        "tool_choice": named if choice.mode == "tool" else choice.mode,
        "parallel_tool_calls": choice.parallel,
    }


def _messages(request: ChatRequest, options: _Options, notes: list[Note]) -> list[dict[str, Any]]:
    messages = [] if request.system is None else [{"role": "system", "content": request.system}]
    for message in request.messages:
        messages += _turn(message, options, notes)
    return messages


def _turn(message: Message, options: _Options, notes: list[Note]) -> list[dict[str, Any]]:
    """One turn as one message, and one more for each tool result: the results must come first,
    right behind the calls.
    """
    if isinstance(message.content, str):
        return [{"role": message.role, "content": message.content}]
    results: list[dict[str, Any]] = []
    content: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    reasoning = ""
    for part in message.content:
        match part:
            case TextPart(text):
                content.append({"type": "text", "text": text})
            case ImagePart(url):
                content.append({"type": "image_url", "image_url": {"url": url}})
            case ToolCallPart(call_id, name, arguments):
                calls.append(
                    {
                        "id": call_id,
                        "type": "function",
                        "function": {"name": name, "arguments": arguments or "{}"},
                    }
                )
            case ToolResultPart(call_id, text):
                if part.is_error:
                    _drop(
                        notes,
                        "tool_result.is_error",
                        "That a tool failed cannot be said in this dialect, only what it answered.",
                    )
                results.append({"role": "tool", "tool_call_id": call_id, "content": text})
            case ReasoningPart(text, signature):
                reasoning += text
                if options.send_reasoning is None or signature is not None:
                    _drop(
                        notes,
                        "messages.reasoning",
                        (
                            "Reasoning of earlier turns, or its signature, cannot be sent back to "
                            "this upstream."
                        ),
                    )
    turn: dict[str, Any] = {"role": message.role, "content": _content(message.role, content, notes)}
    if calls:
        turn["tool_calls"] = calls
    if reasoning and options.send_reasoning is not None:
        turn[options.send_reasoning] = reasoning
    return [*results, turn] if content or calls or not results else results


def _content(
    role: str, parts: list[dict[str, Any]], notes: list[Note]
) -> str | list[dict[str, Any]] | None:
    """Text alone goes as plain text, which every compatible vendor takes. Images are for users to
    send.
    """
    if role == "assistant":
        if any(part["type"] != "text" for part in parts):
            _drop(
                notes,
                "messages.image_url",
                "An image in an assistant's turn cannot be said in this dialect.",
            )
        return "".join(part["text"] for part in parts if part["type"] == "text") or None
    if len(parts) == 1 and parts[0]["type"] == "text":
        text: str = parts[0]["text"]
        return text
    return parts or ""


def _drop(notes: list[Note], param: str, message: str) -> None:
    note = Note("dropped", param, message)
    if note not in notes:
        notes.append(note)
