"""The upstream half: one prompt and the page's own fields."""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.base import Decoder, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.dialects.yiyan.decode import YiyanDecoder
from proxy.dialects.yiyan.errors import parse_error
from proxy.dialects.yiyan.wire import PATH
from proxy.errors import Failure
from proxy.events import Note
from proxy.request import ChatRequest

_NAME_CHARS = 50  # of the prompt, which the page takes as the conversation's name


class YiyanUpstream(UpstreamHalf):
    """Options, all values of the operator's own session: `cookie`, `acs_token`, `sign`, `timestamp`
    (ms, what the sign was made for; 0), `session_id` and `parent_chat_id` (a conversation to go on
    with: then only the newest turn is sent), `br` (see YiyanDecoder).
    """

    name = "yiyan"
    rewrites = True

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
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
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            "device-type": "pc",
        }
        for header, option in (("Cookie", "cookie"), ("Acs-Token", "acs_token")):
            if options.get(option):
                headers[header] = str(options[option])
        return Outgoing(PATH, msgspec.json.encode(body | request.vendor), headers, tuple(notes))

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        return YiyanDecoder(max_event_bytes, options)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return parse_error(status, headers, body)
