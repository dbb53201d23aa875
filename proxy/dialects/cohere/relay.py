"""A client's own chat request of API v2, for an upstream of this dialect: as the client wrote it,
but for the model, that the answer comes as a stream, what the operator has configured and what the
target's rules forbid.
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, options_of
from proxy.codec.relayed_names import RelayedNames
from proxy.codec.relaying import own_body
from proxy.codec.wire_rules import at_most, few_stops, keep_to
from proxy.dialects.cohere.build import PATH, Options, headers
from proxy.events import Note
from proxy.request import ChatRequest, Original


def relay_request(request: ChatRequest, original: Original, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.relay_request`."""
    options = options_of(target, Options)
    notes: list[Note] = []
    body = own_body(original, {"model": target.model or request.model, "stream": True})
    keep_to(target.rules, body, notes, target.upstream)
    at_most(body, "temperature", target.rules.largest_temperature, notes)
    few_stops(body, "stop_sequences", target.rules, notes)
    said = "Earlier reasoning of another vendor cannot be shown to this upstream."
    body["messages"] = _without("reasoning_details", said, body["messages"], notes)
    if not options.tool_plan:
        said = "This upstream is configured not to be sent a plan beside tool calls."
        body["messages"] = _without("tool_plan", said, body["messages"], notes)
    named = RelayedNames(target.rules, notes)
    body["messages"] = named.messages(body["messages"])
    if "tools" in body:
        body["tools"] = named.tools(body["tools"])
    sent = {**original.headers, **headers(target, options)}
    return Outgoing(PATH, msgspec.json.encode(body), sent, tuple(notes), tool_names=named.names)


def _without(key: str, said: str, messages: list[Any], notes: list[Note]) -> list[Any]:
    """The messages without a key that the upstream would not understand; `said` is why."""
    if not any(isinstance(message, dict) and key in message for message in messages):
        return messages
    drop(notes, f"messages.{key}", said)
    return [
        {name: value for name, value in message.items() if name != key}
        if isinstance(message, dict)
        else message
        for message in messages
    ]
