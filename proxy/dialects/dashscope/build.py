"""A `ChatRequest` to DashScope's generation API, behind a base URL that ends in `/api/v1`.

The upstream's options, all with defaults:

    incremental_output   true: each event has a new piece; false, for models that cannot: each
                         repeats the text so far
    multimodal           true: always the multimodal endpoint, which vision models need also for
                         text; by default it is called for images
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import (
    Turn,
    chat_turns,
    drop,
    function,
    headers,
    options_of,
    thinking,
    tool_calls,
    with_vendor,
)
from proxy.codec.single_prompt import cannot_say
from proxy.codec.wire_rules import keep_to
from proxy.dialects.dashscope.wire import MULTIMODAL_PATH, TEXT_PATH
from proxy.events import Note
from proxy.request import ChatRequest

_SAID = (
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "n",
    "top_k",
    "repetition_penalty",
    "presence_penalty",
    "logprobs",
    "top_logprobs",
    "tools",
    "tool_choice",
    "response_format",
    "reasoning",
)


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    incremental_output: bool = True
    multimodal: bool = False


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    options = options_of(target, _Options)
    notes = cannot_say(request, _SAID)
    turns = chat_turns(request, notes, images=True)
    multimodal = options.multimodal or any(turn.images for turn in turns)
    body: dict[str, Any] = {
        "model": target.model or request.model,
        "input": {"messages": [_message(turn, multimodal=multimodal) for turn in turns]},
        "parameters": _parameters(request, notes),
    }
    body = with_vendor(body, request.vendor, "parameters")
    # After the client's own: the decoder must know how the answer comes.
    body["parameters"] = {
        **body["parameters"],
        "result_format": "message",
        "incremental_output": options.incremental_output,
    }
    keep_to(target.rules, body, notes, target.upstream)
    keep_to(target.rules, body["parameters"], notes, target.upstream)
    path = MULTIMODAL_PATH if multimodal else TEXT_PATH
    return Outgoing(
        path,
        msgspec.json.encode(body),
        headers(target.api_key, x_dashscope_sse="enable"),
        tuple(notes),
    )


def _message(turn: Turn, *, multimodal: bool) -> dict[str, Any]:
    content: str | list[dict[str, str]] = turn.text
    if multimodal:
        content = [{"image": url} for url in turn.images]
        content += [{"text": turn.text}] if turn.text or not turn.images else []
    message: dict[str, Any] = {"role": turn.role, "content": content}
    if turn.role == "tool":
        message["tool_call_id"] = turn.call_id
        if turn.name:
            message["name"] = turn.name
    if turn.calls:
        message["tool_calls"] = tool_calls(turn)
    return message


def _parameters(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": request.stop or None,
        "seed": request.seed,
        "n": request.n,
        "top_k": request.top_k,
        "repetition_penalty": request.repetition_penalty,
        "presence_penalty": request.presence_penalty,
        "logprobs": request.logprobs,
        "top_logprobs": request.top_logprobs,
        "tools": [function(tool) for tool in request.tools] or None,
        "response_format": request.response_format,
        "enable_thinking": thinking(request, notes, budget=True),
        "thinking_budget": request.reasoning.max_tokens if request.reasoning is not None else None,
    }
    choice = request.tool_choice
    if choice is not None and request.tools:
        said["parallel_tool_calls"] = choice.parallel
        if choice.mode == "required":
            drop(
                notes,
                "tool_choice",
                "The upstream cannot be made to call some tool, only one by name.",
            )
        else:
            named = {"type": "function", "function": {"name": choice.name}}
            said["tool_choice"] = named if choice.mode == "tool" else choice.mode
    return {name: value for name, value in said.items() if value is not None}
