"""Bookkeeping of blocks: whatever a decoder says, in whatever order, is a stream of the grammar."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codec import pending_call
from proxy.codec.blocks import Blocks
from proxy.codec.fold import WholeAnswer
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    TextDelta,
    Tool,
    ToolCallDelta,
)
from tests.support import check_grammar

TOOL = Tool("call_1", "look")
OTHER = Tool("call_2", "find")


def made(*steps: Callable[[Blocks, list[Event]], Any]) -> list[Event]:
    """The events of these steps, each given the blocks and the list."""
    blocks = Blocks()
    out: list[Event] = []
    for step in steps:
        step(blocks, out)
    return out


def test_no_two_calls_of_an_answer_have_one_id() -> None:
    """Some servers give all of them the same."""
    names = ("a", "a", "a_2", "b", "a")
    events = made(
        *(
            lambda b, o, key=key, name=name: b.open_call(o, key, Tool(name, "f"))  # type: ignore[misc]
            for key, name in enumerate(names)
        )
    )
    ids = [event.tool.id for event in events if isinstance(event, BlockStart) and event.tool]
    assert ["a", "a_2", "a_2_2", "b", "a_3"] == ids


def test_text_is_one_block() -> None:
    """The first delta opens the block, the end closes it."""
    events = made(
        lambda b, o: b.text(o, "a"), lambda b, o: b.text(o, "b"), lambda b, o: b.end_all(o)
    )
    assert [BlockStart(0, "text"), TextDelta(0, "a"), TextDelta(0, "b"), BlockEnd(0)] == events


def test_an_empty_delta_is_not_sent() -> None:
    """Empty text opens the block, which its vendor meant to open, and adds nothing to it."""
    assert [BlockStart(0, "text")] == made(lambda b, o: b.text(o, ""))
    assert [BlockStart(0, "reasoning")] == made(lambda b, o: b.reasoning(o, ""))


def test_text_and_reasoning_take_turns() -> None:
    """Each closes the other, and comes back in a new block."""
    events = made(
        lambda b, o: b.reasoning(o, "hm"),
        lambda b, o: b.text(o, "a"),
        lambda b, o: b.reasoning(o, "hm?"),
        lambda b, o: b.end_reasoning(o, signature="sig"),
        lambda b, o: b.end_reasoning(o),
    )
    expected = [
        *(BlockStart(0, "reasoning"), ReasoningDelta(0, "hm"), BlockEnd(0)),
        *(BlockStart(1, "text"), TextDelta(1, "a"), BlockEnd(1)),
        *(BlockStart(2, "reasoning"), ReasoningDelta(2, "hm?"), BlockEnd(2, "sig")),
    ]
    assert expected == events


def test_choices_do_not_touch_each_other() -> None:
    """Blocks of several choices overlap; choice 0 is not spelled out; a choice ends alone."""
    events = made(
        lambda b, o: b.text(o, "a"),
        lambda b, o: b.reasoning(o, "b", 1),
        lambda b, o: b.text(o, "c"),
        lambda b, o: b.end_choice(o, 1),
        lambda b, o: b.text(o, "d"),
    )
    expected = [
        *(BlockStart(0, "text"), TextDelta(0, "a")),
        *(BlockStart(1, "reasoning", choice=1), ReasoningDelta(1, "b")),
        *(TextDelta(0, "c"), BlockEnd(1), TextDelta(0, "d")),
    ]
    assert expected == events


def test_fragments_of_calls_may_interleave() -> None:
    """A call whose arguments are not complete stays open while another begins."""
    events = made(
        lambda b, o: b.open_call(o, 0, TOOL),
        lambda b, o: b.arguments(o, 0, '{"a"'),
        lambda b, o: b.open_call(o, 1, OTHER),
        lambda b, o: b.arguments(o, 1, "{"),
        lambda b, o: b.arguments(o, 0, ":1}"),
        lambda b, o: b.arguments(o, 1, "}"),
        lambda b, o: b.end_choice(o, 0),
    )
    expected = [
        *(BlockStart(0, "tool_call", tool=TOOL), ToolCallDelta(0, '{"a"')),
        *(BlockStart(1, "tool_call", tool=OTHER), ToolCallDelta(1, "{")),
        *(ToolCallDelta(0, ":1}"), ToolCallDelta(1, "}"), BlockEnd(0), BlockEnd(1)),
    ]
    assert expected == events


@pytest.mark.parametrize(
    "turn",
    [
        lambda b, o: b.text(o, "x"),
        lambda b, o: b.reasoning(o, "x"),
        lambda b, o: b.open_call(o, 1, OTHER),
    ],
)
def test_a_complete_call_is_closed_by_the_next_block(
    turn: Callable[[Blocks, list[Event]], Any],
) -> None:
    """Once the arguments are a whole JSON value, whatever comes next closes the call first."""
    events = made(
        lambda b, o: b.open_call(o, 0, TOOL), lambda b, o: b.arguments(o, 0, '{"a":1} '), turn
    )
    assert [BlockStart, ToolCallDelta, BlockEnd, BlockStart] == [
        type(event) for event in events[:4]
    ]


@pytest.mark.parametrize(
    "arguments", ["", "{", '{"a":"}"', "{}}", "12", "tru", '"\ud800"', "[" * 100_000 + "]"]
)
def test_arguments_that_are_not_complete_keep_the_call_open(arguments: str) -> None:
    """Nothing, half a value, garbage, a number that more digits may follow, what JSON cannot hold:
    closed at the finish only."""
    steps = [
        lambda b, o: b.open_call(o, 0, TOOL),
        lambda b, o: b.arguments(o, 0, arguments),
        lambda b, o: b.text(o, "x"),
    ]
    assert BlockEnd(0) not in made(*steps)
    assert made(*steps, lambda b, o: b.end_all(o)).count(BlockEnd(0)) == 1


def test_a_closed_call_takes_no_more() -> None:
    """A piece for a closed call is refused, unless it is only white space; a choice that ended
    closes its calls."""
    blocks = Blocks()
    out: list[Event] = []
    blocks.open_call(out, "k", TOOL)
    assert blocks.arguments(out, "k", "{}") is True
    blocks.end_choice(out, 0)
    before = list(out)
    assert blocks.arguments(out, "k", " \n") is True
    assert blocks.arguments(out, "k", "{}") is False
    assert before == out


def test_a_key_used_again_is_a_new_call() -> None:
    """A vendor that gives two calls one index gets two blocks, both closed."""
    events = made(
        lambda b, o: b.open_call(o, 0, TOOL),
        lambda b, o: b.arguments(o, 0, "{"),
        lambda b, o: b.open_call(o, 0, OTHER),
        lambda b, o: b.arguments(o, 0, "{}"),
        lambda b, o: b.end_all(o),
    )
    expected = [
        *(BlockStart(0, "tool_call", tool=TOOL), ToolCallDelta(0, "{"), BlockEnd(0)),
        *(BlockStart(1, "tool_call", tool=OTHER), ToolCallDelta(1, "{}"), BlockEnd(1)),
    ]
    assert expected == events


def test_calls_are_told_apart_by_key_and_choice() -> None:
    """The same key in another choice is another call."""
    blocks = Blocks()
    assert not blocks.saw_tool_call
    blocks.open_call([], "k", TOOL, 1)
    assert (True, False, False) == (
        blocks.has_call("k", 1),
        blocks.has_call("k"),
        blocks.has_call("q", 1),
    )
    assert blocks.saw_tool_call


def test_arguments_are_not_checked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that turns to and fro while a call stays incomplete has its arguments looked at a
    bounded number of times."""
    checked: list[int] = []

    def refuse(text: str) -> None:
        checked.append(len(text))
        raise ValueError

    monkeypatch.setattr(pending_call, "_json_value", refuse)
    blocks = Blocks()
    out: list[Event] = []
    blocks.open_call(out, 0, TOOL)
    for _ in range(1000):
        blocks.arguments(out, 0, "x}")
        blocks.text(out, "a")
        blocks.reasoning(out, "b")
    assert len(checked) <= 16


