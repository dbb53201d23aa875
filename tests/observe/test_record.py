"""The record of a stream."""

import sys
from bisect import bisect_left
from typing import Any

import msgspec
import pytest

from proxy.events import TextDelta
from proxy.observe.record import EVENT_GAP_S, RELAY_DELAY_S, StreamRecord


def record() -> StreamRecord:
    return StreamRecord("r", "native", 100.0)


def test_times_are_counted_from_the_request() -> None:
    """First bytes, first content and the end are three things."""
    seen = record()
    seen.chunk(10, 100.5)
    seen.chunk(5, 101.0)
    seen.content(101.0)
    seen.content(102.0)
    seen.end("completed", 200, 103.0)
    assert (0.5, 1.0, 3.0) == (seen.first_byte_s, seen.first_content_s, seen.ended_s)
    assert (2, 15) == (seen.chunks, seen.bytes_in)


def test_gaps_are_between_content_events() -> None:
    """The first one has none before it; a value on a bound belongs to that bound's bucket."""
    seen = record()
    for now in (100.0, 100.0, 100.0005, 100.5005, 200.0):
        seen.content(now)
    assert seen.gap_counts is not None
    expected = [0] * (len(EVENT_GAP_S) + 1)
    for gap in (0.0, 0.0005, 0.5, 99.4995):
        expected[bisect_left(EVENT_GAP_S, gap)] += 1
    assert expected == seen.gap_counts
    assert seen.gap_counts[-1] == 1
    assert abs(seen.gap_total_s - 100.0) < 1e-9


def test_a_piece_is_a_chunk_and_its_content() -> None:
    """Noted in one call, it counts as if both were noted by themselves."""
    at_once, apart = record(), record()
    for seen in (at_once, apart):
        seen.chunk(10, 100.5)
        seen.content(100.5)
    for now in (100.6, 100.6, 107.0):
        at_once.piece(7, now)
        apart.chunk(7, now)
        apart.content(now)

    assert (4, 31) == (at_once.chunks, at_once.bytes_in)
    assert msgspec.structs.astuple(apart) == msgspec.structs.astuple(at_once)


def test_delays() -> None:
    """One observation a chunk, and the bytes that went out."""
    seen = record()
    for seconds in (0.00001, 0.00002, 5.0):
        seen.relayed(10, seconds)
    assert 30 == seen.bytes_out
    assert seen.delay_counts is not None
    assert [1, 1, *([0] * (len(RELAY_DELAY_S) - 2)), 1] == seen.delay_counts
    assert abs(seen.delay_total_s - 5.00003) < 1e-9


def test_an_idle_stream_s_record_is_small() -> None:
    """Thousands of them are open at once: under 1.5 KB each, what it holds included."""
    seen = record()
    seen.chunk(10, 100.5)
    seen.events[TextDelta] = 1
    held = {
        id(value): value
        for value in (getattr(seen, name) for name in StreamRecord.__struct_fields__)
    }
    assert not hasattr(seen, "__dict__")
    assert sys.getsizeof(seen) + sum(map(sys.getsizeof, held.values())) < 1536


def test_what_a_target_that_failed_has_left_is_not_of_the_next_one() -> None:
    """Its first bytes neither: the time is of the upstream that answered."""
    seen = record()
    seen.chunk(10, 100.5)
    seen.content(100.5)
    seen.start_over()
    seen.chunk(10, 102.0)
    assert (2.0, None, None) == (seen.first_byte_s, seen.first_content_s, seen.usage)


@pytest.mark.parametrize(
    ("outcome", "attempt", "who"),
    [
        ("completed", "ok", "upstream"),
        ("upstream_truncated", "ok", "upstream"),
        ("rate_limited", "rate_limited", "upstream"),  # the vendor's own
        ("rate_limited", None, "proxy"),  # a key's
        ("overloaded", "no_room", "proxy"),
        ("bad_request", None, "proxy"),
        ("idle_timeout", "ok", "proxy"),
        ("client_gone", "ok", "client"),
        ("cancelled", "ok", "client"),
        ("shutdown", "ok", "operator"),
        ("internal", "ok", "proxy"),
        (None, None, None),
    ],
)
def test_whose_doing_an_end_was(outcome: Any, attempt: str | None, who: str | None) -> None:
    record = StreamRecord("r", "native", 100.0)
    if attempt is not None:
        record.begin_target(100.0)
        record.attempted("far", attempt, 100.5)
    record.end(outcome, 200, 101.0)
    assert who == record.who_ended()
    record.ended_by = "operator"
    assert "operator" == record.who_ended()
