"""What a vendor must see again, for clients whose dialect has no place for it: it is in the message
in `reasoning_details`, whole and streamed, and it is read back. tests/oracle says which SDKs keep it.
"""

import json
from typing import Any

import pytest

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.fold import WholeAnswer
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    Tool,
    ToolCallDelta,
)
from proxy.request import ReasoningPart, ToolCallPart
from tests.dialects.answers import START, folded, params

CLAUDE, GEMINI = "anthropic-claude-v1", "google-gemini-v1"
ANSWER: list[Event] = [
    START,
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "h"),
    ReasoningDelta(0, "m"),
    BlockEnd(0, "SIG", CLAUDE),
    BlockStart(1, "reasoning"),
    BlockEnd(1, "ENC", CLAUDE, True),
    BlockStart(2, "tool_call", tool=Tool("c1", "weather")),
    ToolCallDelta(2, '{"city":"Rome"}'),
    BlockEnd(2, "GG", GEMINI),
    StreamEnd(Finish("tool_calls")),
]
DETAILS = [
    {"type": "reasoning.text", "text": "hm", "signature": "SIG", "format": CLAUDE, "index": 0},
    {"type": "reasoning.encrypted", "data": "ENC", "format": CLAUDE, "index": 1},
    {"type": "reasoning.encrypted", "data": "GG", "format": GEMINI, "index": 2, "id": "c1"},
]
DIALECTS = ["cohere", "ollama"]


def asked(*messages: dict[str, Any]) -> Incoming:
    talk = [{"role": "user", "content": "hi"}, *messages]
    body = {"model": "m", "messages": talk, "stream": True}
    return Incoming("POST", {}, {}, {}, json.dumps(body).encode())


def message_of(client: str, whole: WholeAnswer) -> dict[str, Any]:
    half = CLIENTS[client]
    said: dict[str, Any] = json.loads(half.whole(half.parse_request(asked()), whole).body)[
        "message"
    ]
    return said


def streamed(client: str, name: str) -> list[Any]:
    """All that the deltas of a stream say of one key of the message."""
    half = CLIENTS[client]
    encoder = half.encoder(half.parse_request(asked()))
    body = b"".join(encoder.encode(event) for event in ANSWER)
    said: list[Any] = []
    for line in body.splitlines():
        data = line.removeprefix(b"data: ")
        if data.startswith(b"{"):
            piece = json.loads(data)
            said += piece.get("delta", piece).get("message", {}).get(name, [])
    return said


@pytest.mark.parametrize("client", DIALECTS)
def test_it_is_in_the_message(client: str) -> None:
    """Streamed, each piece comes once."""
    assert message_of(client, folded(ANSWER))["reasoning_details"] == DETAILS
    assert streamed(client, "reasoning_details") == DETAILS


@pytest.mark.parametrize("client", DIALECTS)
def test_a_message_that_proves_nothing_has_no_such_key(client: str) -> None:
    """Clients that never talk with such a vendor see the vendor's own form."""
    plain = [
        event if not isinstance(event, BlockEnd) else BlockEnd(event.block) for event in ANSWER
    ]
    assert "reasoning_details" not in message_of(client, folded(plain))


@pytest.mark.parametrize("client", DIALECTS)
def test_it_is_read_back(client: str) -> None:
    """Reasoning with its proof stands in place of the same reasoning without."""
    message = message_of(client, folded(ANSWER))
    request = CLIENTS[client].parse_request(asked(message)).request
    assert [
        ReasoningPart("hm", "SIG", format=CLAUDE),
        ReasoningPart("", "ENC", redacted=True, format=CLAUDE),
        ToolCallPart("c1", "weather", '{"city":"Rome"}', signature="GG", format=GEMINI),
    ] == request.messages[1].content


def test_cohere_is_not_shown_it() -> None:
    """It would not know the key."""
    message = message_of("cohere", folded(ANSWER))
    parsed = CLIENTS["cohere"].parse_request(asked(message))
    call = built(UPSTREAMS["cohere"], parsed.request, TargetConfig("up", "m", "key"))
    assert call.relayed
    assert "reasoning_details" not in json.loads(call.body)["messages"][1]
    assert {"messages.reasoning_details"} == params(call.notes)
