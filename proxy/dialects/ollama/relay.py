"""A client's own request of /api/chat or /api/generate, for an upstream of this dialect: as the
client wrote it, but for the model, that the answer comes as a stream, what the operator has
configured and what the target's rules forbid.
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import options_of
from proxy.codec.relayed_names import RelayedNames
from proxy.codec.relaying import own_body
from proxy.codec.tool_calls import arguments_object
from proxy.codec.wire_rules import keep_to
from proxy.dialects.ollama.build import CHAT_PATH, GENERATE_PATH, Options, headers
from proxy.dialects.ollama.images import bare
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
    named = RelayedNames(target.rules, notes)
    if chat:
        body["messages"] = named.messages([_message(message) for message in body["messages"]])
        if "tools" in body:
            body["tools"] = named.tools(body["tools"])
    elif "images" in body:
        body["images"] = _bare(body["images"])
    path = CHAT_PATH if chat else GENERATE_PATH
    sent = msgspec.json.encode(body)
    return Outgoing(path, sent, headers(target), tuple(notes), tool_names=named.names)


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """With images in bare base64 and arguments as an object, as this vendor alone wants them: a
    client that knows others may say them in their form. What fits stays the very same object.
    """
    changes: dict[str, Any] = {}
    if (images := _bare(message.get("images"))) is not message.get("images"):
        changes["images"] = images
    if isinstance(message.get("tool_calls"), list):
        calls = [_call(call) for call in message["tool_calls"]]
        if any(new is not old for new, old in zip(calls, message["tool_calls"], strict=True)):
            changes["tool_calls"] = calls
    return {**message, **changes} if changes else message


def _bare(images: Any) -> Any:
    if not isinstance(images, list):
        return images
    made = [(isinstance(image, str) and bare(image)) or image for image in images]
    return images if made == images else made


def _call(call: Any) -> Any:
    match call:
        case {"function": {"arguments": str(text)} as function}:
            said = arguments_object(text)
            arguments = {"arguments": text} if said is None else said
            return {**call, "function": {**function, "arguments": arguments}}
    return call
