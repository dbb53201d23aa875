"""Tool calls from pieces."""

import pytest

from proxy.codec.blocks import Blocks
from proxy.codec.call_pieces import CallPieces
from proxy.events import Event, Tool, Vendor
from proxy.framing import FramingError
from tests.dialects.answers import folded, told


def made(*pieces: tuple[object, ...], seed: str = "a") -> list[Event]:
    """The events of pieces: key, name, arguments, id, choice."""
    out: list[Event] = []
    blocks = Blocks()
    calls = CallPieces(blocks, "x", 20)
    calls.seed = seed
    for key, name, arguments, *more in pieces:
        call_id, choice = (*more, "", 0)[:2] if len(more) != 1 else (more[0], 0)
        calls.piece(out, key, name, arguments, call_id=call_id, choice=choice)
    calls.flush(out)
    blocks.end_all(out)
    return out


def called(events: list[Event], choice: int = 0) -> list[tuple[Tool | None, str]]:
    return [(block.tool, block.text) for block in folded(events).tool_calls(choice)]


def test_pieces_of_two_calls_in_turns():
    """Told apart by their keys."""
    events = made((0, "f", "{", "c1"), ("b", "g", "[", "c2"), (0, "", "}"), ("b", "", "]"))
    assert [(Tool("c1", "f"), "{}"), (Tool("c2", "g"), "[]")] == called(events)


def test_another_id_and_name_under_the_same_key_is_another_call():
    """The same again is not."""
    events = made((0, "f", "{", "c1"), (0, "f", "}", "c1"), (0, "g", "1", "c2"))
    assert [(Tool("c1", "f"), "{}"), (Tool("c2", "g"), "1")] == called(events)


def test_an_empty_first_piece_belongs_to_the_next():
    """Whatever its id is: a call that has a name keeps the first, one that has none the last."""
    assert [(Tool("c1", "f"), "{}")] == called(made((0, "f", "", "c1"), (0, "f", "{}", "c2")))
    assert [(Tool("c2", "f"), "{}")] == called(made((0, "", "", "c1"), (0, "f", "{}", "c2")))
    events = made((0, "f", "", "c1"), (0, "f", " ", "c2"), (0, "g", "{}", "c3"))
    assert ["c1", "c2", "c3"] == [tool.id for tool, _ in called(events) if tool]
    assert 2 == len(called(made((0, "", "{}", "c1"), (0, "f", "{}", "c2"))))


F = (Tool("c1", "f"), '{"a":1}')


@pytest.mark.parametrize("name", ["f", ""])
def test_a_call_told_again_under_other_keys(name: str) -> None:
    """It is one call, where its id and its arguments are the same."""
    pieces = [(key, name if key else "f", F[1], "c1") for key in range(3)]
    assert [F] == called(made(*pieces))


@pytest.mark.parametrize("name", ["f", ""])
@pytest.mark.parametrize("arguments", [("", '{"a":1}'), ('{"a"', ":1}"), ("{", '"a"', ":1", "}")])
def test_a_key_that_counts_up_while_the_id_stays(arguments: tuple[str, ...], name: str) -> None:
    """The pieces are those of one call; so are those that have the last key alone."""
    first, *more = arguments
    pieces = [(key, name, piece, "c1") for key, piece in enumerate(more, 1)]
    assert [F] == called(made((0, "f", first, "c1"), *pieces))
    assert [F] == called(made((0, "f", "{", "c1"), (1, name, '"a"', "c1"), (1, "", ":1}")))


@pytest.mark.parametrize("name", ["f", "g"])
def test_several_calls_of_one_id(name: str) -> None:
    """They differ in their names or their arguments, and in their choices."""
    events = made((0, "f", F[1], "c1"), (1, name, '{"a":2}', "c1"))
    assert [F[1], '{"a":2}'] == [arguments for _, arguments in called(events)]
    events = made((0, "f", '{"a"', "c1"), (1, "f", '{"a":2}', "c1"), (0, "", ":1}"))
    assert [F[1], '{"a":2}'] == [arguments for _, arguments in called(events)]
    events = made((0, "f", F[1], "c1", 0), (1, "f", F[1], "c1", 1))
    assert [F] == called(events)
    assert [F[1]] == [arguments for _, arguments in called(events, 1)]


