"""An answer without the frames that its client has."""

import pytest

from proxy.codec.base import Encoder
from proxy.codec.rest import Rest, frames_of
from proxy.events import Event
from tests.dialects.answers import START, ending, reasoning_block, text_block
from tests.fuzz.readers import encoder_of
from tests.sse_reader import read_sse

EVENTS: list[Event] = [
    START,
    *reasoning_block("Hm.", block=0),
    *text_block("a", "b", "c", block=1),
    ending(),
]


def frames(encoder: Encoder) -> list[tuple[str, str, str]]:
    return read_sse(b"".join(map(encoder.encode, EVENTS)))


@pytest.mark.parametrize("name", ["ag_ui", "ai_sdk", "openai_chat"])
def test_whatever_a_client_has_it_gets_exactly_the_rest(name: str) -> None:
    whole = frames(encoder_of(name))
    for had in range(len(whole) + 1):
        assert whole[had:] == frames(Rest(encoder_of(name), had))


def test_the_end_comes_again_to_who_says_that_it_has_more_than_there_is() -> None:
    whole = frames(encoder_of("ag_ui"))
    assert whole[-1:] == frames(Rest(encoder_of("ag_ui"), 99))


def test_frames_are_counted_without_what_says_nothing() -> None:
    whole = frames(encoder_of("ai_sdk"))
    assert "[DONE]" == whole[-1][1]
    assert len(whole) - 1 == frames_of(encoder_of("ai_sdk"), EVENTS)


def test_it_is_as_its_dialects_encoder_is() -> None:
    inner = encoder_of("ai_sdk")
    outer = Rest(encoder_of("ai_sdk"), 1)
    for name in ("content_type", "heartbeat", "headers", "min_gap_s", "gathers"):
        assert getattr(inner, name) == getattr(outer, name)
    assert b"ab" == outer.joined([b"a", b"b"])
