"""A `ChatRequest` to the body of `POST /api/chat` or `/api/generate`, behind a base URL like
`http://127.0.0.1:11434`.

The upstream's options:

    endpoint        `chat` (default), or `generate` for models without a chat template: the talk is
                    written into one prompt
    options         the vendor's own runtime options, for example {num_ctx: 32768}; what the client
                    asks for comes on top
    keep_alive      how long the model stays loaded, as the vendor has it ("10m", seconds, -1)
    think_levels    whether the model takes an effort for `think`; by default only gpt-oss does,
                    others take true or false
"""

from typing import Any, Literal

import msgspec

from proxy.codec.base import JSON, NDJSON, Outgoing, TargetConfig
from proxy.codec.efforts import three_steps
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.dialects.ollama.build_turns import TurnBuilder, newest_images
from proxy.errors import Refused, bad_request, failure
from proxy.events import Note
from proxy.request import ChatRequest, Reasoning, ToolSpec

CHAT_PATH = "/api/chat"
GENERATE_PATH = "/api/generate"
_SAID = ("max_tokens", "temperature", "top_p", "stop", "seed", "response_format", "reasoning")
_TOOLS = ("tools", "tool_choice")


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    endpoint: Literal["chat", "generate"] = "chat"
    options: dict[str, Any] = {}
    keep_alive: str | int | float | None = None
    think_levels: bool | None = None


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
    chat = options.endpoint == "chat"
    notes = cannot_say(request, (*_SAID, *_TOOLS) if chat else _SAID)
    model = target.model or request.model
    said: dict[str, Any] = {"model": model, "stream": True}
    said |= _talk(request, notes) if chat else _prompt(request, notes)
    said["think"] = _think(request.reasoning, model, options, notes)
    said["format"] = _format(request, notes)
    said["options"] = {**options.options, **_runtime(request)} or None
    said["keep_alive"] = options.keep_alive
    body = {name: value for name, value in said.items() if value is not None}
    return Outgoing(
        CHAT_PATH if chat else GENERATE_PATH,
        msgspec.json.encode(_merged(body, request.vendor)),
        _headers(target),
        tuple(notes),
    )


def _headers(target: TargetConfig) -> dict[str, str]:
    headers = {"content-type": JSON, "accept": NDJSON}
    if target.api_key is not None:
        headers["authorization"] = f"Bearer {target.api_key}"
    return headers


def _merged(body: dict[str, Any], vendor: dict[str, Any]) -> dict[str, Any]:
    """The client's `vendor` comes last; of its `options` each by itself."""
    ours, theirs = body.get("options"), vendor.get("options")
    merged = (
        {"options": {**ours, **theirs}}
        if isinstance(ours, dict) and isinstance(theirs, dict)
        else {}
    )
    return {**body, **vendor, **merged}


def _talk(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    messages = TurnBuilder(notes).built(request)
    if not messages:
        raise bad_request("messages must hold at least one turn.", param="messages")
    return {"messages": messages, "tools": _tools(request, notes) or None}


def _prompt(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """The talk as one prompt, with the system's text in its own place and the images of the newest
    turn.
    """
    images = newest_images(
        next((turn.parts for turn in reversed(request.messages) if turn.role == "user"), []), notes
    )
    prompt = one_prompt(msgspec.structs.replace(request, system=None), notes, images=True)
    return {"prompt": prompt, "system": request.system, "images": images or None}


def _runtime(request: ChatRequest) -> dict[str, Any]:
    said = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": request.stop or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _tools(request: ChatRequest, notes: list[Note]) -> list[dict[str, Any]]:
    """The tools, of which the model is free to choose: `none` is said by naming none, one by name
    by naming that alone.
    """
    choice, tools = request.tool_choice, request.tools
    if choice is not None and choice.mode == "none":
        if tools:
            notes.append(
                Note(
                    "changed",
                    "tool_choice",
                    "That no tool may be called is said here by naming none.",
                )
            )
        return []
    if choice is not None and choice.mode in ("required", "tool"):
        notes.append(
            Note("dropped", "tool_choice", "Ollama cannot be told that a tool must be called.")
        )
    if choice is not None and choice.mode == "tool":
        tools = [tool for tool in tools if tool.name == choice.name] or tools
    if choice is not None and choice.parallel is False:
        notes.append(
            Note(
                "dropped",
                "tool_choice.parallel",
                "That at most one call may be made cannot be said here.",
            )
        )
    if any(tool.strict for tool in tools):
        notes.append(Note("dropped", "tools.strict", "Strict arguments cannot be asked for here."))
    return [_tool(tool) for tool in tools]


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": tool.name,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _think(
    reasoning: Reasoning | None, model: str, options: _Options, notes: list[Note]
) -> bool | str | None:
    if reasoning is None or (reasoning.effort is None and reasoning.max_tokens is None):
        return None
    if reasoning.max_tokens is not None:
        notes.append(
            Note(
                "dropped",
                "reasoning.max_tokens",
                "A budget of reasoning tokens cannot be said in this dialect.",
            )
        )
    if reasoning.effort is None:
        return True
    if reasoning.effort == "none":
        return False
    levels = "gpt-oss" in model if options.think_levels is None else options.think_levels
    if not levels:
        notes.append(
            Note(
                "changed",
                "reasoning.effort",
                "How hard to think cannot be said to this model, only that it is to think.",
            )
        )
        return True
    level = three_steps(reasoning.effort)
    if level != reasoning.effort:
        notes.append(
            Note("changed", "reasoning.effort", f"Effort {reasoning.effort} is said as {level}.")
        )
    return level


def _format(request: ChatRequest, notes: list[Note]) -> str | dict[str, Any] | None:
    """`json`, or a bare schema."""
    wanted = request.response_format
    if not wanted or wanted.get("type") == "text":
        return None
    named = wanted.get("json_schema")
    schema = named.get("schema", named) if isinstance(named, dict) else None
    if wanted.get("type") == "json_schema" and isinstance(schema, dict):
        return schema
    if wanted.get("type") == "json_object":
        return "json"
    notes.append(
        Note(
            "dropped",
            "response_format",
            "Only JSON, with or without a schema, can be asked for here.",
        )
    )
    return None
