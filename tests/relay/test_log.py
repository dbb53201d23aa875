"""What a log holds, hands out and forgets."""

import math

import pytest

from proxy.errors import failure
from proxy.events import BlockEnd, Event, Finish, StreamEnd, StreamError, TextDelta, Usage, Vendor
from proxy.relay.log import Log
from proxy.relay.said import Said
from proxy.relay.splice import spliced
from tests.relay.parts import HELLO, START, Taking

END = StreamEnd(Finish("stop"), Usage(5, 6))
BROKEN = StreamError(failure("upstream_truncated", "cut", upstream="far"), Usage(1, 2))
GOES_ON = Vendor("native", {"continued": {}})


def test_what_nobody_has_read_is_held_and_comes_after_the_start() -> None:
    log, reader = Log(1000), Taking()
    log.write(HELLO, 1.0, 10)
    log.begin(START)
    log.write([TextDelta(0, "lo")], 2.0, 5)
    log.follow(reader, 3.0)
    assert ([START, *HELLO, TextDelta(0, "lo")], [15]) == (reader.taken, reader.sizes)


def test_a_reader_that_follows_gets_everything_at_once_and_nothing_is_held() -> None:
    log, reader = Log(1000), Taking()
    log.begin(START)
    log.follow(reader, 1.0)
    log.write(HELLO, 2.0, 10)
    log.write([END], 3.0, 5)
    assert [START, *HELLO, END] == reader.taken
    assert ([], 0) == log.unread()
    assert (END, 1) == (log.end, reader.stopped)


def test_what_is_read_for_the_opening_is_not_read_again() -> None:
    log, reader = Log(1000), Taking()
    log.write(HELLO, 1.0, 10)
    log.begin(START)
    assert ([START, *HELLO], 10) == log.unread()
    log.write([END], 2.0, 5)
    log.follow(reader, 3.0)
    assert [END] == reader.taken


@pytest.mark.parametrize(
    ("begins", "size", "full"), [(False, 2000, False), (True, 1000, False), (True, 1001, True)]
)
def test_a_log_whose_reader_is_late_is_full(begins: bool, size: int, full: bool) -> None:
    """Before commit nobody is late: what comes without content is bounded by the source."""
    log = Log(1000)
    if begins:
        log.begin(START)
    log.write(HELLO, 1.0, size)
    assert full is log.full
    log.unread()
    assert not log.full


def test_what_comes_when_nobody_follows_any_more_is_forgotten() -> None:
    log, reader = Log(1000), Taking()
    log.begin(START)
    log.follow(reader, 1.0)
    log.leave()
    log.write([*HELLO, END], 2.0, 5000)
    assert ([START], ([], 0), False) == (reader.taken, log.unread(), log.full)
    assert END == log.end


@pytest.mark.parametrize(
    ("until", "now", "kind"),
    [(math.inf, 1e9, None), (30.0, 29.9, None), (30.0, 30.0, "client_gone")],
)
def test_a_log_that_nobody_comes_back_to_is_deserted(until: float, now: float, kind) -> None:
    log = Log(1000)
    log.begin(START)
    log.leave(until)
    assert until == log.due()
    why = log.deserted(now)
    assert kind == (why and why.kind)


def test_its_readers_deadline_is_its_own() -> None:
    log, reader = Log(1000), Taking(due=7.0)
    log.begin(START)
    log.follow(reader, 1.0)
    assert 7.0 == log.due()
    log.tick(7.0)
    assert [7.0] == reader.ticks


def test_an_end_that_cannot_be_told_is_an_end() -> None:
    log, reader = Log(1000), Taking()
    log.begin(START)
    log.follow(reader, 1.0)
    log.break_off(failure("internal", "a defect"))
    assert ([START], 1) == (reader.taken, reader.stopped)
    assert isinstance(log.end, StreamError)


def interrupted(*said: Event) -> tuple[Log, Taking]:
    """A log that another source may go on with, and its reader."""
    log, reader = Log(1000), Taking()
    log.write([*HELLO, *said], 1.0, 10)
    log.begin(START, Said(100))
    log.follow(reader, 1.0)
    log.write([BROKEN], 2.0, 0)
    return log, reader


def test_the_error_that_another_source_may_mend_is_not_told() -> None:
    log, reader = interrupted()
    assert [START, *HELLO] == reader.taken
    assert (None, BROKEN, 1) == (log.end, log.interrupted, reader.stopped)


def test_an_error_that_was_held_when_it_began_is_not_told_either() -> None:
    log = Log(1000)
    log.write([*HELLO, BROKEN], 1.0, 10)
    assert BROKEN == log.end
    log.begin(START, Said(100))
    assert ([START, *HELLO], None, BROKEN) == (log.unread()[0], log.end, log.interrupted)


@pytest.mark.parametrize("kind", ["client_gone", "shutdown", "total_timeout", "internal"])
def test_what_no_other_source_can_mend_is_told(kind) -> None:
    log = Log(1000)
    log.begin(START, Said(100))
    log.write([StreamError(failure(kind, "no"))], 1.0, 0)
    assert log.end is not None


@pytest.mark.parametrize(
    ("why", "kind"), [(None, "upstream_truncated"), (failure("shutdown", "bye"), "shutdown")]
)
def test_where_nobody_goes_on_the_readers_are_told(why, kind: str) -> None:
    log, reader = interrupted()
    log.surrender(3.0, why)
    last = reader.taken[-1]
    assert isinstance(last, StreamError)
    assert (kind, Usage(1, 2)) == (last.error.kind, last.usage)
    assert last == log.end


def test_a_second_source_writes_into_the_same_block_and_ends_once() -> None:
    log, reader = interrupted()
    joined = spliced(log, GOES_ON, 3.0)
    joined.write([*HELLO, BlockEnd(0), END], 3.0, 20)
    more = [GOES_ON, TextDelta(0, "Hel"), BlockEnd(0), StreamEnd(Finish("stop"), Usage(6, 8))]
    assert [START, *HELLO, *more] == reader.taken
    assert (None, "HelHel") == (log.interrupted, log.said and log.said.text)


def test_a_third_source_knows_what_the_first_two_used() -> None:
    log, reader = interrupted()
    spliced(log, GOES_ON, 3.0).write([*HELLO, BROKEN], 3.0, 20)
    assert log.interrupted is not None
    spliced(log, GOES_ON, 4.0).write([*HELLO, END], 4.0, 20)
    assert END.finish == log.end.finish  # type: ignore[union-attr]
    assert Usage(5 + 1 + 1, 6 + 2 + 2) == reader.taken[-1].usage  # type: ignore[union-attr]


def test_the_text_that_goes_on_stays_one_block_however_often() -> None:
    log, reader = interrupted()
    for _ in range(3):
        spliced(log, GOES_ON, 3.0).write([*HELLO, BROKEN], 3.0, 20)
    assert {0} == {event.block for event in reader.taken if isinstance(event, TextDelta)}
