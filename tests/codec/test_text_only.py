"""Encoders of one text: what a dialect has no words for is left out."""

from proxy.codec.text_only import TextOnlyEncoder
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    TextRewrite,
    UsageEvent,
    Vendor,
)
from tests.dialects.answers import START

EVENTS: list[Event] = [
    START,
    Vendor("other", {}),
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "a"),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "b"),
    TextRewrite(1, 0, "c"),
    Citation(1, None, None, None, None, None),
    UsageEvent(1, 2),
    BlockEnd(1),
    StreamEnd(Finish("stop")),
    StreamError(failure("upstream_error", "Why.")),
]


class Spoken(TextOnlyEncoder):
    """A dialect of text and reasoning."""

    def _text(self, block: int, text: str) -> bytes:
        return text.encode()

    def _reasoning(self, text: str) -> bytes:
        return b"(" + text.encode()

    def _reasoned(self) -> bytes:
        return b")"


def test_a_dialect_says_what_it_has_words_for() -> None:
    encoder = Spoken()
    assert b"(a)b" == b"".join(map(encoder.encode, EVENTS))


def test_a_dialect_without_words_says_nothing() -> None:
    encoder = TextOnlyEncoder()
    assert {b""} == set(map(encoder.encode, EVENTS))


def test_another_choice_has_no_place() -> None:
    encoder = Spoken()
    events = [BlockStart(0, "text", choice=1), TextDelta(0, "a"), TextRewrite(0, 0, "b")]
    assert b"" == b"".join(map(encoder.encode, [*events, ReasoningDelta(0, "c"), BlockEnd(0)]))
