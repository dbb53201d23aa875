"""The upstream half: `POST /data`, answered by a stream of text."""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.base import Decoder, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.failures import framework_failure
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.dialects.plain.decode import PlainDecoder
from proxy.dialects.plain.wire import PATH
from proxy.errors import Failure
from proxy.events import Note
from proxy.request import ChatRequest

_HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}


class PlainUpstream(UpstreamHalf):
    """Options: `prompt_key`, the body's key for the prompt ("prompt"); "" sends no body at all, for
    servers that read none.

    `done` and `empty` are the decoder's (see PlainDecoder).
    """

    name = "plain"

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        notes: list[Note] = cannot_say(request)
        prompt = one_prompt(request, notes)
        key = str(target.options.get("prompt_key", "prompt"))
        body = (
            {key: prompt, "model": target.model or request.model, **request.vendor} if key else None
        )
        headers = dict(_HEADERS)
        if target.api_key:
            headers["Authorization"] = f"Bearer {target.api_key}"
        return Outgoing(
            PATH, b"" if body is None else msgspec.json.encode(body), headers, tuple(notes)
        )

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        return PlainDecoder(max_event_bytes, options)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return framework_failure(status, headers, body)
