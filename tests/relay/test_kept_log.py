"""What a kept log has of a stream, for readers that come late, are slow or come back."""

import pytest

from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    UsageEvent,
    Vendor,
)
from proxy.relay.kept_log import MOST_AT_ONCE, KeptLog
from proxy.relay.snapshot import Snapshot
from proxy.server.stores.layout import past_of, read_past
from tests.relay.parts import HELLO, START, Taking

END = StreamEnd(Finish("stop"))


class Scales:
    """Who is told what logs take."""

    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self, more_bytes: int) -> None:
        self.bytes += more_bytes


def begun(most_bytes: int = 100_000) -> tuple[KeptLog, Scales]:
    scales = Scales()
    log = KeptLog(most_bytes, scales)
    log.begin(START)
    return log, scales


def texts(log: KeptLog, count: int, at: int = 0) -> None:
    for number in range(at, at + count):
        log.write([TextDelta(0, f"{number} ")], 1.0, 50)


def test_every_reader_gets_every_event_and_the_end_once() -> None:
    log, _ = begun()
    first, second = Taking(), Taking()
    log.follow(first, 1.0)
    log.write(HELLO, 1.0, 10)
    log.follow(second, 1.0)
    log.write([BlockEnd(0), END], 2.0, 10)
    assert [*HELLO, BlockEnd(0), END] == first.taken
    assert [BlockEnd(0), END] == second.taken
    assert (1, 1) == (first.stopped, second.stopped)


def test_a_reader_that_has_left_gets_nothing_more() -> None:
    log, _ = begun()
    first, second = Taking(), Taking()
    log.follow(first, 1.0)
    log.follow(second, 1.0)
    log.unfollow(first)
    log.write(HELLO, 1.0, 10)
    assert ([], HELLO, 1) == (first.taken, second.taken, log.readers)


def test_what_was_said_can_be_read_from_any_event_some_at_a_time() -> None:
    log, _ = begun()
    log.write([BlockStart(0, "text")], 1.0, 10)
    texts(log, 500)
    said: list[Event] = []
    while len(said) < log.next:
        found = log.since(len(said))
        assert found is not None
        assert len(found[0]) <= MOST_AT_ONCE
        said += found[0]
    assert [START, BlockStart(0, "text")] == said[:2]
    assert [f"{number} " for number in range(500)] == [event.text for event in said[2:]]  # type: ignore[union-attr]
    assert ([], 0) == log.since(log.next)


def test_the_oldest_events_are_folded_and_nothing_of_what_they_say_is_lost() -> None:
    log, scales = begun(most_bytes=10_000)
    log.write([BlockStart(0, "text")], 1.0, 10)
    texts(log, 400)
    assert 0 < log.first < log.next
    assert log.since(log.first - 1) is None
    folded = log.folded()
    assert folded is not None
    kept, at = "", log.first
    while at < log.next:
        events = log.since(at)[0]  # type: ignore[index]
        kept += "".join(event.text for event in events)  # type: ignore[union-attr]
        at += len(events)
    told = "".join(event.text for event in folded if isinstance(event, TextDelta))
    assert "".join(f"{number} " for number in range(400)) == told + kept
    assert 20_000 >= scales.bytes == log.bytes


def test_of_an_endless_stream_even_the_summary_is_bounded() -> None:
    log, scales = begun(most_bytes=5_000)
    log.write([BlockStart(0, "text")], 1.0, 10)
    texts(log, 5000)
    assert log.folded() is None
    assert 10_000 >= scales.bytes


def test_a_log_that_begins_in_the_midst_says_what_came_before() -> None:
    whole, _ = begun(3000)
    whole.write([BlockStart(0, "text")], 1.0, 10)
    texts(whole, 40)
    assert whole.first
    scales = Scales()
    log = KeptLog(3000, scales)
    log.recall(whole.first, whole.folded(), whole.order)
    found = whole.since(whole.first)
    assert found is not None
    log.write(found[0], 1.0, found[1])
    assert (whole.next, whole.folded(), True) == (log.next, log.folded(), log.begun)
    assert scales.bytes == log.bytes > 0


def interleaved(count: int) -> list[Event]:
    """Two blocks at a time, and what stands beside them."""
    events: list[Event] = [BlockStart(0, "text"), BlockStart(1, "tool_call", Tool("t", "f"))]
    for number in range(count):
        events.append(TextDelta(0, f"{number} "))
        if number % 3 == 0:
            events += [ToolCallDelta(1, "x" * (number % 5 + 1)), Vendor("v", {"n": number})]
    return [*events, BlockEnd(0), BlockEnd(1), BlockStart(2, "reasoning"), ReasoningDelta(2, "r")]


