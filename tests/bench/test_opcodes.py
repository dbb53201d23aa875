"""A chunk's path does not grow unseen: its opcodes are counted, which no clock or load disturbs."""

import asyncio

import pytest

from tests.bench import bounds, flushed, micro, observing, through
from tests.bench.asking import ASKING
from tests.bench.bounds import KEPT, OBSERVING, SENT, STEP, WHOLE
from tests.bench.matrix import REFERENCE, Pair, pairs
from tests.bench.micro import Turns
from tests.bench.opcodes import Opcodes
from tests.bench.through import Cost
from tests.bench.wire import VENDORS
from tests.needs import requires
from tests.redis_server import redis_server


def _sum(numbers: range) -> int:
    total = 0
    for number in numbers:
        total += number
    return total


def test_the_opcodes_of_a_function_are_counted_alike_each_time():
    """Ten rounds more of a loop cost as much each time."""
    counted = []
    for rounds in (10, 10, 10, 20, 30):
        counter = Opcodes()
        with counter.counting():
            _sum(range(rounds))
        counted.append(counter.by_code[_sum.__code__])

    _, once, again, twice, thrice = counted  # the first for nothing
    assert once == again > 0
    assert thrice - twice == twice - once > 0


def test_no_pair_costs_more_opcodes_in_the_step_than_its_bound():
    """And every pair has one."""
    counted = {pair: micro.opcodes(pair) for pair in pairs(VENDORS, ASKING)}

    assert list(STEP) == list(counted)
    assert [] == list(bounds.beyond(counted, {}))
    assert min(counted.values()) > 0


@pytest.mark.parametrize("pair", WHOLE, ids=str)
def test_no_chunk_and_no_short_request_costs_more_opcodes_than_its_bound(pair):
    """From socket to socket, with keys, metrics and logs on."""
    assert [] == list(bounds.beyond({}, {pair: through.cost(pair)}))


@pytest.mark.parametrize("pair", WHOLE, ids=str)
def test_no_chunk_costs_more_opcodes_to_observe_than_their_bound(pair):
    """And none is unseen."""
    assert 0 < through.observing(pair) <= OBSERVING


def test_what_notes_nothing_costs_less():
    """So that the difference, which `make bench` prints in µs, is that of observing."""
    noting = Turns(REFERENCE, 1, taking=observing.Noting)
    source, record = noting.begun()
    noting.run(source, record)
    blind = Turns(REFERENCE, 1, record=observing.Unseen)
    unseen, blank = blind.begun()
    blind.run(unseen, blank)

    assert record.chunks == sum(record.delay_counts) == 3  # the head and two texts
    assert 1 == sum(record.gap_counts)
    assert (0, None, None) == (blank.chunks, blank.gap_counts, blank.delay_counts)


def test_a_chunk_of_a_kept_stream_costs_little_more():
    """Though others may read it too, and come back to it."""
    plain = through.cost(REFERENCE)
    kept = through.cost(REFERENCE, streams={"resume": {}})

    assert 0 < kept.chunk - plain.chunk <= KEPT, (plain, kept)


@requires("redis")
async def test_a_chunk_that_others_read_by_redis_costs_little_more_again():
    """Its share of what is sent to Redis for many streams at a time."""
    async with redis_server() as server:
        sent = await asyncio.to_thread(flushed.per_chunk, server.url)

    assert 50 < sent <= SENT


def test_what_is_above_its_bound_is_named():
    """By the pair, what was counted and the bound."""
    most = WHOLE[REFERENCE]
    step = {
        REFERENCE: STEP[REFERENCE],
        Pair("ollama", "native"): STEP[Pair("ollama", "native")] + 1,
    }
    whole = {REFERENCE: Cost(chunk=most.chunk + 1, request=most.request)}

    assert [
        ("ollama -> native", "step"),
        ("openai_chat -> native", "per chunk from socket to socket"),
    ] == [
        (pair, part)
        for line in bounds.beyond(step, whole)
        for pair, _, rest in [line.partition(":")]
        for part in ("step", "per chunk from socket to socket")
        if part in rest
    ]
