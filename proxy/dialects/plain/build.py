"""A `ChatRequest` to `POST /data`, which is answered by a stream of text.

The upstream's options, beside those of the decoder (`done` and `empty`, see PlainDecoder):

    prompt_key   the body's key for the prompt, `prompt` by default; "" sends no body at all, for
                 servers that read none
"""

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.dialects.plain.wire import PATH
from proxy.events import Note
from proxy.request import ChatRequest

_HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    notes: list[Note] = cannot_say(request)
    prompt = one_prompt(request, notes)
    key = str(target.options.get("prompt_key", "prompt"))
    body = {key: prompt, "model": target.model or request.model, **request.vendor} if key else None
    headers = dict(_HEADERS)
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return Outgoing(PATH, b"" if body is None else msgspec.json.encode(body), headers, tuple(notes))
