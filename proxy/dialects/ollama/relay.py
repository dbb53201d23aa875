"""A client's own request of /api/chat or /api/generate, for an upstream of this dialect: as the
client wrote it, but for the model, that the answer comes as a stream, what the operator has
configured and what the target's rules forbid.
"""

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import options_of
from proxy.codec.relaying import own_body
from proxy.codec.wire_rules import keep_to
from proxy.dialects.ollama.build import CHAT_PATH, GENERATE_PATH, Options, headers
from proxy.events import Note
from proxy.request import ChatRequest, Original


def relay_request(
    request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. None for a chat where the model is asked by prompts."""
    options = options_of(target, Options)
    chat = "messages" in original.body
    if chat and options.endpoint == "generate":
        return None
    notes: list[Note] = []
    body = own_body(original, {"model": target.model or request.model, "stream": True})
    asked = body.get("options")
    if options.options or isinstance(asked, dict):
        runtime = {**options.options, **(asked if isinstance(asked, dict) else {})}
        keep_to(target.rules, runtime, notes, target.upstream)
        body["options"] = runtime
    if options.keep_alive is not None:
        body["keep_alive"] = options.keep_alive
    keep_to(target.rules, body, notes, target.upstream)
    path = CHAT_PATH if chat else GENERATE_PATH
    return Outgoing(path, msgspec.json.encode(body), headers(target), tuple(notes))
