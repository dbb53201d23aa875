"""A `ChatRequest` to one prompt and the page's own fields.

The upstream's options, all values of the operator's own session, beside the decoder's `br`:

    cookie, acs_token, sign
    timestamp                    in ms, what the sign was made for; 0 by default
    session_id, parent_chat_id   a conversation to go on with: then only the newest turn is sent
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.relaying import own_body
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.yiyan.wire import PATH
from proxy.events import Note
from proxy.request import ChatRequest, Original

# Option -> its key in a body.
_SESSION = (
    ("session_id", "sessionId"),
    ("parent_chat_id", "parentChatId"),
    ("sign", "sign"),
    ("timestamp", "timestamp"),
)
_NAME_CHARS = 50  # of the prompt, which the page takes as the conversation's name


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    options = target.options
    session = str(request.vendor.get("sessionId", options.get("session_id", "")) or "")
    notes: list[Note] = cannot_say(request)
    prompt = one_prompt(request, notes, remembered=bool(session))
    body: dict[str, Any] = {
        "text": prompt,
        "sessionId": session,
        "sessionName": prompt[:_NAME_CHARS],
        "parentChatId": str(options.get("parent_chat_id") or "0"),
        "model": target.model or request.model,
        "sign": str(options.get("sign") or ""),
        "timestamp": options.get("timestamp") or 0,
        "jt": "",
        "deviceType": "pc",
        "type": 10,
        "file_ids": [],
        "plugins": [],
        "pluginInfo": [],
        "code": 0,
        "msg": "",
    }
    body |= request.vendor
    return Outgoing(PATH, msgspec.json.encode(body), _headers(options), tuple(notes))


def relay_request(request: ChatRequest, original: Original, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.relay_request`. What the operator gives of the session goes before the
    client's. `stream` is ours: the page's answers always do.
    """
    notes: list[Note] = []
    own = {key: target.options[option] for option, key in _SESSION if target.options.get(option)}
    body = own_body(original, {**own, "model": target.model or request.model})
    body.pop("stream", None)
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(PATH, msgspec.json.encode(body), _headers(target.options), tuple(notes))


def _headers(options: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream, application/json",
        "device-type": "pc",
    }
    for header, option in (("Cookie", "cookie"), ("Acs-Token", "acs_token")):
        if options.get(option):
            headers[header] = str(options[option])
    return headers
