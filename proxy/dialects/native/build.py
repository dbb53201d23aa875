"""A `ChatRequest` to another Mainstem's native endpoint. Everything can be said there but `n`."""

from typing import Any

import msgspec

from proxy.codec.base import JSON, Outgoing, TargetConfig
from proxy.events import Note
from proxy.request import ChatRequest

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
    if request.on_loss != "note":
        body["on_loss"] = request.on_loss
    headers = {"content-type": JSON, "accept": "text/event-stream"}
    if target.api_key is not None:
        headers["authorization"] = f"Bearer {target.api_key}"
    several = request.n is not None and request.n > 1
    notes = (
        (Note("dropped", "n", "The native schema asks for one answer a request."),)
        if several
        else ()
    )
    return Outgoing(PATH, msgspec.json.encode(body), headers, notes)
