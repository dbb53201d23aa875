"""Reasoning between tags in the text is reasoning, wherever the text was cut."""

from collections.abc import Sequence

import pytest

from proxy.codec.base import Decoder
from proxy.codec.reasoning_tags import TaggedReasoning
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
    Tool,
    ToolCallDelta,
    Usage,
)
from tests.support import check_grammar, splits

THINK = ("think", "thinking")
END = StreamEnd(Finish("stop"))


class Saying(Decoder):
    """Every read is a piece of one block of text; `behind` comes after it."""

    usage = Usage(1)
    answer_id = "answer-1"

    def __init__(self, *behind: Event) -> None:
        self._behind = behind
        self._begun = False

    def feed(self, data: bytes) -> list[Event]:
        start: list[Event] = [] if self._begun else [BlockStart(0, "text")]
        self._begun = True
        return [*start, TextDelta(0, data.decode())]

    def close(self) -> list[Event]:
        self.done = True
        return [*([BlockEnd(0)] if self._begun else []), *self._behind, END]


def said(events: Sequence[Event]) -> list[tuple[str, str]]:
    """The kinds of the blocks, in the order in which they began, and what they hold."""
    check_grammar(events)
    held: dict[int, tuple[str, str]] = {}
    for event in events:
        if isinstance(event, BlockStart):
            held[event.block] = (event.kind, "")
        elif isinstance(event, TextDelta | ReasoningDelta):
            kind, text = held[event.block]
            held[event.block] = (kind, text + event.text)
    assert list(range(len(held))) == list(held), "the numbers of blocks go up by one"
    return list(held.values())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hello", [("text", "hello")]),
        ("<think>why</think>so", [("reasoning", "why"), ("text", "so")]),
        ("\n<think>\nwhy\n\nnot\n</think>\n\nso\n", [("reasoning", "why\n\nnot"), ("text", "so\n")]),
        ("<thinking>why</thinking>so", [("reasoning", "why"), ("text", "so")]),
        ("<think>\n\n</think>\n\nso", [("text", "so")]),
        ("<think>a < b </thin> </thinks>", [("reasoning", "a < b </thin> </thinks>")]),
        ("<think>a</think> <think>b</think>c", [("reasoning", "a"), ("reasoning", "b"), ("text", "c")]),
        ("<think>why", [("reasoning", "why")]),
        ("<think>why</th", [("reasoning", "why</th")]),
        ("<think>why</think>", [("reasoning", "why")]),
        ("<thin", [("text", "<thin")]),
        ("<th>head</th>", [("text", "<th>head</th>")]),
        ("Write <think>x</think> so.", [("text", "Write <think>x</think> so.")]),
        ("<think>a</think>b<think>c</think>", [("reasoning", "a"), ("text", "b<think>c</think>")]),
        ("<think>a</think><thing>", [("reasoning", "a"), ("text", "<thing>")]),
        ("  ", [("text", "  ")]),
        (" " * 100 + "<think>a", [("text", " " * 100 + "<think>a")]),
        ("<think>a" + " " * 100 + "b</think>c", [("reasoning", "a" + " " * 100 + "b"), ("text", "c")]),
    ],
)  # fmt: skip
def test_a_tag_counts_at_the_beginning_alone(text: str, parts: list[tuple[str, str]]) -> None:
    for chunks in splits(text.encode()):
        decoder = TaggedReasoning(Saying(), THINK)
        events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()
        assert parts == said(events)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("why</think>\n\nso", [("reasoning", "why"), ("text", "so")]),
        ("\n\n</think>so", [("text", "so")]),
        ("<think>\nwhy</think>so", [("reasoning", "why"), ("text", "so")]),
        ("why", [("reasoning", "why")]),
        ("<thi", [("reasoning", "<thi")]),
    ],
)
def test_an_answer_may_begin_in_its_reasoning(text: str, parts: list[tuple[str, str]]) -> None:
    """The opening tag stood at the end of the prompt; some models write it all the same."""
    for chunks in splits(text.encode()):
        decoder = TaggedReasoning(Saying(), THINK, begun=True)
        events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()
        assert parts == said(events)


def test_tags_may_be_any_two_words() -> None:
    decoder = TaggedReasoning(Saying(), ["[THINK] [/THINK]"])
    events = [*decoder.feed(b"[THINK]why[/THINK]so"), *decoder.close()]
    assert [("reasoning", "why"), ("text", "so")] == said(events)


