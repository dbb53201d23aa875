"""A request's turns as flat messages; what else requests have in common is tested with each
dialect."""

from typing import Any

import pytest

from proxy.codec.chat_turns import Turn, chat_turns, merged, thinking, with_vendor
from proxy.errors import Refused
from proxy.events import Note
from proxy.request import ImagePart, Message, Reasoning, TextPart, ToolCallPart
from tests.dialects.answers import asked
from tests.dialects.upstream_only import PICTURE, TALK, talk


def test_results_stand_right_behind_their_calls():
    """Before what else their turn says, with the function's name."""
    turns = chat_turns(talk(system="S"), [], images=False)
    assert ["system", "user", "assistant", "tool", "tool", "user"] == [turn.role for turn in turns]
    assert Turn("tool", "sunny", call_id="c1", name="weather") == turns[3]
    assert tuple(part for part in TALK[1].parts if isinstance(part, ToolCallPart)) == turns[2].calls


@pytest.mark.parametrize(
    ("images", "pictures", "lost"), [(True, ("https://h/x.png",), 0), (False, (), 1)]
)
def test_images(images: bool, pictures: tuple[str, ...], lost: int):
    """The user's, where the vendor takes any."""
    notes: list[Note] = []
    (turn,) = chat_turns(talk(PICTURE), notes, images=images)
    assert (pictures, lost) == (turn.images, len(notes))
    chat_turns(
        talk([Message("assistant", [ImagePart("x"), TextPart("y")])]), notes := [], images=True
    )
    assert ["messages.image_url"] == [note.param for note in notes]


def test_a_turn_with_nothing_in_it_stays():
    """That it is empty is the vendor's to refuse."""
    assert [Turn("user", "")] == chat_turns(talk([Message("user", "")]), [], images=False)


def test_neighbours_of_one_role_are_joined():
    """But not tools' results, nor turns with calls; once noted."""
    call = Turn("assistant", "c", calls=(ToolCallPart("1", "f"),))
    results = [Turn("tool", "r"), Turn("tool", "s")]
    notes: list[Note] = []
    turns = [
        Turn("user", "a", ("x",)),
        Turn("user", "", ("y",)),
        Turn("user", "b"),
        call,
        *results,
        Turn("assistant", "d"),
        Turn("user", "e"),
    ]
    assert [
        Turn("user", "a\n\nb", ("x", "y")),
        call,
        *results,
        Turn("assistant", "d"),
        Turn("user", "e"),
    ] == merged(turns, notes)
    assert [("changed", "messages")] == [(note.note, note.param) for note in notes]


def test_the_clients_own_keys():
    """Over ours; a section's one by one. What is no section in its place is refused."""
    body = {"a": 1, "inner": {"b": 2, "c": 3}}
    assert {"a": 1, "inner": {"b": 9, "c": 3}, "d": 4} == with_vendor(
        body, {"inner": {"b": 9}, "d": 4}, "inner"
    )
    assert body == with_vendor(body, {"inner": {}}, "inner")
    assert {"a": 1, "inner": {"b": 2}} == with_vendor({"a": 1}, {"inner": {"b": 2}}, "inner")
    for odd in (5, None, []):
        with pytest.raises(Refused, match="must be an object"):
            with_vendor(body, {"inner": odd}, "inner")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        (Reasoning(), None),
        (Reasoning("none"), False),
        (Reasoning("low"), True),
        (Reasoning(None, 5), True),
    ],
)
def test_thinking_is_on_or_off(said: Any, expected: bool | None):
    """Or not said."""
    assert expected is thinking(asked("a", reasoning=said), [], budget=True)
