"""Counts that are not all as they should be, and counts on the way to a Gemini client."""

from typing import Any

import msgspec
import pytest

from proxy.dialects.gemini.usage import Counting, on_wire
from proxy.events import Usage


def counted(*said: Any) -> Counting:
    counting = Counting()
    for each in said:
        counting.add(msgspec.Raw(each if isinstance(each, bytes) else msgspec.json.encode(each)))
    return counting


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"promptTokenCount": 3.0, "candidatesTokenCount": 4}, Usage(3, 4)),
        ({"promptTokenCount": "3", "candidatesTokenCount": 4}, Usage(3, 4)),
        ({"promptTokenCount": [], "candidatesTokenCount": 4}, Usage(None, 4)),
        (b"[1]", Usage()),
        (b'"none"', Usage()),
        (b"{", Usage()),
    ],
)
def test_an_odd_count_costs_that_count(said: Any, expected: Usage) -> None:
    assert expected == counted(said).usage


def test_a_count_stays_until_it_is_said_anew() -> None:
    """Chunks tell some of the counts each."""
    first = {"promptTokenCount": 3, "toolUsePromptTokenCount": 2, "cachedContentTokenCount": 1}
    second = {"candidatesTokenCount": 4, "thoughtsTokenCount": 5}
    assert Usage(5, 9, 1, 5) == counted(first, second).usage


def test_sound_is_counted_by_modality() -> None:
    """As a part of its direction."""
    details = [{"modality": "TEXT", "tokenCount": 1}, {"modality": "AUDIO", "tokenCount": 2}]
    said = {"promptTokenCount": 3, "promptTokensDetails": details}
    assert 2 == counted(said).usage.audio_input_tokens


def test_the_wire_has_each_part_once_and_nothing_that_is_unknown() -> None:
    usage = Usage(10, 9, 4, 5, audio_input_tokens=2)
    assert {
        "toolUsePromptTokenCount": 3,
        "promptTokenCount": 7,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 4,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}],
        "totalTokenCount": 19,
    } == on_wire(usage, {"toolUsePromptTokenCount": 3})
    assert {} == on_wire(Usage(), {})
