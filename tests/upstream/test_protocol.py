"""A connection to an upstream: whole chunks are handed on as they are, long reads in turns, and
nothing of one answer is another's."""

import asyncio
import gzip
from collections.abc import Iterable
from itertools import pairwise

import pytest

from proxy.framing.inflate import SLICE_BYTES
from proxy.upstream.handing import TURN_BYTES, End
from proxy.upstream.head import _MOST_BYTES, Head
from proxy.upstream.protocol import _SHORT_BYTES, Protocol

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


class Transport(asyncio.Transport):
    """Takes everything, and knows whether it was closed, and whether it is read."""

    closed = False
    reading = True
    unsent = 0

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Exchange:
    """One answer whose head has come. `straight` are the chunks that no framing saw."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.protocol = Protocol(asyncio.get_running_loop())
        self.protocol.connection_made(self.transport)
        self.straight: list[bytes] = []
        self.got = b""
        self.end: End | None = None
        self.ended = asyncio.Event()

    async def begin(self, head: bytes = HEAD) -> None:
        asking = asyncio.create_task(self.protocol.ask(b"", "POST"))
        await asyncio.sleep(0)
        self.protocol.data_received(head)
        assert isinstance(await asking, Head)
        self.protocol.take(self._take, self._over)

    def read(self, reads: Iterable[bytes]) -> None:
        for data in reads:
            before, self.protocol._turn = self.got, -1.0
            self.protocol.data_received(data)
            if self.protocol._turn == -1.0:  # no turn was begun for it
                self.straight.append(self.got.removeprefix(before))

    def _take(self, data: bytes) -> None:
        self.got += data

    def _over(self, end: End) -> None:
        self.end = end
        self.ended.set()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_a_read_that_is_one_whole_chunk_is_handed_on_as_it_is():
    """While the body stands between two."""
    one = Exchange()
    await one.begin()
    one.read([chunk(b"one"), b"3\r\ntwo", b"\r\n", chunk(b"x" * 300), chunk(b"three"), LAST])

    assert b"onetwo" + b"x" * 300 + b"three" == one.got
    assert [b"one", b"x" * 300, b"three"] == one.straight
    assert "complete" == one.end


@pytest.mark.parametrize(
    "reads",
    [
        [b"7\r\n", b"2\r\nab\r\n", b"\r\n"],
        [b"7\r\n2\r\nab", b"\r\n\r\n"],
        [b"7", b"\r\n2\r\nab\r\n\r\n"],
        [b"7\r\n2\r\nab\r\n\r", b"\n"],
        [b"7;x=\r\n", b"2\r\nab\r\n", b"\r\n"],
        [b"07\r\n2\r\nab\r\n\r\n"],
        [b"3\r\n2\r\n\r\n4\r\n", b"ab\r\n\r\n"],
    ],
)
async def test_data_that_look_like_a_chunk_are_data(reads):
    """Be it that they come in a read of their own."""
    one = Exchange()
    await one.begin()
    one.read([chunk(b"one"), *reads, chunk(b"end"), LAST])

    assert (b"one2\r\nab\r\nend", "complete") == (one.got, one.end)


async def test_a_chunk_as_long_as_a_turn_is_worked_on_in_turns():
    """It may not be its turn's last."""
    one = Exchange()
    await one.begin()
    long = b"x" * _SHORT_BYTES
    one.read([chunk(b"one"), chunk(long), chunk(b"two")])

    assert b"one" + long + b"two" == one.got
    assert [b"one", b"two"] == one.straight


