"""Chunks that say a text and nothing else, and are alike in what is read of them, may be read in
short: they say what they would say alone."""

import json
from typing import Any

import pytest

from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    UsageEvent,
    Vendor,
)

MAX = 1 << 16


def said(text: Any, beside: Any = None, padding: int = 0, **top: Any) -> bytes:
    """A chunk as OpenAI pads it: what differs is not read."""
    choice = {"index": 0, "delta": {"content": text, **(beside or {})}, "finish_reason": None}
    chunk = {"id": "c1", "choices": [choice], **top, "obfuscation": "x" * padding}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def fed(*chunks: bytes) -> list[Event]:
    """What the last of these gives, after three of padded text."""
    decoder = ChatDecoder(MAX)
    texts = [decoder.feed(said(text, padding=at)) for at, text in enumerate(("So ", "it ", "is "))]
    assert [[BlockStart(0, "text"), TextDelta(0, "So ")], [TextDelta(0, "it ")]] == texts[:2]
    assert [TextDelta(0, "is ")] == texts[2]
    return [decoder.feed(chunk) for chunk in chunks][-1]


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def test_only_the_text_of_a_padded_chunk_differs():
    """However it is written, and in one event with others or not."""
    assert [TextDelta(0, 'a "b"\n中文')] == fed(said('a "b"\n中文', padding=9))
    assert [TextDelta(0, "a"), TextDelta(0, "b")] == fed(said("a", padding=7) + said("b"))
    assert [] == fed(said("", padding=5))
    assert [] == fed(said(None))


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        (said("x", {"reasoning_content": "hm"}), [BlockEnd, BlockStart, ReasoningDelta]),
        (said("x", {"audio": {"id": "a"}}), [TextDelta, Vendor]),
        (said("x", usage={"prompt_tokens": 1, "completion_tokens": 2}), [UsageEvent, TextDelta]),
        (said("x", citations=["https://a.example"]), [Vendor, TextDelta]),
        (said([{"type": "text", "text": "x"}]), [TextDelta]),
        (said(7), []),
        (said("x", error={"message": "broken"}), [StreamError]),
        (said("x").replace(b'"index": 0', b'"index": 1'), [BlockStart, TextDelta]),
        (said("x").replace(b"data:", b"event: error\ndata:"), [StreamError]),
        (b"data: [DONE]\n\n", [StreamError]),
    ],
)
def test_what_says_more_is_read_in_full(chunk, expected):
    """And so is what comes behind it."""
    assert expected == kinds(fed(chunk))[: len(expected)]
    if StreamError not in expected:
        assert "again" in [getattr(event, "text", "") for event in fed(chunk, said("again"))]


def test_a_text_after_another_block_opens_its_own():
    """A chunk that is like the one before the reasoning is not in its block."""
    events = fed(said(None, {"reasoning_content": "hm"}), said("more", padding=3))

    assert [BlockEnd(1), BlockStart(2, "text"), TextDelta(2, "more")] == events


def test_what_is_told_only_once_is_told_once():
    """Usage, and what a vendor repeats in each chunk."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    first = said("a", usage=usage, provider="p")

    assert [] == [e for e in fed(first, first, first) if type(e) is not TextDelta]


def test_a_finish_reason_in_a_chunk_with_text_counts():
    """It is like the others but for that."""
    last = said("x").replace(b'"finish_reason": null', b'"finish_reason": "length"')

    end = fed(last, last, b"data: [DONE]\n\n")[-1]

    assert isinstance(end, StreamEnd)
    assert "length" == end.finish.raw


def test_a_text_beside_a_refusal_has_its_own_block():
    """Though a chunk with this refusal alone came before it."""
    refused = said(None, {"refusal": "no "})
    events = fed(refused, refused, said("more", {"refusal": "no "}))

    assert TextDelta(2, "more") in events
    assert TextDelta(1, "more") not in events
