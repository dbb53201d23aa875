"""A client's message as parts."""

import pytest

from proxy.codec.message_parts import assistant_turn, content_parts, text_alone
from proxy.errors import Refused
from proxy.request import ImagePart, Message, Part, TextPart

PICTURE = ImagePart("https://a.test/b.png")


def part(said: str, where: str) -> Part:
    return TextPart(f"{said} at {where}")


def test_content_is_text_or_parts_that_are_told_where_they_stand() -> None:
    assert "a" == content_parts("a", "messages[0]", part)
    assert [TextPart("a at messages[0].content[0]")] == content_parts(["a"], "messages[0]", part)
    with pytest.raises(Refused) as refused:
        content_parts(None, "messages[0]", part)
    assert "messages[0].content" == refused.value.failure.param


def test_a_role_that_says_text_alone() -> None:
    """The part that is none is named."""
    assert "a" == text_alone("a", "system", "messages[0]", "\n")
    assert "a\nb" == text_alone([TextPart("a"), TextPart("b")], "system", "messages[0]", "\n")
    with pytest.raises(Refused) as refused:
        text_alone([TextPart("a"), PICTURE], "system", "messages[0]", "\n")
    assert "messages[0].content[1]" == refused.value.failure.param


def test_an_assistants_turn_is_text_where_it_is_nothing_else() -> None:
    assert Message("assistant", "") == assistant_turn([])
    assert Message("assistant", "a") == assistant_turn([TextPart("a")])
    assert Message("assistant", [TextPart("a"), PICTURE]) == assistant_turn(
        [TextPart("a"), PICTURE]
    )
