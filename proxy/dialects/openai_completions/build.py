"""A `ChatRequest`, or a client's own completion, to the body of `POST /completions`, behind a base
URL that ends in the version (`https://api.openai.com/v1`).

The endpoint takes one text and knows no turns: the talk is written into it, and the last line calls
for the assistant's. Without `max_tokens` OpenAI answers with 16 tokens.

The upstream's options, all with defaults:

    include_usage    false for servers that refuse `stream_options`; their usage is then unknown
                     unless they send it unasked
    api_key_header   the header that takes the bare key; by default `Authorization: Bearer`
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import headers, options_of
from proxy.codec.relaying import own_body
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.events import Note
from proxy.request import ChatRequest, Original

PATH = "/completions"
_SAID = (
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "n",
    "user",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
)


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    include_usage: bool = True
    api_key_header: str | None = None


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Options that are none raise Refused (`internal`): the
    operator's fault.
    """
    options = options_of(target, _Options)
    notes = cannot_say(request, _SAID)
    prompt = one_prompt(request, notes)
    if len(request.messages) > 1:
        prompt += "\n\nAssistant:"
    body: dict[str, Any] = {
        "model": target.model or request.model,
        "prompt": prompt,
        "stream": True,
    }
    if options.include_usage:
        body["stream_options"] = {"include_usage": True}
    said = {name: getattr(request, name) for name in _SAID}
    body.update({name: value for name, value in said.items() if value not in (None, [])})
    body.update(request.vendor)
    return _called(body, target, options, notes)


def relay_request(request: ChatRequest, original: Original, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.relay_request`: the client's body, in which the model, that a stream is
    wanted and its counts are set.
    """
    options = options_of(target, _Options)
    body = own_body(original, {"model": target.model or request.model, "stream": True})
    if options.include_usage:
        asked = body.get("stream_options")
        body["stream_options"] = {**(asked or {}), "include_usage": True}
    else:
        body.pop("stream_options", None)
    return _called(body, target, options, [])


def _called(
    body: dict[str, Any], target: TargetConfig, options: _Options, notes: list[Note]
) -> Outgoing:
    keep_to(target.rules, body, notes, target.upstream)
    if options.api_key_header is None or target.api_key is None:
        sent = headers(target.api_key)
    else:
        sent = {**headers(None), options.api_key_header: target.api_key}
    return Outgoing(PATH, msgspec.json.encode(body), sent, tuple(notes))
