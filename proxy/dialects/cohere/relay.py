"""A client's own chat request of API v2, for an upstream of this dialect: as the client wrote it,
but for the model, that the answer comes as a stream, what the operator has configured and what the
target's rules forbid.
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, options_of
from proxy.codec.relaying import own_body
from proxy.codec.wire_rules import keep_to
from proxy.dialects.cohere.build import PATH, Options, headers
from proxy.events import Note
from proxy.request import ChatRequest, Original


def relay_request(request: ChatRequest, original: Original, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.relay_request`."""
    options = options_of(target, Options)
    notes: list[Note] = []
    body = own_body(original, {"model": target.model or request.model, "stream": True})
    keep_to(target.rules, body, notes, target.upstream)
    if not options.tool_plan:
        body["messages"] = [_without_plan(message, notes) for message in body["messages"]]
    sent = {**original.headers, **headers(target, options)}
    return Outgoing(PATH, msgspec.json.encode(body), sent, tuple(notes))


def _without_plan(message: Any, notes: list[Note]) -> Any:
    if not isinstance(message, dict) or "tool_plan" not in message:
        return message
    said = "This upstream is configured not to be sent a plan beside tool calls."
    drop(notes, "messages.tool_plan", said)
    return {name: value for name, value in message.items() if name != "tool_plan"}
