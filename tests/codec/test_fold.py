"""One answer out of many events."""

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.errors import failure
from proxy.events import (
    NO_USAGE,
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
from tests.support import check_grammar


def folded(*events: Event) -> WholeAnswer:
    check_grammar(events)
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return answer


END = StreamEnd(Finish("stop", "end_turn"))


def test_everything_finds_its_place() -> None:
    """Text, reasoning with its signature, calls, citations, vendor extras, usage and finish."""
    start = StreamStart("s", "fast", "demo", "m", 0)
    cited = Citation(1, url="https://example.com", start=0, end=2)
    vendor = Vendor("anthropic", {"quota": 1})
    end = StreamEnd(Finish("tool_calls", "tool_use"), Usage(3, 4))
    answer = folded(
        start,
        *(
            BlockStart(0, "reasoning"),
            ReasoningDelta(0, "h"),
            ReasoningDelta(0, "m"),
            BlockEnd(0, "sig"),
        ),
        *(BlockStart(1, "text"), TextDelta(1, "ye"), cited, TextDelta(1, "s"), BlockEnd(1)),
        *(
            BlockStart(2, "tool_call", tool=Tool("a", "look")),
            ToolCallDelta(2, "{"),
            ToolCallDelta(2, "}"),
            BlockEnd(2),
        ),
        vendor,
        end,
    )
    assert ("yes", "hm") == (answer.text(), answer.reasoning())
    assert ("sig", [cited]) == (answer.blocks[0].signature, answer.blocks[1].citations)
    assert [("a", "look", "{}")] == [
        (b.tool.id, b.tool.name, b.text) for b in answer.tool_calls() if b.tool
    ]
    assert (start, [vendor], end, None) == (answer.start, answer.vendor, answer.end, answer.error)
    assert (Finish("tool_calls", "tool_use"), Usage(3, 4)) == (answer.finish, answer.usage)


def test_blocks_of_a_kind_are_joined_in_order() -> None:
    """Text before and after reasoning is one text, in the order in which the blocks began."""
    answer = folded(
        *(BlockStart(5, "text"), TextDelta(5, "a"), BlockEnd(5)),
        *(BlockStart(3, "reasoning"), ReasoningDelta(3, "?"), BlockEnd(3)),
        *(BlockStart(4, "text"), TextDelta(4, "b"), BlockEnd(4)),
        END,
    )
    assert ("ab", "?") == (answer.text(), answer.reasoning())


def test_choices_are_kept_apart() -> None:
    """Each choice has its own text and calls; a block that names none is choice 0's."""
    answer = folded(
        *(
            BlockStart(0, "text"),
            BlockStart(1, "text", choice=1),
            TextDelta(1, "b"),
            TextDelta(0, "a"),
            BlockEnd(0),
            BlockEnd(1),
        ),
        *(BlockStart(2, "tool_call", tool=Tool("x", "look"), choice=1), BlockEnd(2)),
        END,
    )
    assert ("a", "b", "") == (answer.text(), answer.text(1), answer.text(2))
    assert ([], 1) == (answer.tool_calls(), len(answer.tool_calls(1)))


@pytest.mark.parametrize(
    ("rewrites", "expected"),
    [
        ([(5, "!")], "hello!"),
        ([(4, "")], "hell"),
        ([(0, "")], ""),
        ([(0, ""), (0, "sorry")], "sorry"),
        ([(1, "茶b"), (2, "😀"), (3, "x")], "h茶😀x"),
    ],
)
def test_text_taken_back(rewrites: list[tuple[int, str]], expected: str) -> None:
    """A rewrite keeps so many code points, of all that stood in the block, and goes on from
    there."""
    answer = folded(
        *(BlockStart(0, "text"), TextDelta(0, "he"), TextDelta(0, "llo")),
        *(TextRewrite(0, keep, text) for keep, text in rewrites),
        BlockEnd(0),
        END,
    )
    assert expected == answer.text()


def test_a_call_without_arguments() -> None:
    """It has empty text, which stands for no arguments."""
    answer = folded(BlockStart(0, "tool_call", tool=Tool("a", "look")), BlockEnd(0), END)
    assert [""] == [block.text for block in answer.tool_calls()]


@pytest.mark.parametrize(
    ("said", "at_the_end", "expected"),
    [
        ([], NO_USAGE, NO_USAGE),
        ([UsageEvent(1, 2)], NO_USAGE, Usage(1, 2)),
        ([UsageEvent(1, 2), UsageEvent(1, 5, 0, 3)], NO_USAGE, Usage(1, 5, 0, 3)),
        ([UsageEvent(1, 2)], Usage(1, 9), Usage(1, 9)),
    ],
)
@pytest.mark.parametrize("fails", [False, True])
def test_the_newest_usage_counts(
    said: list[Event], at_the_end: Usage, expected: Usage, fails: bool
) -> None:
    """Each usage replaces the one before; an end that knows none takes back none."""
    end = (
        StreamError(failure("upstream_error", "no more"), at_the_end)
        if fails
        else StreamEnd(Finish("stop"), at_the_end)
    )
    assert expected == folded(*said, end).usage


def test_a_failure_keeps_what_came_before() -> None:
    """A failed answer has its error and the text up to it, and no end."""
    error = failure("upstream_truncated", "cut")
    answer = folded(BlockStart(0, "text"), TextDelta(0, "hal"), StreamError(error))
    assert ("hal", error, None) == (answer.text(), answer.error, answer.end)


def test_answers_share_nothing() -> None:
    """Two answers with equal blocks do not grow into each other."""
    one, two = WholeAnswer(), WholeAnswer()
    for answer in (one, two):
        answer.add(BlockStart(0, "text"))
    one.add(TextDelta(0, "a"))
    one.add(Citation(0, url="u"))
    assert ("", []) == (two.text(), two.blocks[0].citations)


def test_a_source_goes_with_the_text_that_it_was_given_for() -> None:
    """Text that is taken back takes its sources along; of those whose place is not known only a
    whole retraction does."""
    told = [
        Citation(0, "early", start=0, end=2),
        Citation(0, "late", start=3, end=5),
        Citation(0, "across", start=1, end=4),
        Citation(0, "where?"),
    ]
    start = (BlockStart(0, "text"), TextDelta(0, "abcdef"), *told)
    some = folded(*start, TextRewrite(0, 3, "x"), BlockEnd(0), END)
    assert ["early", "where?"] == [source.url for source in some.blocks[0].citations]
    none = folded(*start, TextRewrite(0, 0, ""), BlockEnd(0), END)
    assert [] == none.blocks[0].citations
