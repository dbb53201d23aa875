"""Turns and systems' texts of white space alone, which the vendor refuses, in a client's own
request: it is not refused for a turn that said nothing.
"""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_SPACE = {"type": "text", "text": "\n"}
_WORD = {"type": "text", "text": "so"}


def _sent(*turns: Any, **more: Any) -> dict[str, Any]:
    body = {"model": "m", "max_tokens": 9, "messages": [*turns], **more}
    return ask("anthropic", body, "anthropic", "claude-sonnet-4-5").body


@pytest.mark.parametrize(
    ("role", "content", "left"),
    [
        ("user", "\n", False),
        ("user", "", False),
        ("user", [_SPACE, _SPACE], False),
        ("user", [{"type": "text", "text": ""}], False),
        ("user", [_SPACE, _WORD], True),
        ("assistant", " ", False),
        ("assistant", [_SPACE], False),
        ("assistant", "", True),
        ("assistant", [], True),
    ],
)
def test_a_turn_that_said_nothing_is_left_out(role: str, content: Any, *, left: bool) -> None:
    turn = {"role": role, "content": content}
    assert [HI, *([turn] if left else []), HI] == _sent(HI, turn, HI)["messages"]


def test_the_newest_turn_is_the_clients_own() -> None:
    """The vendor says what is wrong with it; without it another one would be answered."""
    newest = {"role": "user", "content": "\n"}
    assert [HI, newest] == _sent(HI, newest)["messages"]


@pytest.mark.parametrize(
    ("system", "left"),
    [
        ("  ", None),
        ("", ""),
        ([], []),
        ([_SPACE], None),
        ([_SPACE, _WORD], [_WORD]),
        ([_WORD], [_WORD]),
        (None, None),
    ],
)
def test_a_systems_text_that_says_nothing_is_left_out(system: Any, left: Any) -> None:
    assert left == _sent(HI, system=system).get("system")
