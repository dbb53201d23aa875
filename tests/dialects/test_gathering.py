"""What an encoder keeps of an answer. It says which events, and then their size is bounded. Holds
for every client half."""

import tracemalloc
from collections.abc import Callable, Mapping

import pytest

from proxy.codec.base import Encoder
from proxy.dialects.registry import CLIENTS
from proxy.events import (
    BlockStart,
    Citation,
    Event,
    ReasoningDelta,
    StreamStart,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
)
from tests.fuzz.bodies import parsed_by

PIECES, CHARS = 300, 1000
START = StreamStart("s1", "asked", "far", "theirs", 1_700_000_000)
TEXT = BlockStart(0, "text")
# A block, and more of it.
MORE: Mapping[type[Event], tuple[BlockStart, Callable[[str], Event]]] = {
    ReasoningDelta: (BlockStart(0, "reasoning"), lambda text: ReasoningDelta(0, text)),
    TextDelta: (TEXT, lambda text: TextDelta(0, text)),
    ToolCallDelta: (
        BlockStart(0, "tool_call", tool=Tool("call_1", "look_up")),
        lambda text: ToolCallDelta(0, text),
    ),
    Citation: (TEXT, lambda text: Citation(0, url=f"https://example.org/{text}", title="A page")),
}


def keeps(encoder: Encoder, begin: BlockStart, more: Callable[[str], Event]) -> bool:
    """Whether what went through it stays in it."""
    for event in (START, begin, more('"before it is weighed')):
        encoder.encode(event)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(PIECES):
            encoder.encode(more(f"{number:0{CHARS}}"))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before > PIECES * CHARS / 10


@pytest.mark.parametrize("client", CLIENTS)
def test_an_encoder_says_what_it_keeps(client: str) -> None:
    kept = {
        kind
        for kind, more in MORE.items()
        if keeps(CLIENTS[client].encoder(parsed_by(client)), *more)
    }
    assert kept == CLIENTS[client].encoder(parsed_by(client)).gathers & MORE.keys()


@pytest.mark.parametrize("client", [name for name, half in CLIENTS.items() if half.rewrites])
def test_text_that_replaces_text_is_kept_as_text_is(client: str) -> None:
    gathers = CLIENTS[client].encoder(parsed_by(client)).gathers
    assert (TextDelta in gathers) == (TextRewrite in gathers)
