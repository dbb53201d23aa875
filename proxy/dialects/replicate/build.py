"""A `ChatRequest` to a prediction of Replicate's, and a prediction to the request for its stream.

A model's inputs are its own. What they are called for most language models is the default; the
upstream's options, all with defaults:

    version        a model's version, to be run instead of what the model says
    input          what this model calls its inputs, by our words: prompt, system, max_tokens,
                   temperature, top_p, stop, seed; null: none
    extra          further inputs that are always sent; a client's own (`vendor.input`) go over them
    stream_hosts   hosts beside the base URL's own where a stream may be (see
                   `proxy/relay/follow.py`)
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, headers, options_of, path_part, with_vendor
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.replicate.wire import Prediction
from proxy.events import Note
from proxy.request import ChatRequest

_prediction = msgspec.json.Decoder(Prediction)


class _Inputs(msgspec.Struct, forbid_unknown_fields=True):
    prompt: str = "prompt"
    system: str | None = "system_prompt"
    max_tokens: str | None = "max_tokens"
    temperature: str | None = "temperature"
    top_p: str | None = "top_p"
    stop: str | None = "stop_sequences"
    seed: str | None = "seed"


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    version: str | None = None
    input: _Inputs = msgspec.field(default_factory=_Inputs)
    extra: dict[str, Any] = {}
    stream_hosts: list[str] = []


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. A model is owner/name, owner/name:version or a version's id
    alone.
    """
    options = options_of(target, _Options)
    inputs: dict[str, str | None] = msgspec.structs.asdict(options.input)
    notes = cannot_say(request, [ours for ours, theirs in inputs.items() if theirs is not None])
    said = _said(request, notes, has_system=options.input.system is not None)
    own = {
        theirs: said[ours]
        for ours, theirs in inputs.items()
        if theirs is not None and said.get(ours) is not None
    }
    path, version = _place(target.model or request.model, options.version)
    body = with_vendor({"input": options.extra | own}, request.vendor, "input")
    keep_to(target.rules, body["input"], notes, target.upstream)
    body |= {**version, "stream": True}  # after the client's own: the answer must be a stream
    return Outgoing(
        path,
        msgspec.json.encode(body),
        headers(target.api_key, accept="application/json"),
        tuple(notes),
    )


def follow(target: TargetConfig, body: bytes) -> Outgoing | None:
    """See `UpstreamHalf.follow`."""
    try:
        urls = _prediction.decode(body).urls
    except (ValueError, RecursionError):  # msgspec's own errors and bad UTF-8 are ValueErrors
        return None
    if urls is None or not urls.stream:
        return None
    sent = headers(target.api_key, cache_control="no-store")
    del sent["content-type"]
    return Outgoing(urls.stream, b"", sent, method="GET")


def _said(request: ChatRequest, notes: list[Note], *, has_system: bool) -> dict[str, Any]:
    """The inputs by our words. Without a word for it, the system text stands in the prompt."""
    talk = msgspec.structs.replace(request, system=None) if has_system else request
    return {
        "prompt": one_prompt(talk, notes),
        "system": request.system or None,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": _stops(request.stop, notes),
        "seed": request.seed,
    }


def _stops(stop: list[str], notes: list[Note]) -> str | None:
    """One text, parted by commas."""
    if any("," in each for each in stop):
        drop(
            notes,
            "stop",
            (
                "Stop sequences that hold a comma are left out: the upstream takes one text that "
                "is parted by commas."
            ),
        )
    return ",".join(each for each in stop if "," not in each) or None


def _place(model: str, version: str | None) -> tuple[str, dict[str, str]]:
    """The path, and the body's `version` where it is by version that the model is found."""
    name, colon, own = model.partition(":")
    owner, slash, name = name.partition("/")
    if version or colon or not slash:
        return "/v1/predictions", {"version": version or (own if colon else model)}
    return f"/v1/models/{path_part(owner)}/{path_part(name)}/predictions", {}