@pytest.mark.parametrize("recalled", [False, True])
def test_what_is_folded_is_still_known_one_by_one(*, recalled: bool) -> None:
    """From any number on, also in another process."""
    log, _ = begun(9000)
    events = interleaved(60)
    for event in events:
        log.write([event], 1.0, 50)
    assert 20 < log.first < log.next
    kept = log
    if recalled:
        kept = KeptLog(9000, Scales())
        said = read_past(past_of(log))
        kept.recall(said.first, said.events, said.order)
    for number in range(log.first):
        assert [START, *events][number : log.first] == list(kept.replayed(number) or ())


def test_who_reads_what_is_folded_gets_what_is_folded_meanwhile() -> None:
    log, _ = begun(20_000)
    events = interleaved(120)
    for event in events[:80]:
        log.write([event], 1.0, 50)
    reading, at = log.replayed(), log.first
    assert reading is not None
    told = [next(reading) for _ in range(at - 1)]
    for event in events[80:]:
        log.write([event], 1.0, 50)
    assert [START, *events][: log.first] == [*told, *reading]


def test_where_text_was_taken_back_nobody_knows_the_events_one_by_one() -> None:
    log, _ = begun(3000)
    log.write([BlockStart(0, "text"), TextDelta(0, "abc"), TextRewrite(0, 1, "x")], 1.0, 10)
    texts(log, 60)
    assert log.first
    assert log.replayed() is None
    assert log.folded() is not None


def test_a_copy_gets_every_event_and_is_no_reader() -> None:
    log, _ = begun()
    copy = Taking()
    log.copy_to(copy)
    log.write(HELLO, 1.0, 10)
    assert (HELLO, 0) == (copy.taken, log.readers)
    log.write([BlockEnd(0), END], 2.0, 10)
    assert 1 == copy.stopped
    log.unfollow(copy)
    assert 0 == log.readers


def test_what_is_forgotten_is_not_counted_and_still_read() -> None:
    log, scales = begun()
    log.write(HELLO, 1.0, 10)
    log.forget()
    assert 0 == scales.bytes
    log.write([END], 2.0, 10)
    assert 0 == scales.bytes
    assert [START, *HELLO, END] == log.since(0)[0]  # type: ignore[index]


CALL = Tool("c", "f")


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([START], [START]),
        (
            [START, *HELLO, TextDelta(0, "lo")],
            [START, BlockStart(0, "text"), TextDelta(0, "Hello")],
        ),
        (
            [START, *HELLO, TextRewrite(0, 1, "i"), BlockEnd(0)],
            [START, BlockStart(0, "text"), TextDelta(0, "Hi"), BlockEnd(0)],
        ),
        (
            [START, BlockStart(0, "reasoning"), ReasoningDelta(0, "a"), BlockEnd(0, "sig")],
            [START, BlockStart(0, "reasoning"), ReasoningDelta(0, "a"), BlockEnd(0, "sig")],
        ),
        (
            [
                START,
                BlockStart(0, "tool_call", CALL),
                ToolCallDelta(0, "{"),
                BlockStart(1, "text"),
                ToolCallDelta(0, "}"),
            ],
            [
                START,
                BlockStart(0, "tool_call", CALL),
                ToolCallDelta(0, "{}"),
                BlockStart(1, "text"),
            ],
        ),
        (
            [START, UsageEvent(1, 2), Vendor("x", {"a": 1}), UsageEvent(3, 4)],
            [START, Vendor("x", {"a": 1}), UsageEvent(3, 4)],
        ),
        (
            [
                *(START, Vendor("x", 1), BlockStart(0, "text", refusal=True), TextDelta(0, "N")),
                *(Vendor("x", 2), TextDelta(0, "o"), BlockEnd(0, "s", "openai"), Vendor("x", 3)),
                *(Image("data:,1"), BlockStart(1, "text"), TextDelta(1, "b")),
            ],
            [
                *(START, Vendor("x", 1), BlockStart(0, "text", refusal=True), TextDelta(0, "No")),
                *(Vendor("x", 2), Vendor("x", 3), Image("data:,1"), BlockEnd(0, "s", "openai")),
                *(BlockStart(1, "text"), TextDelta(1, "b")),
            ],
        ),
    ],
)
def test_a_snapshot_says_the_same_in_fewer_events(events: list[Event], said: list[Event]) -> None:
    for cut in range(len(events) + 1):
        snapshot = Snapshot()
        snapshot.add(events[:cut])
        snapshot.add(events[cut:])
        assert said == snapshot.said()
