"""A `ChatRequest` to `POST /data`, which is answered by a stream of text.

The upstream's options, beside those of the decoder (`done` and `empty`, see PlainDecoder):

    prompt_key   the body's key for the prompt, `prompt` by default; "" sends no body at all, for
                 servers that read none
"""

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.relaying import own_body
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.plain.wire import PATH
from proxy.events import Note
from proxy.request import ChatRequest, Original

_HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    notes: list[Note] = cannot_say(request)
    prompt = one_prompt(request, notes)
    key = _key(target)
    if not key:
        return Outgoing(PATH, b"", _headers(target), tuple(notes))
    body = {key: prompt, "model": target.model or request.model, **request.vendor}
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(PATH, msgspec.json.encode(body), _headers(target), tuple(notes))


def relay_request(
    request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. How the answer ends is the upstream's affair, so `done` is
    left out. None for a body without the prompt, and for one with a system text, of which most
    servers know nothing.
    """
    key, said = _key(target), original.body
    if not key or "prompt" not in said or said.get("system"):
        return None
    notes: list[Note] = []
    streamed = {"stream": True} if "stream" in said else {}
    body = own_body(original, {"model": target.model or request.model, **streamed})
    body.pop("done", None)
    body = {key if name == "prompt" else name: value for name, value in body.items()}
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(PATH, msgspec.json.encode(body), _headers(target), tuple(notes))


def _key(target: TargetConfig) -> str:
    return str(target.options.get("prompt_key", "prompt"))


def _headers(target: TargetConfig) -> dict[str, str]:
    headers = dict(_HEADERS)
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return headers