def test_other_blocks_keep_their_order_and_get_numbers_of_their_own() -> None:
    call: list[Event] = [
        BlockStart(1, "tool_call", Tool("1", "get")),
        ToolCallDelta(1, "{}"),
        BlockEnd(1),
    ]
    decoder = TaggedReasoning(Saying(*call), THINK)
    events = [*decoder.feed(b"<think>why</think>"), *decoder.close()]
    assert [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "why"),
        BlockEnd(0),
        BlockStart(1, "tool_call", Tool("1", "get")),
        ToolCallDelta(1, "{}"),
        BlockEnd(1),
        END,
    ] == events
    assert (True, Usage(1), "answer-1") == (decoder.done, decoder.usage, decoder.answer_id)


class Fixed(Decoder):
    """Gives these events, once."""

    usage = Usage()

    def __init__(self, *events: Event) -> None:
        self._events = list(events)

    def feed(self, data: bytes) -> list[Event]:
        return self._events

    def close(self) -> list[Event]:
        return []


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ([Citation(0, "u", start=16, end=18)], [Citation(0, "u", start=1, end=3)]),
        ([TextRewrite(0, 16, "y")], [TextRewrite(0, 1, "y")]),
        ([TextRewrite(0, 0, "")], [TextRewrite(0, 0, "")]),
        (
            [TextRewrite(0, 4, "z"), TextRewrite(0, 5, "y")],
            [TextRewrite(0, 0, "z"), TextRewrite(0, 1, "y")],
        ),
    ],
)
def test_places_in_the_text_are_those_of_what_is_shown(
    told: list[Event], shown: list[Event]
) -> None:
    """Here that begins 15 characters on."""
    events: list[Event] = [BlockStart(0, "text"), TextDelta(0, "<think></think>so it is"), *told]
    decoder = TaggedReasoning(Fixed(*events), THINK)
    assert [BlockStart(0, "text"), TextDelta(0, "so it is"), *shown] == decoder.feed(b"")


def test_a_source_that_comes_early_waits_for_its_text() -> None:
    source = Citation(0, "u", start=15, end=16)
    events: list[Event] = [
        BlockStart(0, "text"),
        TextDelta(0, "<think>"),
        source,
        TextDelta(0, "</think>so"),
    ]
    decoder = TaggedReasoning(Fixed(*events), THINK)
    expected = [
        BlockStart(0, "text"),
        Citation(0, "u", start=0, end=1),
        TextDelta(0, "so"),
    ]
    assert expected == decoder.feed(b"")


def test_a_source_whose_text_never_comes_gets_a_block_without_text() -> None:
    events: list[Event] = [
        BlockStart(0, "text"),
        TextDelta(0, "<think>why"),
        Citation(0, "u"),
        BlockEnd(0),
    ]
    decoder = TaggedReasoning(Fixed(*events), THINK)
    expected = [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "why"),
        BlockEnd(0),
        BlockStart(1, "text"),
        Citation(1, "u"),
        BlockEnd(1),
    ]
    assert expected == decoder.feed(b"")


def test_a_block_without_text_stays() -> None:
    events: list[Event] = [BlockStart(0, "text"), BlockEnd(0)]
    assert events == TaggedReasoning(Fixed(*events), THINK).feed(b"")


def test_reasoning_that_is_said_again_differently_stays_and_the_rest_is_read_anew() -> None:
    events: list[Event] = [
        BlockStart(0, "text"),
        TextDelta(0, "<think>wh"),
        TextRewrite(0, 0, "so"),
        BlockEnd(0),
        END,
    ]
    decoder = TaggedReasoning(Fixed(*events), THINK)
    assert [("reasoning", "wh"), ("text", "so")] == said(decoder.feed(b""))


def test_what_was_held_is_told_before_a_failure() -> None:
    error = StreamError(failure("upstream_truncated", "Cut."))
    events: list[Event] = [BlockStart(0, "text"), TextDelta(0, "<thi"), error]
    decoder = TaggedReasoning(Fixed(*events), THINK)
    assert [BlockStart(0, "text"), TextDelta(0, "<thi"), error] == decoder.feed(b"")


def test_a_refusal_and_each_choice_are_read_by_themselves() -> None:
    """Only the first thing that a choice says can begin in reasoning."""
    events: list[Event] = [
        BlockStart(0, "text"),
        BlockStart(1, "text", choice=1),
        TextDelta(0, "a</think>x"),
        TextDelta(1, "b</think>y"),
        BlockEnd(0),
        BlockEnd(1),
        BlockStart(2, "text", refusal=True),
        TextDelta(2, "<think>"),
        BlockEnd(2),
        BlockStart(3, "text"),
        TextDelta(3, "z"),
        BlockEnd(3),
        END,
    ]
    decoder = TaggedReasoning(Fixed(*events), THINK, begun=True)
    assert [
        ("reasoning", "a"),
        ("text", "x"),
        ("reasoning", "b"),
        ("text", "y"),
        ("text", "<think>"),
        ("text", "z"),
    ] == said(decoder.feed(b""))
