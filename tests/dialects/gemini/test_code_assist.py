"""Clients and upstreams that speak in Code Assist's wrapper."""

import json
from typing import Any

import pytest

from proxy.codec.base import Incoming, Listed, Models, Parsed
from proxy.codec.fold import WholeAnswer
from proxy.dialects.gemini import DIALECT
from proxy.errors import Refused, failure
from proxy.events import BlockStart, Event, StreamEnd, StreamError, TextDelta
from tests.dialects.answers import START, ending, text_block
from tests.support import decode, splits

CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]
ASKED = {"contents": CONTENTS, "session_id": "s", "generationConfig": {"temperature": 0.5}}
BODY = {"model": "gemini-x", "project": "p", "user_prompt_id": "u", "request": ASKED}


def parsed(body: Any, method: str = "streamGenerateContent") -> Parsed:
    assert DIALECT.client is not None
    query = {"alt": "sse"} if method == "streamGenerateContent" else {}
    data = json.dumps(body).encode()
    return DIALECT.client.parse_request(Incoming("POST", {"method": method}, query, {}, data))


def test_the_request_within_is_the_request() -> None:
    """Without what the Gemini API does not know, as another upstream of this dialect gets it."""
    read = parsed(BODY)
    request = read.request
    assert ("gemini-x", "hi", 0.5) == (request.model, request.messages[0].text, request.temperature)
    assert request.original is not None
    wanted = {name: value for name, value in ASKED.items() if name != "session_id"}
    assert (wanted, ()) == (request.original.body, read.notes)
    assert request.stream
    assert not parsed(BODY, "generateContent").request.stream


@pytest.mark.parametrize(
    ("body", "param"), [({"model": "m"}, "request"), ({"request": ASKED}, "model")]
)
def test_what_is_missing_is_named(body: Any, param: str) -> None:
    with pytest.raises(Refused) as caught:
        parsed(body)
    assert param == caught.value.failure.param


def test_chunks_and_documents_stand_in_the_wrapper_and_errors_do_not() -> None:
    assert DIALECT.client is not None
    encoder = DIALECT.client.encoder(parsed(BODY))
    events: list[Event] = [START, *text_block("hi"), ending()]
    frames = b"".join(encoder.encode(event) for event in events).split(b"\r\n\r\n")[:-1]
    chunks = [json.loads(frame.removeprefix(b"data: "))["response"] for frame in frames]
    said = [part["text"] for chunk in chunks for part in _parts(chunk) if "text" in part]
    assert "hi" == "".join(said)
    encoder = DIALECT.client.encoder(parsed(BODY))
    encoder.encode(START)
    error = encoder.encode(StreamError(failure("upstream_error", "Gone.")))
    assert "Gone." in json.loads(error.removeprefix(b"data: "))["error"]["message"]
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    document = json.loads(DIALECT.client.whole(parsed(BODY, "generateContent"), answer).body)
    assert "hi" == _parts(document["response"])[0]["text"]


def _parts(chunk: dict[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = chunk["candidates"][0]["content"]["parts"]
    return parts


def test_to_count_the_model_stands_within_the_request() -> None:
    assert DIALECT.client is not None
    assert DIALECT.client.counting is not None
    body = {"request": {"model": "models/gemini-x", "contents": CONTENTS}}
    incoming = Incoming("POST", {"method": "countTokens"}, {}, {}, json.dumps(body).encode())
    request = DIALECT.client.counting.parse(incoming).request
    assert ("gemini-x", "hi") == (request.model, request.messages[0].text)


def test_an_upstreams_wrapped_chunks_are_its_chunks() -> None:
    assert DIALECT.upstream is not None
    pieces: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}}]},
        {
            "candidates": [{"content": {"parts": [{"text": "!"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2},
        },
    ]
    body = b"".join(
        b"data: " + json.dumps({"response": piece, "traceId": "t"}).encode() + b"\r\n\r\n"
        for piece in pieces
    )
    for chunks in splits(body):
        events = decode(DIALECT.upstream.decoder(1 << 20, {}), chunks)
        assert BlockStart(0, "text") in events
        assert "hi!" == "".join(event.text for event in events if isinstance(event, TextDelta))
        end = events[-1]
        assert isinstance(end, StreamEnd)
        assert (3, 2) == (end.usage.input_tokens, end.usage.output_tokens)


def _none(name: str) -> Listed:
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("said", "project"), [({"cloudaicompanionProject": "p"}, "p"), ({}, "mainstem")]
)
def test_a_user_is_known_before_the_first_prompt(said: dict[str, Any], project: str) -> None:
    """Gemini CLI asks for its user's tier and project, and ends where it gets none."""
    assert DIALECT.client is not None
    incoming = Incoming("POST", {}, {}, {}, json.dumps({**said, "metadata": {}}).encode())
    load, onboard = (
        json.loads(aside.answer(incoming, Models([], 0, _none)).body)
        for aside in DIALECT.client.asides
    )
    assert (project, "standard-tier") == (
        load["cloudaicompanionProject"],
        load["currentTier"]["id"],
    )
    user = {"cloudaicompanionProject": {"id": project, "name": project}}
    assert (True, user) == (onboard["done"], onboard["response"])
