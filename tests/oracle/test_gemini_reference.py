"""What the vendor documents, as its SDK's types list it: each field of a request arrives at an
upstream of the same dialect, and each field of an answer at a client of it.
"""

import json
from typing import Any

import pytest
from google.genai import types

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.gemini import DIALECT
from proxy.dialects.gemini.decode import GeminiDecoder
from tests.dialects.gemini import emit
from tests.fidelity.typed_models import sample
from tests.support import decode

assert DIALECT.client is not None
assert DIALECT.upstream is not None
_CLIENT, _UPSTREAM = DIALECT.client, DIALECT.upstream
HI: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
_TOP = {
    "systemInstruction": types.Content,
    "toolConfig": types.ToolConfig,
    "generationConfig": types.GenerationConfig,
    "modelArmorConfig": types.ModelArmorConfig,
}
_LISTED = {"tools": types.Tool, "safetySettings": types.SafetySetting}
_CONFIG = types.GenerateContentConfig
# Of the SDK itself, or said in another place of the body.
_NOT_SENT = {"http_options", "should_return_http_response", "automatic_function_calling"}


def sent(body: dict[str, Any]) -> dict[str, Any]:
    path = {"model": "m", "method": "generateContent"}
    incoming = Incoming("POST", path, {}, {}, json.dumps(body).encode())
    call = built(_UPSTREAM, _CLIENT.parse_request(incoming).request, TargetConfig("up", "m"))
    assert (True, ()) == (call.relayed, call.notes)
    said: dict[str, Any] = json.loads(call.body)
    return said


def _fields(model: Any) -> dict[str, Any]:
    said: dict[str, Any] = sample(model)
    return said


@pytest.mark.parametrize("name", [*_TOP, *_LISTED])
def test_each_field_of_a_request_arrives(name: str) -> None:
    """One by one, and all at once."""
    every = _fields(_TOP.get(name) or _LISTED[name])
    for value in (every, *({key: each} for key, each in every.items())):
        body = {**HI, name: [value] if name in _LISTED else value}
        assert body == sent(body)


def test_each_kind_of_part_arrives() -> None:
    """Of the user's and of the model's."""
    for key, value in _fields(types.Part).items():
        for role in ("user", "model"):
            body = {"contents": [*HI["contents"], {"role": role, "parts": [{key: value}]}]}
            assert body == sent(body)


def test_each_setting_of_the_sdk_arrives() -> None:
    """What stands neither in the generationConfig nor above."""
    inner = {*_fields(types.GenerationConfig), *_TOP, *_LISTED}
    fields = {
        (info.alias or name): sample(info.annotation)
        for name, info in _CONFIG.model_fields.items()
        if name not in _NOT_SENT
    }
    more = {key: value for key, value in fields.items() if key not in inner}
    assert {"cachedContent", "labels", "store", "serviceTier"} <= {*more}
    assert {**HI, **more} == sent({**HI, **more})


def _chunks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client gets, from what the vendor says."""
    said = b"data: " + json.dumps(answer).encode() + b"\r\n\r\n"
    chunks: list[dict[str, Any]] = json.loads(
        emit.encoded(decode(GeminiDecoder(1 << 20), [said]), sse=False)
    )
    return chunks


def _answer(**more: Any) -> dict[str, Any]:
    candidate = {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP", "index": 0}
    return {"candidates": [{**candidate, **more}]}


# A part is not the model's but the client's, or only says how another one is to be read.
_PARTS = {*_fields(types.Part)} - {"functionResponse", "thought", "thoughtSignature"}


@pytest.mark.parametrize("name", sorted(_PARTS))
def test_each_kind_of_part_of_an_answer_comes_back(name: str) -> None:
    """As it was."""
    part = {name: _fields(types.Part)[name]}
    if name == "functionCall":
        part = {name: {"id": "c", "name": "f", "args": {"a": 1}}}
    got = [
        each
        for chunk in _chunks(_answer(content={"parts": [part]}))
        for candidate in chunk.get("candidates", ())
        for each in candidate.get("content", {}).get("parts", ())
    ]
    assert part in got


def test_each_field_of_a_candidate_comes_back() -> None:
    """Beside its text and its finish."""
    said = _fields(types.Candidate)
    beside = {key: said[key] for key in said.keys() - {"content", "index", "finishReason"}}
    got: dict[str, Any] = {}
    for chunk in _chunks(_answer(**beside)):
        got |= chunk["candidates"][0]
    assert beside == {key: got.get(key) for key in beside}


def test_each_field_of_an_answer_comes_back() -> None:
    """The counts, and what is said of the prompt and of the model."""
    own = {"candidates", "modelVersion", "responseId"}
    # the SDK's own, and no field of the API
    own |= {"sdkHttpResponse", "automaticFunctionCallingHistory", "parsed"}
    said = _fields(types.GenerateContentResponse)
    beside = {key: said[key] for key in said.keys() - own}
    beside["promptFeedback"] = {"safetyRatings": [{"category": "c"}]}
    beside["usageMetadata"] |= {"totalTokenCount": 4, "promptTokenCount": 1}
    got: dict[str, Any] = {}
    for chunk in _chunks(_answer() | beside):
        got |= chunk
    assert beside == {key: got.get(key) for key in beside}
