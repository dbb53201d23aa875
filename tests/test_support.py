"""The check of the grammar that other tests rely on: it must let through what is right and nothing
else."""

import pytest

from proxy.errors import Failure, failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from tests.support import check_grammar, splits

END = StreamEnd(Finish("stop"))
ERROR = StreamError(failure("upstream_error", "no"))
TEXT = BlockStart(0, "text")
CALL = BlockStart(1, "tool_call", tool=Tool("a", "look"))

RIGHT: dict[str, list[Event]] = {
    "an empty answer": [END],
    "a failed one": [ERROR],
    "a start first": [StreamStart("s", "m", "u", "v", 0), END],
    "blocks that overlap": [
        TEXT,
        CALL,
        TextDelta(0, "a"),
        ToolCallDelta(1, "{}"),
        BlockEnd(1),
        TextDelta(0, "b"),
        BlockEnd(0),
        END,
    ],
    "a failure in an open block": [TEXT, TextDelta(0, "a"), ERROR],
    "usage and vendor anywhere": [
        UsageEvent(1),
        TEXT,
        Vendor("d", None),
        BlockEnd(0),
        UsageEvent(1, 2),
        END,
    ],
    "text taken back": [
        TEXT,
        TextDelta(0, "ab"),
        TextRewrite(0, 1, "c"),
        TextRewrite(0, 2, "d"),
        TextRewrite(0, 0, ""),
        BlockEnd(0),
        END,
    ],
    "a citation": [TEXT, Citation(0, start=1, end=1), BlockEnd(0), END],
    "a signature": [BlockStart(7, "reasoning"), BlockEnd(7, "sig"), END],
}

WRONG: dict[str, list[Event]] = {
    "no terminal event": [TEXT, BlockEnd(0)],
    "comes after the terminal event": [END, UsageEvent(1)],
    "comes after the terminal event ": [ERROR, END],
    "not first": [TEXT, StreamStart("s", "m", "u", "v", 0), BlockEnd(0), END],
    "open blocks": [TEXT, END],
    "used before": [TEXT, BlockEnd(0), TEXT, BlockEnd(0), END],
    "never opened": [TextDelta(0, "a"), END],
    "closed before": [TEXT, BlockEnd(0), TextDelta(0, "a"), END],
    "not open": [BlockEnd(0), END],
    "does not go into a text block": [TEXT, ReasoningDelta(0, "a"), BlockEnd(0), END],
    "does not go into a tool_call block": [CALL, TextDelta(1, "a"), BlockEnd(1), END],
    "does not go into a tool_call block ": [CALL, Citation(1), BlockEnd(1), END],
    "an empty delta": [TEXT, TextDelta(0, ""), BlockEnd(0), END],
    "cannot keep 3 of 2": [TEXT, TextDelta(0, "ab"), TextRewrite(0, 3, "c"), BlockEnd(0), END],
    "changes nothing": [TEXT, TextDelta(0, "ab"), TextRewrite(0, 2, ""), BlockEnd(0), END],
    "`tool` goes with tool calls": [BlockStart(0, "tool_call"), BlockEnd(0), END],
    "`tool` goes with tool calls ": [BlockStart(0, "text", tool=Tool("a", "b")), BlockEnd(0), END],
    "an id that is not empty": [BlockStart(0, "tool_call", tool=Tool("", "b")), BlockEnd(0), END],
    "for reasoning": [TEXT, BlockEnd(0, "sig"), END],
    "end is before start": [TEXT, Citation(0, start=2, end=1), BlockEnd(0), END],
    "a count is an integer": [UsageEvent(-1), END],
    "a count is an integer ": [StreamEnd(Finish("stop"), Usage(output_tokens=True))],
    "unknown reason": [StreamEnd(Finish("eos"))],  # type: ignore[arg-type]
    "says what happened": [
        StreamError(Failure(kind="internal", message="", retryable=False, status=500))
    ],
    "no status": [StreamError(failure("internal", "x", status=200))],
    "is no event": [None, END],  # type: ignore[list-item]
}


@pytest.mark.parametrize("events", RIGHT.values(), ids=RIGHT.keys())
def test_right(events: list[Event]) -> None:
    """A stream of the grammar passes."""
    check_grammar(events)


@pytest.mark.parametrize(("problem", "events"), WRONG.items(), ids=WRONG.keys())
def test_wrong(problem: str, events: list[Event]) -> None:
    """A stream with one fault is refused, the fault and the events named."""
    with pytest.raises(AssertionError) as caught:
        check_grammar(events)
    assert problem.strip() in str(caught.value)
    assert all(repr(event) in str(caught.value) for event in events)


def test_splits_are_all_of_the_bytes() -> None:
    """Each way of cutting gives the same bytes; whole and byte by byte are among them; one seed
    gives one result."""
    data = bytes(range(256)) * 5 + b"\n"
    ways = list(splits(data, 7))
    assert [data] * len(ways) == [b"".join(chunks) for chunks in ways]
    assert (1, len(data)) == (len(ways[0]), len(ways[1]))
    assert ways == list(splits(data, 7))
