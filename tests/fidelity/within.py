"""What each dialect keeps over an upstream of its own: every parameter of a request, and every field
of an answer, that the vendor's SDK documents, found by asking the code.

A parameter is kept if it arrives with the value that its type has there. A field of an answer is
kept if a client that asked for one document finds it there. What the fields hold is judged in
tests/oracle.
"""

import inspect
import json
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import ollama
from anthropic.types import Message, message_create_params
from cohere.v2.client import V2Client
from google.genai import types as genai
from openai.types.chat import ChatCompletionChunk
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import Response, response_create_params
from typing_extensions import get_type_hints

from proxy.codec.base import TargetConfig
from proxy.codec.fold import WholeAnswer
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Refused
from proxy.events import StreamStart
from tests.fidelity.leaves import incoming
from tests.fidelity.typed_dicts import samples
from tests.fidelity.typed_models import alternatives, sample

# What routing decides, or where the SDK's own settings stand.
_NO_PARAMETERS = frozenset({"self", "model", "stream", "stream_options", "request_options"})
# Settings of a request that a Responses answer repeats.
_REPEATED = frozenset({"instructions", "max_output_tokens", "previous_response_id", "user"})
# Fields of Gemini's answer that its SDK adds itself.
_OF_THE_SDK = frozenset({"sdk_http_response", "automatic_function_calling_history", "parsed"})
_TOOL = {"type": "function", "function": {"name": "x", "parameters": {"type": "object"}}}
_TALK = [{"role": "user", "content": "hi"}]


class Documented(NamedTuple):
    """`parameters` have a value each, and stand in the body's key `within`, where that is not "".
    `answer` is a stream of the vendor's that says `fields`.
    """

    base: dict[str, Any]
    parameters: dict[str, Any]
    within: str = ""
    fields: Mapping[str, Any] = {}
    answer: bytes = b""


def _typed(*hints: type) -> dict[str, Any]:
    found = {name: kind for each in hints for name, kind in get_type_hints(each).items()}
    return {name: next(samples(kind)) for name, kind in found.items()}


def _signature(function: Callable[..., Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(function, include_extras=True)
    found: dict[str, Any] = {}
    for name in inspect.signature(function).parameters:
        kinds = (
            [kind for kind in alternatives(hints[name]) if kind is not type(None)]
            if (name not in _NO_PARAMETERS)
            else []
        )
        if kinds:
            found[name] = sample(kinds[0])
    return found


def _sse(*said: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in said)


def _openai_chat() -> Documented:
    hints = _typed(chat_params.CompletionCreateParamsBase)
    chunk = sample(ChatCompletionChunk)
    chunk["choices"][0] |= {"index": 0, "finish_reason": "stop"}
    chunk["choices"][0]["delta"] = {"content": "x"}
    del chunk["choices"][0]["logprobs"]
    return Documented({"messages": _TALK}, hints, "", chunk, _sse(chunk) + b"data: [DONE]\n\n")


def _anthropic() -> Documented:
    hints = _typed(message_create_params.MessageCreateParamsBase)
    message = {**sample(Message), "content": [], "stop_details": None}
    delta = {"stop_reason": "end_turn", "stop_sequence": "x", "container": message["container"]}
    said = _sse(
        {"type": "message_start", "message": {**message, "stop_reason": None}},
        {"type": "message_delta", "delta": delta, "usage": message["usage"]},
        {"type": "message_stop"},
    )
    return Documented({"messages": _TALK, "max_tokens": 9000}, hints, "", message, said)


def _openai_responses() -> Documented:
    hints = _typed(response_create_params.ResponseCreateParamsBase)
    response = {**sample(Response), "output": [], "status": "completed", "error": None}
    response["incomplete_details"] = None
    done = {"type": "response.completed", "sequence_number": 1, "response": response}
    return Documented({"input": "hi"}, hints, "", response, _sse(done))


def _gemini() -> Documented:
    config = {
        f.alias or name: sample(f.annotation)
        for name, f in genai.GenerationConfig.model_fields.items()
    }
    base = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    response = {
        f.alias or name: sample(f.annotation)
        for name, f in genai.GenerateContentResponse.model_fields.items()
        if name not in _OF_THE_SDK
    }
    del response["promptFeedback"]["blockReason"]  # it would be no answer
    content = {"role": "model", "parts": [{"text": "x"}]}
    response["candidates"] = [{"index": 0, "content": content, "finishReason": "STOP"}]
    return Documented(base, config, "generationConfig", response, _sse(response))


def _cohere() -> Documented:
    return Documented({"messages": _TALK}, _signature(V2Client.chat_stream))


def _ollama() -> Documented:
    line = {**sample(ollama.ChatResponse), "done": True, "done_reason": "stop"}
    line["message"] = {"role": "assistant", "content": "x"}
    said = json.dumps(line).encode() + b"\n"
    hints = {**_signature(ollama.Client.chat), "tools": [_TOOL]}  # its type is any mapping
    return Documented({"messages": _TALK}, hints, "", line, said)


DOCUMENTED: dict[str, Callable[[], Documented]] = {
    "openai_chat": _openai_chat,
    "anthropic": _anthropic,
    "openai_responses": _openai_responses,
    "gemini": _gemini,
    "cohere": _cohere,
    "ollama": _ollama,
}


def parameters(dialect: str) -> Iterator[tuple[str, bool]]:
    """Each parameter, and whether it is kept."""
    asked = DOCUMENTED[dialect]()
    for name, value in asked.parameters.items():
        if name in _NO_PARAMETERS or name in asked.base:
            continue
        said = {asked.within: {name: value}} if asked.within else {name: value}
        body = {"model": "m", **asked.base, **said}
        try:
            request = CLIENTS[dialect].parse_request(incoming(dialect, body)).request
        except Refused:
            yield name, False
            continue
        call = built(UPSTREAMS[dialect], request, TargetConfig("up", "m", "key"))
        sent = json.loads(call.body)
        yield name, not call.notes and said.items() <= sent.items()


def fields(dialect: str) -> Iterator[tuple[str, bool]]:
    """Each field of an answer, and whether it is kept; none where its stream has another form than
    its document."""
    said = DOCUMENTED[dialect]()
    if not said.answer:
        return
    decoder = UPSTREAMS[dialect].decoder(1 << 20, {})
    whole = WholeAnswer()
    whole.add(StreamStart("s", "m", "up", "m", 1))
    for event in (*decoder.feed(said.answer), *decoder.close()):
        whole.add(event)
    assert whole.error is None, whole.error
    repeated = {
        name: value
        for name, value in said.fields.items()
        if said.parameters.get(name) is not None and name in _REPEATED
    }
    body = {"model": "m", **repeated, **said.base, "stream": False}
    parsed = CLIENTS[dialect].parse_request(incoming(dialect, body))
    document = json.loads(CLIENTS[dialect].whole(parsed, whole).body)
    for name in said.fields:
        yield name, document.get(name) is not None or said.fields[name] is None
