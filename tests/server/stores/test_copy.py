"""A copy of another process's log: what is read twice, not at all or too late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.registry import CLIENTS
from proxy.errors import Failure, Refused, failure
from proxy.events import BlockStart, Event, StreamError, StreamStart, TextDelta
from proxy.relay.kept_log import KeptLog
from proxy.server.lasting import Head, Origin
from proxy.server.stores import layout
from proxy.server.stores.copy import Copy
from proxy.server.stores.layout import Batch
from tests.relay.parts import Taking

START = StreamStart("s1", "m", "far", "theirs", 1_700_000_000)
EVENTS: list[Event] = [START, BlockStart(0, "text"), TextDelta(0, "a"), TextDelta(0, "b")]
END = StreamError(failure("cancelled", "Somebody asked."))


async def never(copy: Copy, why: Failure) -> None:
    raise AssertionError(copy, why)


def made() -> tuple[Copy, Taking]:
    origin = Origin("s1", "ann", CLIENTS["native"], None, "", "m", "m", 1, False)
    log = KeptLog(1000, lambda more_bytes: None)
    reader = Taking()
    log.follow(reader, 0.0)
    copy = Copy(
        origin,
        log,
        head=None,
        process="p",
        request=b"asked",
        attended=lambda: None,
        ask=never,
    )
    return copy, reader


async def test_what_is_read_twice_is_taken_once() -> None:
    copy, reader = made()
    copy.gain(Batch(0, EVENTS[:3], 10), 1.0)
    copy.gain(Batch(0, EVENTS[:3], 10), 1.0)
    copy.gain(Batch(1, EVENTS[1:], 10), 1.0)
    copy.gain(Batch(4, [END], 10), 1.0)
    copy.gain(Batch(4, [END], 10), 1.0)
    assert [*EVENTS, END] == reader.taken
    assert Head("far", [], {}) == copy.head
    assert "cancelled" == copy.state


async def test_nothing_is_taken_behind_a_gap() -> None:
    copy, reader = made()
    assert copy.gain(Batch(0, EVENTS[:2], 10), 1.0)
    assert not copy.gain(Batch(3, EVENTS[3:], 10), 1.0)
    assert EVENTS[:2] == reader.taken
    assert copy.gain(Batch(2, EVENTS[2:], 10), 1.0)
    assert EVENTS == reader.taken


async def test_what_was_folded_before_it_was_read_is_there_one_by_one() -> None:
    whole = KeptLog(1500, lambda more_bytes: None)
    for event in (*EVENTS, *TEXTS):
        whole.write([event], 1.0, 10)
    copy, reader = made()
    copy.gain(Batch(0, EVENTS[:3], 10), 1.0)
    copy.recall(layout.read_past(layout.past_of(whole)))
    assert (whole.first, 1) == (copy.log.next, reader.stopped)
    assert [*EVENTS, *TEXTS][3 : whole.first] == list(copy.log.replayed(3) or ())
    copy.recall(layout.Past(3, None))  # older than what it has
    assert whole.first == copy.log.next
    assert copy.gain(Batch(whole.first, [END], 10), 1.0)
    assert END == reader.taken[-1]


async def test_one_whose_beginning_is_only_told_folded_has_a_head_too() -> None:
    for past, said in (([START], Head("far", [], {})), (None, None)):
        copy, _ = made()
        copy.recall(layout.Past(50, past))
        if said is not None:
            assert said == await copy.answered()
        else:
            with pytest.raises(Refused):
                await copy.answered()


async def test_an_end_that_others_wrote_comes_last_whatever_its_number() -> None:
    copy, reader = made()
    copy.gain(Batch(0, EVENTS, 10), 1.0)
    copy.gain(Batch(2, [END], 10), 1.0)
    assert [*EVENTS, END] == reader.taken


async def test_one_that_never_had_an_answer_tells_who_waits_for_it() -> None:
    copy, reader = made()
    assert "queued" == copy.state
    copy.lose(1.0)
    assert 1 == len(reader.taken)
    with pytest.raises(Refused):
        await copy.answered()
    await copy.cancel(failure("cancelled", "It has ended."))  # asks nobody


TEXTS: list[Event] = [TextDelta(0, f"{number} ") for number in range(20)]
WHOLE: list[Event] = [START, BlockStart(0, "text"), *TEXTS, END]
BURIED = StreamError(failure("upstream_truncated", "Its process is gone."))


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(1, len(WHOLE)))),
    st.integers(0, 40),
)
async def test_however_it_is_written_again_and_read_it_is_whole_and_ends_once(
    batches: list[tuple[int, int]], buried_after: int
) -> None:
    """A batch begins anywhere before what is known, as after an outage, and may be read twice; at
    some time another process may write the end."""
    copy, reader = made()
    buried = False
    for turn, (back, size) in enumerate([*batches, (0, len(WHOLE))]):
        first = max(copy.log.next - back, 0)
        if turn == buried_after and copy.log.end is None:
            copy.gain(Batch(first, [BURIED], 10), 1.0)
            buried = True
        batch = WHOLE[first : first + size]
        if batch:
            copy.gain(Batch(first, batch, 10), 1.0)
    known = len(reader.taken) - 1
    assert WHOLE[:known] == reader.taken[:-1]
    assert (BURIED if buried else END) == reader.taken[-1]
    assert buried or known == len(WHOLE) - 1
    assert 1 == reader.stopped
