"""Scripts written from events."""

import pytest

from proxy.codec.base import Parsed, Reply
from proxy.dialects.plain import DIALECT
from proxy.dialects.plain.parse import Options
from proxy.events import BlockEnd, BlockStart, Event, Finish, StreamEnd, TextDelta
from proxy.mock.script import (
    END,
    MockError,
    Pace,
    Pause,
    Send,
    Status,
    from_events,
    from_reply,
    nearest,
    rate,
)
from proxy.request import ChatRequest

PLAIN = DIALECT.client
assert PLAIN is not None
TALK: list[Event] = [
    BlockStart(0, "text"),
    TextDelta(0, "a"),
    TextDelta(0, "bc"),
    BlockEnd(0),
    StreamEnd(Finish("stop")),
]


def script(pace: Pace) -> list[object]:
    parsed = Parsed(ChatRequest(model="m", messages=[]), Options())
    return list(from_events(TALK, PLAIN.encoder(parsed), pace))


def test_each_event_with_bytes_is_one_send():
    """Blocks have no frame in this dialect, so only deltas and the terminator are sent; only deltas
    count as frames."""
    steps = script(Pace())
    assert isinstance(steps[0], Status)
    assert [b"a", b"bc", b"[done]"] == [
        step.data.split(b"\n")[0].removeprefix(b"data: ") for step in steps[1:-1]
    ]
    assert [True, True, False] == [step.counted for step in steps[1:-1]]
    assert steps[-1] == END


def test_tokens_per_second_is_a_gap_between_deltas():
    """No gap comes before the first delta or after the last."""
    assert [Status, Send, Pause, Send, Send, type(END)] == [
        type(step) for step in script(Pace(tokens_per_s=20))
    ]
    assert Pause(0.05) in script(Pace(tokens_per_s=20))


def test_characters_per_second_sends_one_character_an_event():
    """The pace per character cuts deltas into characters, and wins over the pace per token."""
    steps = script(Pace(tokens_per_s=1, chars_per_s=100))
    assert 3 == sum(isinstance(step, Send) and step.counted for step in steps)
    assert [Pause(0.01), Pause(0.01)] == [step for step in steps if isinstance(step, Pause)]


def test_a_reply_is_a_script():
    """A whole document keeps its status, type and headers."""
    steps = from_reply(Reply(418, b"{}", {"Retry-After": "3"}))
    assert [
        Status(418, {"content-type": "application/json", "retry-after": "3"}),
        Send(b"{}"),
        END,
    ] == steps


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "fast", "", "1e9"])
def test_a_bad_rate_is_said(text: str):
    """A pace that is none names the header, the bounds and what came."""
    with pytest.raises(
        MockError, match=r"x-mock-tokens-per-s must be a number from 0 .* to 1000000, not"
    ):
        rate(text, "x-mock-tokens-per-s")


def test_rates_are_numbers():
    """Whole or not, 0 included."""
    assert [0, 2.5, 40] == [rate(text, "n") for text in ("0", "2.5", "40")]


def test_nearest_word():
    """A near word is offered, a far one is not."""
    assert ' (did you mean "hello"?)' == nearest("helo", ["hello", "echo"])
    assert "" == nearest("zzz", ["hello", "echo"])
