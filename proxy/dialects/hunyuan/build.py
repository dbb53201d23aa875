"""A `ChatRequest` to Tencent Hunyuan's own ChatCompletions, with its names in PascalCase.

Tencent's own endpoint wants each request signed (TC3-HMAC-SHA256), for which one needs the time of
day; this package has no clock and signs nothing. So the base URL is that of a gateway that signs,
or the key is one that the endpoint takes as it is: `api_key` goes as `Authorization: Bearer`, and
further headers come from the configuration. With a plain API key the vendor's OpenAI-compatible
endpoint (dialect `openai_chat`) is the simpler way.

The upstream's options: `region`, for the header `X-TC-Region`; by default there is none.
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import Turn, chat_turns, drop, headers, merged, options_of, thinking
from proxy.codec.single_prompt import cannot_say
from proxy.codec.wire_rules import keep_to
from proxy.dialects.hunyuan.wire import ACTION, PATH, VERSION
from proxy.events import Note
from proxy.request import ChatRequest, ToolSpec

_SAID = ("temperature", "top_p", "stop", "seed", "tools", "tool_choice", "reasoning")


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    region: str | None = None


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    options = options_of(target, _Options)
    notes = cannot_say(request, _SAID)
    turns = merged(chat_turns(request, notes, images=True), notes)
    body: dict[str, Any] = {
        "Model": target.model or request.model,
        "Messages": [_message(turn) for turn in turns],
        "Stream": True,
        **_settings(request, notes),
        **request.vendor,
    }
    keep_to(target.rules, body, notes, target.upstream)
    sent = headers(target.api_key, x_tc_action=ACTION, x_tc_version=VERSION)
    if options.region is not None:
        sent["x-tc-region"] = options.region
    return Outgoing(PATH, msgspec.json.encode(body), sent, tuple(notes))


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"Role": turn.role}
    if turn.images:
        pictures = [{"Type": "image_url", "ImageUrl": {"Url": url}} for url in turn.images]
        message["Contents"] = [
            *pictures,
            *([{"Type": "text", "Text": turn.text}] if turn.text else []),
        ]
    else:
        message["Content"] = turn.text
    if turn.role == "tool":
        message["ToolCallId"] = turn.call_id
    if turn.calls:
        message["ToolCalls"] = [
            {
                "Id": call.id,
                "Type": "function",
                "Function": {"Name": call.name, "Arguments": call.arguments or "{}"},
            }
            for call in turn.calls
        ]
    return message


def _settings(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "Temperature": request.temperature,
        "TopP": request.top_p,
        "Stop": request.stop or None,
        "Seed": request.seed,
        "EnableThinking": thinking(request, notes, budget=False),
        "Tools": [_tool(tool, notes) for tool in request.tools] or None,
    }
    choice = request.tool_choice
    if choice is not None and request.tools:
        if choice.parallel is not None:
            drop(
                notes,
                "tool_choice.parallel",
                "The upstream cannot be told how many tools to call at once.",
            )
        named = next((tool for tool in request.tools if tool.name == choice.name), None)
        if choice.mode == "tool" and named is not None:
            said |= {"ToolChoice": "custom", "CustomTool": _tool(named, notes)}
        elif choice.mode in ("auto", "none"):
            said["ToolChoice"] = choice.mode
        else:
            drop(
                notes,
                "tool_choice",
                "The upstream cannot be made to call some tool, only one that it was given.",
            )
    return {name: value for name, value in said.items() if value is not None}


def _tool(spec: ToolSpec, notes: list[Note]) -> dict[str, Any]:
    """`Parameters` is JSON text here."""
    if spec.strict:
        drop(
            notes,
            "tools.strict",
            "The upstream cannot be made to keep strictly to a tool's schema.",
        )
    function = {
        "Name": spec.name,
        "Parameters": msgspec.json.encode(spec.parameters or {}).decode(),
    }
    if spec.description is not None:
        function["Description"] = spec.description
    return {"Type": "function", "Function": function}
