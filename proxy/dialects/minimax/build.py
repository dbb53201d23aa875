"""A `ChatRequest` to MiniMax's `chatcompletion_v2`, behind a base URL that ends in `/v1`.

The upstream's options: `group_id`, which keys of the older kind need in the query; by default there
is none.
"""

from typing import Any
from urllib.parse import quote

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import Turn, chat_turns, drop, function, headers, options_of, tool_calls
from proxy.codec.single_prompt import cannot_say
from proxy.codec.wire_rules import keep_to
from proxy.dialects.minimax.wire import PATH
from proxy.events import Note
from proxy.request import ChatRequest

_SAID = ("max_tokens", "temperature", "top_p", "tools", "tool_choice", "response_format")


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    group_id: str | int | None = None


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    options = options_of(target, _Options)
    notes = cannot_say(request, _SAID)
    body: dict[str, Any] = {
        "model": target.model or request.model,
        "messages": [_message(turn) for turn in chat_turns(request, notes, images=True)],
        "stream": True,
        "stream_options": {"include_usage": True},
        **_settings(request, notes),
        **request.vendor,
    }
    keep_to(target.rules, body, notes, target.upstream)
    path = (
        PATH
        if options.group_id is None
        else f"{PATH}?GroupId={quote(str(options.group_id), safe='')}"
    )
    return Outgoing(path, msgspec.json.encode(body), headers(target.api_key), tuple(notes))


def _message(turn: Turn) -> dict[str, Any]:
    content: str | list[dict[str, Any]] = turn.text
    if turn.images:
        content = [{"type": "image_url", "image_url": {"url": url}} for url in turn.images]
        content += [{"type": "text", "text": turn.text}] if turn.text else []
    message: dict[str, Any] = {"role": turn.role, "content": content}
    if turn.role == "tool":
        message["tool_call_id"] = turn.call_id
    if turn.calls:
        message["tool_calls"] = tool_calls(turn)
    return message


def _settings(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "tools": [function(tool) for tool in request.tools] or None,
        "response_format": request.response_format,
    }
    choice = request.tool_choice
    if choice is not None and request.tools:
        if choice.parallel is not None:
            drop(
                notes,
                "tool_choice.parallel",
                "The upstream cannot be told how many tools to call at once.",
            )
        if choice.mode in ("auto", "none"):
            said["tool_choice"] = choice.mode
        else:
            drop(
                notes, "tool_choice", "The upstream cannot be made to call a tool, only allowed to."
            )
    return {name: value for name, value in said.items() if value is not None}