def test_keys_that_count_up_for_ever() -> None:
    """A call of too many keys is none."""
    pieces = [(key, "", " ", "c1") for key in range(1, 1025)]
    with pytest.raises(FramingError):
        made((0, "f", "{", "c1"), *pieces)


def test_no_arguments_before_the_arguments():
    """`{}` is what some gateways begin with; where nothing follows, it is all."""
    f, g = (Tool("c1", "f"), '{"a":1}'), (Tool("c2", "g"), "{}")
    assert [f] == called(made((0, "f", "{}", "c1"), (0, "", '{"a"'), (0, "", ":1}")))
    assert [f, g] == called(made((0, "f", "{}", "c1"), (0, "", '{"a":1}'), (1, "g", "{}", "c2")))
    assert [(Tool("c2", "g"), "{} ")] == called(made((0, "g", "{}", "c2"), (0, "", " ")))
    assert [g, f] == called(made((0, "g", "{}", "c2"), (1, "f", '{"a":1}', "c1")))


@pytest.mark.parametrize("again", ['{"a":"}"}', '{"a": "}"}'])
def test_arguments_that_come_once_more_are_told_beside(again: str):
    """Whole, behind the pieces; a string may hold what looks so."""
    events = made((0, "f", '{"a":"}', "c1"), (0, "", '"}'), (0, "", again))
    assert [(Tool("c1", "f"), '{"a":"}"}')] == called(events)
    assert [{"tool_call": {"choice": 0, "key": 0, "arguments": again}}] == told(events)
    assert [(Tool("c1", "f"), '{"a":"}{"}')] == called(
        made((0, "f", '{"a":"}', "c1"), (0, "", '{"}'))
    )


def test_arguments_before_the_name_wait():
    """But not beyond the bound, and not for ever."""
    assert [(Tool("c1", "f"), '{"a":1}')] == called(made((0, "", '{"a"', "c1"), (0, "f", ":1}")))
    assert [(Tool("c1", ""), "x" * 22)] == called(made((0, "", "x" * 21, "c1"), (0, "f", "x")))
    assert [(Tool("c1", ""), "{")] == called(made((0, "", "{", "c1")))


def test_an_id_is_made_where_there_is_none():
    """Another one for each call, and for each answer."""
    ids = {
        tool.id
        for seed in "ab"
        for tool, _ in called(made((0, "f", "{}"), (1, "f", "{}"), seed=seed))
        if tool
    }
    assert 4 == len(ids)


def test_choices_have_calls_of_their_own():
    """Under the same key."""
    events = made((0, "f", "{}", "c1", 0), (0, "g", "[]", "c2", 1))
    assert ([(Tool("c1", "f"), "{}")], [(Tool("c2", "g"), "[]")]) == (
        called(events),
        called(events, 1),
    )


def test_a_piece_for_a_closed_call_is_told():
    """It was complete, and another has begun since."""
    events = made((0, "f", "{}", "c1"), (1, "g", "", "c2"), (0, "", "!"))
    assert [Vendor("x", {"tool_call": {"choice": 0, "key": 0, "arguments": "!"}})] == [
        e for e in events if isinstance(e, Vendor)
    ]


def test_an_endless_number_of_calls_is_refused():
    """No model calls so many at once."""
    with pytest.raises(FramingError, match="calls more than 1024 tools"):
        made(*((key, "f", "") for key in range(1025)))


def test_arguments_that_wait_have_a_bound_together():
    """Not each call its own: a thousand calls would hold a thousand times as much. Nothing is lost
    by it but the name."""
    calls = CallPieces(Blocks(), "x", 1000)
    for key in range(100):
        calls.piece([], key, "", "x" * 100)
        assert sum(call.pending.size for call in calls._calls.values()) <= 1000
    assert [(Tool("c1", ""), "x" * 9), (Tool("c2", ""), "y" * 9)] == called(
        made((0, "", "x" * 9, "c1"), (1, "", "y" * 9, "c2"))
    )
