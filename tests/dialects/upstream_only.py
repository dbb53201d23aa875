"""What the tests of the dialects without a client half share: frames, requests with everything in
them, and how an answer is summed up."""

import json
from collections.abc import Sequence
from typing import Any

from proxy.codec.base import Outgoing
from proxy.codec.halves import UpstreamHalf
from proxy.events import Event, StreamError
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Reasoning,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from tests.dialects.answers import folded, same_however_cut, target

LIMIT = 1 << 20
WEATHER = ToolSpec(
    "weather",
    "The weather somewhere.",
    {"type": "object", "properties": {"city": {"type": "string"}}},
)
CLOCK = ToolSpec("clock")
WEATHER_OPENAI = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather somewhere.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
# A talk with everything that a turn may hold: two calls at once, their results, text behind them.
TALK = [
    Message("user", "Rome?"),
    Message(
        "assistant",
        [
            ReasoningPart("hm", "sig"),
            TextPart("Let me see."),
            ToolCallPart("c1", "weather", '{"city":"Rome"}'),
            ToolCallPart("c2", "clock"),
        ],
    ),
    Message(
        "user",
        [
            ToolResultPart("c1", "sunny"),
            ToolResultPart("c2", "noon", is_error=True),
            TextPart("And?"),
        ],
    ),
]
PICTURE = [Message("user", [TextPart("What is it?"), ImagePart("https://h/x.png")])]
EVERYTHING: dict[str, Any] = {
    "system": "Be brief.",
    "max_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["END"],
    "seed": 7,
    "user": "u1",
    "tools": [WEATHER],
    "tool_choice": ToolChoice("tool", "weather"),
    "response_format": {"type": "json_object"},
    "reasoning": Reasoning("high"),
    "metadata": {"a": 1},
    "n": 2,
}


def talk(messages: Sequence[Message] = TALK, **more: Any) -> ChatRequest:
    return ChatRequest(model="asked", messages=list(messages), **more)


def built(half: UpstreamHalf, request: ChatRequest, **options: Any) -> tuple[Outgoing, Any]:
    """What goes up, and its body read."""
    outgoing = half.build_request(request, target(**options))
    return outgoing, json.loads(outgoing.body)


def data(*values: Any, event: str = "") -> bytes:
    """Events as the vendors frame them."""
    named = f"event:{event}\n" if event else ""
    return b"".join(
        f"{named}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode() for value in values
    )


def events_of(half: UpstreamHalf, body: bytes, **options: Any) -> list[Event]:
    """The events of a body, after checking that every split gives the same."""
    return same_however_cut(lambda: half.decoder(LIMIT, options), body)


def summed(events: list[Event]) -> tuple[str, str, list[tuple[str, str, str]], str, str | None]:
    """Text, reasoning, calls (id, name, arguments), our finish and the vendor's."""
    answer = folded(events)
    assert answer.end is not None, answer.error
    calls = [
        (block.tool.id, block.tool.name, block.text) for block in answer.tool_calls() if block.tool
    ]
    return answer.text(), answer.reasoning(), calls, answer.finish.reason, answer.finish.raw


def failed(events: list[Event]) -> tuple[str, int, Any, str]:
    """Kind, status, code and message of the error at the end."""
    last = events[-1]
    assert isinstance(last, StreamError), last
    return last.error.kind, last.error.status, last.error.code, last.error.message
