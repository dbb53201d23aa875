"""A vendor's word ends no line that it names, and becomes no other word."""

import pytest

from proxy.codec.event_name import event_name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("message.new", "message.new"),
        ("消息", "消息"),
        ("", ""),
        ("error\n", "error?"),
        ("a\r\nevent: error", "a??event: error"),
        ("\x00\u2028\ud800", "???"),
    ],
)
def test_a_word_stays_in_its_line(word: str, name: str) -> None:
    assert name == event_name(word)