async def test_a_body_with_a_length_may_look_like_chunks():
    """It has none."""
    one = Exchange()
    await one.begin(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n")
    one.read([chunk(b"one"), chunk(b"two")])

    assert (chunk(b"one") + chunk(b"two"), [], "complete") == (one.got, one.straight, one.end)


async def test_the_next_answer_on_the_connection_begins_anew():
    """Its head is no chunk, and its body is handed on as the first one's."""
    one = Exchange()
    await one.begin()
    one.read([chunk(b"one"), chunk(b"two"), LAST])
    assert not one.protocol.should_close
    one.got, one.straight, one.end = b"", [], None
    await one.begin()
    one.read([chunk(b"three"), chunk(b"four"), LAST])

    assert (b"threefour", [b"three", b"four"], "complete") == (one.got, one.straight, one.end)


async def test_a_connection_that_is_cut_between_two_chunks_breaks_the_body():
    """Also where the last ones were handed on as they are."""
    one = Exchange()
    await one.begin()
    one.read([chunk(b"one"), chunk(b"two"), chunk(b"three")])
    one.protocol.connection_lost(None)

    assert (b"onetwothree", "cut") == (one.got, one.end)


async def test_of_a_body_that_nobody_takes_yet_only_some_is_held():
    """Then the socket is read no more, until somebody takes it."""
    one = Exchange()
    await one.begin()
    one.protocol.let()
    for _ in range(30):
        if one.transport.reading:
            one.protocol.data_received(chunk(b"x" * 8000))
            await asyncio.sleep(0)
    held = not one.transport.reading
    one.protocol.take(one._take, one._over)

    assert held
    assert 9 * 8000 == len(one.got)
    assert one.transport.reading


async def test_a_compressed_body_is_made_plain_no_faster_than_it_is_taken():
    """A few kilobytes may be megabytes of text."""
    one = Exchange()
    await one.begin(HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n")
    plain = bytes(3_000_000)

    def take(data: bytes) -> None:
        one.got += data
        one.protocol.stop(True)

    one.protocol.take(take, one._over)
    one.protocol.data_received(chunk(gzip.compress(plain)) + LAST)
    first = len(one.got)
    while one.end is None:
        one.protocol.stop(False)
        await asyncio.sleep(0)

    assert 0 < first < 100_000
    assert (plain, "complete") == (one.got, one.end)


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"text")[:-4], b"no gzip at all", b"\x1f\x8b\x08"],
    ids=["one that is cut", "none", "a head alone"],  # a gzip head has the time in it
)
async def test_a_compressed_body_that_is_none_or_cut_is_no_whole_one(body):
    """It ends all the same."""
    one = Exchange()
    await one.begin(HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n")
    one.read([chunk(body) + LAST])

    assert "coding" == one.end


async def test_a_compressed_body_is_made_plain_in_turns():
    """A few bytes of it may be megabytes of what costs the most, and others have turns between."""
    one = Exchange()
    await one.begin(HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n")
    plain = b":\n\n" * 1_000_000
    turns = [0]
    one.protocol.data_received(chunk(gzip.compress(plain)) + LAST)
    while one.end is None:
        turns.append(len(one.got))
        await asyncio.sleep(0)
    turns.append(len(one.got))

    most = max(after - before for before, after in pairwise(turns))
    assert most < TURN_BYTES + SLICE_BYTES
    assert (plain, "complete") == (one.got, one.end)


async def test_what_comes_behind_a_compressed_part_waits_for_it():
    """Nothing is read before the part that has come is plain, and nothing of it is lost."""
    one = Exchange()
    await one.begin(HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n")
    whole = gzip.compress(bytes(1_000_000) + b"end")
    half = len(whole) // 2
    one.protocol.data_received(chunk(whole[:half]))
    read = one.transport.reading
    one.protocol.data_received(chunk(whole[half:]) + LAST)  # some loops hand over what they have
    one.protocol.connection_lost(None)
    await one.ended.wait()

    assert not read
    assert (bytes(1_000_000) + b"end", "complete") == (one.got, one.end)


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 \r\n\r\n", b"HTTP/1.1 103 E\r\nlink: x\r\n\r\n"]
)
async def test_what_is_said_before_an_answer_is_bounded(interim):
    """Each of its heads is read, which costs more than its bytes."""
    protocol, transport = Protocol(asyncio.get_running_loop()), Transport()
    protocol.connection_made(transport)
    asking = asyncio.create_task(protocol.ask(b"", "POST"))
    await asyncio.sleep(0)
    said = 0
    while not transport.closed:
        protocol.data_received(interim)
        said += len(interim)

    assert "malformed" == await asking
    assert _MOST_BYTES < said <= _MOST_BYTES + len(interim)


async def test_a_connection_whose_request_was_not_taken_whole_is_not_used_again():
    """The next one would wait behind what its upstream may never take."""
    one = Exchange()
    await one.begin()
    one.transport.unsent = 1
    one.read([LAST])

    assert "complete" == one.end
    assert one.protocol.should_close
    one.transport.unsent = 0
    assert not one.protocol.should_close