def test_endless_arguments_are_not_hoarded() -> None:
    """Past a bound the pieces are passed on and no longer kept; the call closes at the finish."""
    blocks = Blocks(max_held_chars=1000)
    out: list[Event] = []
    for key in range(4):
        blocks.open_call(out, key, TOOL)
        for _ in range(64):
            blocks.arguments(out, key, "[" * 100)
        assert (
            sum(len(piece) for call in blocks._calls[0].values() for piece in call.pieces or ())
            <= 1000
        )
    blocks.text(out, "a")
    blocks.end_all(out)
    check_grammar([*out, StreamEnd(Finish("stop"))])


def test_a_turn_looks_only_at_calls_that_got_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand open calls do not make each turn of the answer cost a thousand looks."""
    looks = 0
    complete = pending_call.PendingCall.complete

    def counted(call: pending_call.PendingCall) -> bool:
        nonlocal looks
        looks += 1
        return complete(call)

    monkeypatch.setattr(pending_call.PendingCall, "complete", counted)
    blocks = Blocks()
    for key in range(500):
        blocks.open_call([], key, TOOL)
        blocks.arguments([], key, "{")
    for _ in range(500):
        blocks.text([], "a")
        blocks.reasoning([], "b")
    assert 500 == looks


CHOICES = st.integers(0, 2)
PIECES = st.sampled_from(["", "a", "{", "}", '{"a":1}', '"', " ", "1"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["text", "reasoning", "call", "arguments", "end", "end_reasoning"]),
        CHOICES,
        st.integers(0, 2),
        PIECES,
    ),
    max_size=40,
)


@given(STEPS)
def test_any_order_keeps_the_grammar(steps: list[tuple[str, int, int, str]]) -> None:
    """Any sequence of calls gives a stream of the grammar, in which nothing said is lost."""
    blocks = Blocks()
    out: list[Event] = []
    text: dict[int, str] = {}
    for step, choice, key, piece in steps:
        match step:
            case "text":
                blocks.text(out, piece, choice)
                text[choice] = text.get(choice, "") + piece
            case "reasoning":
                blocks.reasoning(out, piece, choice)
            case "call":
                blocks.open_call(out, key, TOOL, choice)
            case "arguments" if blocks.has_call(key, choice):
                blocks.arguments(out, key, piece, choice)
            case "end":
                blocks.end_choice(out, choice)
            case "end_reasoning":
                blocks.end_reasoning(out, choice, piece or None)
    blocks.end_all(out)
    check_grammar([*out, StreamEnd(Finish("stop"))])
    answer = WholeAnswer()
    for event in out:
        answer.add(event)
    assert text == {choice: answer.text(choice) for choice in text}
