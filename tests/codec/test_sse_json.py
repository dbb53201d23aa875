"""What decoders share whose vendors count tokens: ends, extras told once, sources, bounds. By a
small dialect of its own."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Raw

from proxy.codec.counts import count
from proxy.codec.failures import Told
from proxy.codec.finishes import Finishes
from proxy.codec.sse_json import ABSENT, Source, SSEJSONDecoder
from proxy.events import Citation, Event, StreamError, Usage, UsageEvent
from proxy.framing.sse_frame import Frame
from tests.dialects.answers import folded, told
from tests.dialects.upstream_only import data, failed, summed
from tests.support import decode


class Said(msgspec.Struct):
    text: str = ""
    choice: int = 0
    end: str | None = None
    tokens: int | None = None
    page: str | None = None
    extra: Raw = ABSENT


class Small(SSEJSONDecoder):
    name = "small"
    finishes: ClassVar[Finishes] = Finishes({"stop": "stop", "call": "tool_calls"})

    def _event(self, frame: Frame, out: list[Event]) -> None:
        said = msgspec.json.decode(frame.data, type=Said)
        choice = self._choice(said.choice, said.end)
        if said.page:
            self._found([Source(said.page, None), Source(None, None)])
        self._tell(out, extra=said.extra)
        self._text(out, said.text, choice)
        self._count(out, Usage(output_tokens=count(said.tokens)))

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return Told("No.") if "wrong" in document else None


def read(*values: Any, bound: int = 10_000) -> list[Event]:
    return decode(Small(bound), [data(*values)])


def test_every_choice_must_end():
    """A body that ends before that was cut."""
    assert (
        "upstream_truncated"
        == failed(read({"text": "a", "end": "stop"}, {"text": "b", "choice": 1}))[0]
    )
    assert ("a", "", [], "stop", "stop") == summed(
        read({"text": "a", "end": "stop"}, {"choice": 1, "end": "odd"})
    )
    assert (
        "upstream_truncated"
        == failed(decode(Small(99), [data({"text": "a"}) + b"data: [DONE]\n\n"]))[0]
    )


def test_words_that_mean_no_end_yet():
    """Empty, and null as a word."""
    assert "upstream_truncated" == failed(read({"text": "a", "end": ""}, {"end": "null"}))[0]


def test_an_unknown_word_is_passed_on():
    """But not a page of it."""
    assert ("other", "x" * 100) == summed(read({"end": "x" * 200}))[3:]


def test_extras_are_told_when_they_change():
    """And not where they say nothing."""
    values: list[Any] = [None, [], {}, "", False, 1, 1, {"a": 2}, 1]
    assert [{"extra": 1}, {"extra": {"a": 2}}, {"extra": 1}] == told(
        read(*({"extra": value} for value in values), {"end": "stop"})
    )


def test_extras_that_are_too_deep_are_refused():
    """They could not be written again."""
    assert (
        "upstream_malformed"
        == failed(decode(Small(10_000), [b'data: {"extra":' + b"[" * 200 + b"]" * 200 + b"}\n\n"]))[
            0
        ]
    )


def test_sources_wait_for_a_text():
    """Each counts once; one with nothing in it is none."""
    events = read(
        {"page": "https://a"},
        {"page": "https://a", "text": "x"},
        {"page": "https://b", "text": "y"},
        {"end": "stop"},
    )
    assert [Citation(0, "https://a"), Citation(0, "https://b")] == [
        e for e in events if isinstance(e, Citation)
    ]


def test_sources_that_wait_are_bounded():
    """Like an event."""
    events = read(
        *({"page": f"https://{number}" * 9} for number in range(99)), {"end": "stop"}, bound=1000
    )
    assert 12 == len([e for e in events if isinstance(e, Citation)])


def test_counts_are_told_when_they_change():
    """What cannot be a count is none."""
    events = read(
        {"tokens": 1},
        {"tokens": 1},
        {"tokens": -4},
        {"tokens": 2**60},
        {"tokens": 2, "end": "stop"},
    )
    assert [1, 2] == [e.output_tokens for e in events if isinstance(e, UsageEvent)]
    assert 2 == folded(events).usage.output_tokens


def test_an_endless_number_of_choices_is_refused():
    """Nobody asks for so many."""
    last = read(*({"choice": number} for number in range(129)))[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind


def test_an_error_in_place_of_the_stream():
    """By the vendor's own envelope."""
    assert ("upstream_error", 502, msgspec.UNSET, "No.") == failed(
        decode(Small(99), [b'{"wrong":1}'])
    )
