"""A `ChatRequest` to another Mainstem's native endpoint. Everything can be said there but `n`. A
native client's own request goes up as it is.
"""

from typing import Any

import msgspec

from proxy.codec.base import JSON, Outgoing, TargetConfig
from proxy.codec.relaying import own_body
from proxy.codec.wire_rules import keep_to
from proxy.dialects.native.wire import SETTINGS
from proxy.events import Note
from proxy.request import ChatRequest, Original

PATH = "/v1/stream"
_SAME = (
    "messages",
    "system",
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "tools",
    "tool_choice",
    "response_format",
    "reasoning",
    "user",
    "metadata",
    "vendor",
    *SETTINGS,
)


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. The answer is always asked for as a stream; the far side
    merges `vendor` into its own request.
    """
    body: dict[str, Any] = {"model": target.model or request.model}
    for name in _SAME:
        value = getattr(request, name)
        if value not in (None, [], {}):
            body[name] = value
    if any(part.cache is not None for part in request.system_parts):
        body["system"] = request.system_parts
    if request.on_loss != "note":
        body["on_loss"] = request.on_loss
    several = request.n is not None and request.n > 1
    notes = (
        (Note("dropped", "n", "The native schema asks for one answer a request."),)
        if several
        else ()
    )
    return _posted(body, target, notes)


def relay_request(request: ChatRequest, original: Original, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.relay_request`."""
    changes = {"model": target.model or request.model, "stream": True}
    if "vendor" in original.body:  # of which the operator may refuse some
        changes["vendor"] = request.vendor
    return _posted(own_body(original, changes), target)


def _posted(body: dict[str, Any], target: TargetConfig, notes: tuple[Note, ...] = ()) -> Outgoing:
    """Under the target's rules, which here are the operator's own: what is refused further on, the
    far side knows.
    """
    more: list[Note] = []
    keep_to(target.rules, body, more, target.upstream)
    headers = {"content-type": JSON, "accept": "text/event-stream"}
    if target.api_key is not None:
        headers["authorization"] = f"Bearer {target.api_key}"
    return Outgoing(PATH, msgspec.json.encode(body), headers, (*notes, *more))
