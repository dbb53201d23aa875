"""An upstream's bytes, its end and its silence, and what stands in the log and the record after
them."""

import pytest

from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    StreamEnd,
    StreamError,
    TextDelta,
    Timing,
    Tool,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.relay.log import Log
from tests.relay.parts import HELLO, Saying, source_of

END: list[Event] = [BlockEnd(0), StreamEnd(Finish("stop"), Usage(1, 2))]
CALL = BlockStart(0, "tool_call", Tool("c", "f"))


def test_what_an_upstream_says_stands_in_the_log_with_its_timing() -> None:
    log = Log(1000)
    source = source_of(Saying(HELLO, END), log)
    source.chunk(b"12345", 101.0)
    source.chunk(b"678", 103.0)
    said = [*HELLO, BlockEnd(0), StreamEnd(Finish("stop"), Usage(1, 2), Timing(1000.0, 3000.0))]
    assert (said, 8) == log.unread()
    assert (Usage(1, 2), Finish("stop"), 8) == (
        source.record.usage,
        source.record.finish,
        source.record.bytes_in,
    )


def test_bytes_that_give_no_event_count_for_the_next_one() -> None:
    log = Log(1000)
    source = source_of(Saying([], HELLO), log)
    source.chunk(b"half", 101.0)
    assert ([], 0) == log.unread()
    source.chunk(b"rest", 102.0)
    assert (HELLO, 8) == log.unread()


@pytest.mark.parametrize(
    ("events", "begun", "content", "ready"),
    [
        ([], False, False, False),
        ([BlockStart(0, "text")], True, False, False),
        ([UsageEvent(1, 1)], True, False, False),
        (HELLO, True, True, True),
        ([CALL], True, True, True),  # a call without arguments has no delta
        ([StreamEnd(Finish("stop"))], True, False, True),
        ([StreamError(failure("upstream_error", "no"))], True, False, True),
    ],
)
def test_what_makes_an_answer_ready(
    events: list[Event], begun: bool, content: bool, ready: bool
) -> None:
    source = source_of(Saying(events))
    source.chunk(b"x", 101.0)
    assert (begun, content, ready) == (source.begun, source.content, source.ready)


def test_a_vendor_that_names_the_model_that_it_was_asked_for_says_nothing() -> None:
    log = Log(1000)
    other = Vendor("openai_chat", {"model": "theirs-2026-01"})
    source = source_of(Saying([Vendor("openai_chat", {"model": "theirs"}), other]), log)
    source.chunk(b"x", 101.0)
    assert [other] == log.unread()[0]
    assert {Vendor: 1} == source.record.events


def test_nothing_follows_a_terminal_event() -> None:
    log = Log(1000)
    source = source_of(Saying([*HELLO, *END, TextDelta(0, "more")]), log)
    source.chunk(b"x", 101.0)
    source.fail(failure("internal", "late"), 102.0)
    source.closed(102.0)
    assert StreamEnd is type(log.unread()[0][-1])
    assert source.failed is None


@pytest.mark.parametrize("kind", ["upstream_truncated", "total_timeout", "shutdown"])
def test_a_failure_ends_it_in_an_error_with_what_was_counted(kind) -> None:
    decoder, log = Saying(HELLO), Log(1000)
    decoder.counted = Usage(3, 4)
    source = source_of(decoder, log)
    source.chunk(b"x", 101.0)
    source.fail(failure(kind, "It broke."), 102.0)
    error = log.unread()[0][-1]
    assert isinstance(error, StreamError)
    named = "far" if kind.startswith("upstream_") else None
    assert (kind, named, Usage(3, 4)) == (error.error.kind, error.error.upstream, error.usage)
    assert error.error == source.failed


def test_a_body_that_ends_gives_what_the_decoder_makes_of_it() -> None:
    source = source_of(Saying(HELLO, end=[StreamError(failure("upstream_truncated", "cut"))]))
    source.chunk(b"x", 101.0)
    source.closed(102.0)
    assert source.failed is not None
    assert "upstream_truncated" == source.failed.kind


def test_a_decoder_that_forgets_to_end_is_a_defect() -> None:
    source = source_of(Saying(HELLO))
    source.chunk(b"x", 101.0)
    source.closed(102.0)
    assert source.failed is not None
    assert "internal" == source.failed.kind


def test_much_without_content_is_no_answer() -> None:
    source = source_of(Saying([UsageEvent(1, 1)]), most_silent_bytes=10)
    source.chunk(b"12345", 101.0)
    source.chunk(b"67890", 102.0)
    assert not source.done
    source.chunk(b"1", 103.0)
    assert source.failed is not None
    assert "upstream_malformed" == source.failed.kind


def test_after_content_an_answer_is_as_long_as_it_likes() -> None:
    source = source_of(Saying(HELLO), most_silent_bytes=10)
    source.chunk(b"x", 101.0)
    source.chunk(b"x" * 100, 102.0)
    assert not source.done


def test_what_earlier_answers_used_is_counted_with_it() -> None:
    source = source_of(Saying([UsageEvent(1, 2)], END))
    source.chunk(b"x", 101.0)
    source.goes_on(Usage(10, 20))
    assert Usage(11, 22) == source.record.usage
    source.chunk(b"x", 102.0)
    assert Usage(11, 22) == source.record.usage


def begun() -> Saying:
    return Saying([BlockStart(0, "text")])


@pytest.mark.parametrize(
    ("decoder", "chunks", "due", "kind"),
    [
        (begun, [], 110.0, "first_event_timeout"),
        (Saying, [103.0, 109.0], 110.0, "first_event_timeout"),  # bytes are no event
        (begun, [103.0], 108.0, "idle_timeout"),
        (begun, [103.0, 107.0], 112.0, "idle_timeout"),
        (begun, [103.0, 156.0], 160.0, "total_timeout"),
    ],
)
def test_what_is_due_and_when(decoder, chunks: list[float], due: float, kind: str) -> None:
    source = source_of(decoder())
    for at in chunks:
        source.chunk(b"x", at)
    assert due == source.due()
    assert source.overdue(due - 0.001) is None
    late = source.overdue(due)
    assert late is not None
    assert (kind, "far") == (late.kind, late.upstream)


def test_an_upstream_that_is_not_read_may_be_silent() -> None:
    source = source_of(begun())
    source.chunk(b"x", 103.0)
    source.paused()
    assert 160.0 == source.due()
    source.resumed(150.0)
    assert 155.0 == source.due()
