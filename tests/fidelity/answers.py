"""What of an answer each client dialect has a place for: every part is looked for in the bytes that
a client gets, as a stream and as one document."""

from typing import get_args

from proxy.codec.base import Parsed
from proxy.codec.fold import WholeAnswer
from proxy.codec.halves import Part
from proxy.codec.settle import settling
from proxy.dialects.registry import CLIENTS
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
)
from proxy.request import ChatRequest

PARTS: tuple[Part, ...] = get_args(Part)
_ANSWER: tuple[Event, ...] = (
    StreamStart("s1", "m", "far", "m", 1),
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "a-thought"),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "The Rhine is long."),
    Citation(1, "https://a.example/rhine", "The Rhine", None, 4, 9),
    BlockEnd(1),
    Image("data:image/png;base64,iVBORw0KGgo="),
    BlockStart(2, "tool_call", tool=Tool("call_1", "named_tool")),
    ToolCallDelta(2, "{}"),
    BlockEnd(2),
    StreamEnd(Finish("tool_calls"), Usage(1, 2)),
)
# What shows that a part is there.
_MARKS: dict[Part, bytes] = {
    "reasoning": b"a-thought",
    "tool_call": b"named_tool",
    "citation": b"https://a.example/rhine",
    "image": b"iVBORw0KGgo=",
}


def _parsed(dialect: str, *, stream: bool) -> Parsed:
    asked = ChatRequest(model="m", messages=[], stream=stream)
    return Parsed(asked, CLIENTS[dialect].watching)


def streamed(dialect: str) -> set[Part]:
    """The parts that a stream has."""
    client = CLIENTS[dialect]
    encoder = settling(client.encoder(_parsed(dialect, stream=True)), client, rewrites=False)
    return _found(b"".join(encoder.encode(event) for event in _ANSWER))


def whole(dialect: str) -> set[Part]:
    """The parts that a document has."""
    answer = WholeAnswer()
    for event in _ANSWER:
        answer.add(event)
    return _found(CLIENTS[dialect].whole(_parsed(dialect, stream=False), answer).body)


def _found(body: bytes) -> set[Part]:
    return {part for part, mark in _MARKS.items() if mark in body}
