"""A reader of a kept log that is slower than what is kept one by one."""

import asyncio

import pytest

from proxy.dialects.registry import CLIENTS
from proxy.events import BlockStart, Event, Finish, StreamEnd, TextDelta
from proxy.observe.record import StreamRecord
from proxy.relay.kept_log import MOST_AT_ONCE, KeptLog
from proxy.relay.watching import Watching
from proxy.settings.limits import Limits
from proxy.settings.sections import Streams
from tests.relay.parts import START
from tests.relay.test_log_machine import ASKED, Line

END = StreamEnd(Finish("stop"))


def watching(log: KeptLog, number: int = 0) -> Watching:
    return Watching(
        log,
        CLIENTS["native"].encoder(ASKED),
        record=StreamRecord("r", "native", 0.0),
        streams=Streams(heartbeat_s=3600),
        limits=Limits(write_buffer_bytes=1),
        number=number,
    )


def written(log: KeptLog, count: int) -> None:
    for number in range(count):
        log.write([TextDelta(0, f"{number} ")], 1.0, 50)


def nobody(_: int) -> None:
    """Is told what a log takes."""


async def test_a_reader_that_stood_still_gets_also_what_is_folded_by_then() -> None:
    """Every event, once and in order; it is not cut off."""
    log, line = KeptLog(9000, nobody), Line()
    log.begin(START)
    log.write([BlockStart(0, "text")], 1.0, 10)
    reader = watching(log)
    line.write(reader.opening(START.stream))
    line.still = True
    reading = asyncio.create_task(reader.relay(line))
    await asyncio.sleep(0)
    written(log, 200)
    assert log.first > 50
    line.go_on()
    await asyncio.sleep(0)
    written(log, 30)
    log.write([END], 1.0, 10)
    await asyncio.wait_for(reading, 10)
    encoder = CLIENTS["native"].encoder(ASKED)
    encoder.seek(START.stream, 0)
    deltas = [TextDelta(0, f"{number} ") for count in (200, 30) for number in range(count)]
    events = [START, BlockStart(0, "text"), *deltas, END]
    assert b"".join(map(encoder.encode, events)) == bytes(line.sent)


async def test_a_reader_that_comes_late_leaves_others_their_turn() -> None:
    """What it gets at a time is bounded, however much it has missed."""
    log, line = KeptLog(10**7, nobody), Line()
    log.begin(START)
    log.write([BlockStart(0, "text")], 1.0, 10)
    written(log, 20 * MOST_AT_ONCE)
    log.write([END], 1.0, 10)
    reader = watching(log)
    line.write(reader.opening(START.stream))
    reading, most = asyncio.create_task(reader.relay(line)), 0
    while not reading.done():
        before = line.sent.count(b"id: ")
        await asyncio.sleep(0)
        most = max(most, line.sent.count(b"id: ") - before)
    assert 20 * MOST_AT_ONCE + 3 == line.sent.count(b"id: ")
    assert MOST_AT_ONCE <= most <= 5 * MOST_AT_ONCE


async def ahead(number: int, *more: Event, lost: bool = False) -> bytes:
    """What a client gets that comes back behind this event, when these come: it had begun to read
    where more was known. `lost`: by a process that has died."""
    log, line = KeptLog(10**6, nobody), Line()
    log.begin(START)
    log.write([BlockStart(0, "text"), TextDelta(0, "a")], 1.0, 10)
    reader = watching(log, number + 1)
    line.write(reader.opening(START.stream))
    reading = asyncio.create_task(reader.relay(line))
    await asyncio.sleep(0)
    log.lost = lost
    log.write([*more], 1.0, 10)
    await asyncio.wait_for(reading, 10)
    return bytes(line.sent)


async def test_who_has_the_end_already_gets_no_other() -> None:
    """The process that it reads from hears of the end later than its client."""
    assert b"" == await ahead(4, TextDelta(0, "b"), END)


async def test_who_has_more_than_was_kept_gets_the_end_by_its_own_number() -> None:
    """So that it comes back behind that, where there is no more."""
    sent = await ahead(7, END)
    assert 1 == sent.count(b"data: ")
    assert f"id: {START.stream}:3\n".encode() in sent


@pytest.mark.parametrize("number", [2, 3, 4, 5])
async def test_the_end_of_a_lost_log_is_told_to_all_by_a_number_that_no_event_has(
    number: int,
) -> None:
    """Also to who has as many events as there are with that end, or more."""
    sent = await ahead(number, END, lost=True)
    assert 1 == sent.count(b"data: ")
    assert f"id: {START.stream}:99999999999\n".encode() in sent


async def test_who_comes_late_to_a_lost_log_gets_its_end_by_that_number_too() -> None:
    log, line = KeptLog(10**6, nobody), Line()
    log.begin(START)
    log.write([BlockStart(0, "text"), TextDelta(0, "a")], 1.0, 10)
    log.lost = True
    log.write([END], 1.0, 10)
    for number, had in ((0, [0, 1, 2, 99999999999]), (2, [2, 99999999999]), (3, [99999999999])):
        line.sent.clear()
        reader = watching(log, number)
        line.write(reader.opening(START.stream))
        await asyncio.wait_for(reader.relay(line), 10)
        ids = [int(each.split(b"\n")[0]) for each in line.sent.split(b"\nid: s1:")[1:]]
        assert had == ids


async def skipped(number: int, *, in_order: bool) -> bytes:
    """What a client gets that has read up to this event, when its log goes on behind what was
    folded elsewhere. `in_order`: it is known how that came one by one."""
    whole, log, line = KeptLog(9000, nobody), KeptLog(9000, nobody), Line()
    whole.begin(START)
    whole.write([BlockStart(0, "text")], 1.0, 10)
    written(whole, 200)
    log.begin(START)
    log.write([BlockStart(0, "text")], 1.0, 10)
    written(log, number - 2)
    reader = watching(log)
    line.write(reader.opening(START.stream))
    reading = asyncio.create_task(reader.relay(line))
    await asyncio.sleep(0)
    log.recall(whole.first, whole.folded(), whole.order if in_order else None)
    found = whole.since(whole.first)
    assert found is not None
    log.write([*found[0], END], 1.0, 50)
    await asyncio.wait_for(reading, 10)
    return bytes(line.sent)


async def test_who_reads_a_log_that_goes_on_further_ahead_gets_what_is_between() -> None:
    encoder = CLIENTS["native"].encoder(ASKED)
    encoder.seek(START.stream, 0)
    events = [START, BlockStart(0, "text"), *(TextDelta(0, f"{each} ") for each in range(200)), END]
    assert b"".join(map(encoder.encode, events)) == await skipped(12, in_order=True)


async def test_where_that_is_not_known_its_client_is_cut_and_comes_back_for_a_snapshot() -> None:
    with pytest.raises(ConnectionResetError):
        await skipped(12, in_order=False)
