"""Hugging Face's Text Generation Inference, its own `/generate_stream` (it speaks as OpenAI does at
`/v1` too). Upstream half only.

Source: the server's OpenAPI document and its router. One event a token; the last one has
`generated_text`, and nothing comes after it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Raw

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.chat_turns import drop, headers, with_vendor
from proxy.codec.failures import Told, answer_failure, coded, text_of
from proxy.codec.framed import decoded
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.sse_json import ABSENT, SSEJSONDecoder, count
from proxy.errors import Failure
from proxy.events import Event, FinishReason, Note, Usage
from proxy.framing.sse import Frame
from proxy.request import ChatRequest

NAME = "tgi"
PATH = "/generate_stream"
_SAID = ("max_tokens", "temperature", "top_p", "stop", "seed", "response_format")
# The server's own statuses for its error types.
_STATUS = {"validation": 422, "generation": 424, "overloaded": 429, "incomplete_generation": 500}


class _Token(msgspec.Struct, gc=False):
    """Special ones (`</s>`) are no text."""

    text: str = ""
    special: bool = False


class _Details(msgspec.Struct, gc=False):
    """With `details: true`, in the last event. Older servers do not count the input."""

    finish_reason: str | None = None
    generated_tokens: int | None = None
    input_length: int | None = None
    seed: Raw = ABSENT


class _Event(msgspec.Struct, gc=False):
    """`top_tokens` are there if the client asked for them, by `vendor`."""

    token: _Token | None = None
    generated_text: str | None = None
    details: _Details | None = None
    top_tokens: Raw = ABSENT
    error: str | None = None
    error_type: str | None = None


_EVENT = msgspec.json.Decoder(_Event)


def _error_of(document: Mapping[str, Any]) -> Told | None:
    """`{error, error_type}`."""
    message, kind = text_of(document, "error"), text_of(document, "error_type")
    return coded("The server", kind, message, _STATUS) if message or kind else None


class TgiDecoder(SSEJSONDecoder):
    """The token's own numbers (`id`, `logprob`), which come unasked with every token, are not
    passed on.
    """

    name = NAME
    finishes: ClassVar[Mapping[str, FinishReason]] = {
        "eos_token": "stop",
        "stop_sequence": "stop",
        "length": "length",
    }

    def _event(self, frame: Frame, out: list[Event]) -> None:
        event = decoded(_EVENT, frame.data)
        if event.error or event.error_type:
            self._broken(
                out, coded("The server", event.error_type or "", event.error or "", _STATUS)
            )
            return
        if event.token is not None and not event.token.special:
            self._text(out, event.token.text)
        self._tell(out, top_tokens=event.top_tokens)
        if event.generated_text is None:
            return
        if event.details is not None:
            self._choice(0, event.details.finish_reason)
            self._count(
                out, Usage(count(event.details.input_length), count(event.details.generated_tokens))
            )
            self._tell(out, seed=event.details.seed)
        self._complete(out)

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return _error_of(document)


class Upstream(UpstreamHalf):
    """The server takes one text and knows no turns: the talk is written into it, without the
    model's chat template. It has no options.
    """

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        notes = cannot_say(request, _SAID)
        body: dict[str, Any] = {
            "inputs": one_prompt(request, notes),
            "parameters": _parameters(request, notes),
        }
        body = with_vendor(body, request.vendor, "parameters")
        return Outgoing(PATH, msgspec.json.encode(body), headers(target.api_key), tuple(notes))

    # every answer is read alike
    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:  # noqa: ARG002
        return TgiDecoder(max_event_bytes)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return answer_failure(status, headers, body, _error_of)


def _parameters(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "max_new_tokens": request.max_tokens,
        "stop": request.stop or None,
        "seed": request.seed,
        "grammar": _grammar(request.response_format, notes),
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


def _grammar(wanted: dict[str, Any] | None, notes: list[Note]) -> dict[str, Any] | None:
    """A JSON schema, which keeps the answer to it; any JSON object for the mode that has no
    schema.
    """
    match wanted:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {"type": "json", "value": {"type": "object"}}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"type": "json", "value": schema}
    drop(
        notes,
        "response_format",
        "The upstream takes a JSON schema or the mode json_object, and nothing else.",
    )
    return None


DIALECT = Dialect(NAME, upstream=Upstream())
