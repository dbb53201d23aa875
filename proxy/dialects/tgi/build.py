"""A `ChatRequest` to the server's prompt and parameters.

The server takes one text and knows no turns: the talk is written into it, without the model's chat
template. The upstream has no options.
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, headers, with_vendor
from proxy.codec.response_format import wanted_format
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.tgi.wire import PATH
from proxy.events import Note
from proxy.request import ChatRequest

_SAID = (
    *("max_tokens", "temperature", "top_p", "top_k", "stop", "seed", "response_format"),
    *("repetition_penalty", "frequency_penalty", "top_logprobs"),
)


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    notes = cannot_say(request, _SAID)
    body: dict[str, Any] = {
        "inputs": one_prompt(request, notes),
        "parameters": _parameters(request, notes),
    }
    body = with_vendor(body, request.vendor, "parameters")
    keep_to(target.rules, body["parameters"], notes, target.upstream)
    return Outgoing(PATH, msgspec.json.encode(body), headers(target.api_key), tuple(notes))


def _parameters(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "max_new_tokens": request.max_tokens,
        "stop": request.stop or None,
        "seed": request.seed,
        "top_k": request.top_k,
        "repetition_penalty": request.repetition_penalty,
        "frequency_penalty": request.frequency_penalty,
        "top_n_tokens": request.top_logprobs,
        "grammar": _grammar(request, notes),
        **_sampling(request, notes),
    }
    return {"details": True, "return_full_text": False} | {
        name: value for name, value in said.items() if value is not None
    }


def _sampling(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """The server refuses a temperature of 0 and a top_p of 1: what they mean is said by not
    sampling, or by leaving it out.
    """
    if request.temperature == 0:
        if request.top_p is not None:
            drop(
                notes,
                "top_p",
                "With a temperature of 0 nothing is sampled, so top_p has no meaning.",
            )
        return {"do_sample": False}
    top_p = request.top_p if request.top_p is not None and request.top_p < 1 else None
    sample = True if request.temperature is not None or top_p is not None else None
    return {"temperature": request.temperature, "top_p": top_p, "do_sample": sample}


def _grammar(request: ChatRequest, notes: list[Note]) -> dict[str, Any] | None:
    """A JSON schema, which keeps the answer to it; any JSON object for the mode that has no
    schema.
    """
    wanted = wanted_format(request.response_format, notes)
    if wanted is None:
        return None
    return {"type": "json", "value": wanted.schema or {"type": "object"}}
