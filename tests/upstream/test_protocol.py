"""A body in chunks comes out as it was put in, however its bytes are cut into reads, and whatever
its data look like."""

import asyncio
import itertools
import random
from collections.abc import Iterable

import pytest
from aiohttp import StreamReader

from proxy.upstream.protocol import _SHORT_BYTES, Protocol

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


class Transport(asyncio.Transport):
    """Takes nothing, and knows whether it was closed."""

    closed = False

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Exchange:
    """One answer whose head has come. `straight` are the chunks that no parser saw."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.protocol = Protocol(asyncio.get_running_loop())
        self.protocol.connection_made(self.transport)
        self.straight: list[bytes] = []
        self.got = b""
        self.body: StreamReader

    async def begin(self, head: bytes = HEAD) -> None:
        self.protocol.set_response_params(read_until_eof=True)
        self.protocol.data_received(head)
        _, self.body = await self.protocol.read()
        self.protocol.on_data = self._parsed
        self.protocol.hand_on(self.body, self._whole)

    def read(self, reads: Iterable[bytes]) -> None:
        for data in reads:
            self.protocol.data_received(data)

    def _whole(self, data: bytes) -> None:
        self.straight.append(data)
        self.got += data

    def _parsed(self) -> None:
        if self.body.exception() is None:
            self.got += self.body.read_nowait()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_a_read_that_is_one_whole_chunk_is_handed_on_as_it_is():
    """Once the parser is known to stand between two."""
    one = Exchange()
    await one.begin()
    one.read([chunk(b"one"), chunk(b"two"), chunk(b"x" * 300), chunk(b"three"), LAST])

    assert b"onetwo" + b"x" * 300 + b"three" == one.got
    assert [b"two", b"x" * 300, b"three"] == one.straight
    assert one.body.is_eof()


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
    one.read([chunk(b"one"), chunk(b"two"), *reads, chunk(b"end"), LAST])

    assert b"onetwo2\r\nab\r\nend" == one.got
    assert one.body.is_eof()


@pytest.mark.parametrize(
    "size", [b"+3", b"0x3", b" 3", b"3 ", b"03", b"-3", b"3_0", b"3;a=b", b"\xb3"], ids=repr
)
async def test_a_size_that_is_not_written_plainly_is_the_parsers(size):
    """Whether it takes it or not."""
    plain, odd = Exchange(), Exchange()
    await plain.begin()
    await odd.begin()
    plain.protocol.hand_no_more()
    for one in (plain, odd):
        one.read([chunk(b"one"), chunk(b"two"), size + b"\r\nabc\r\n"])

    assert (plain.got, plain.transport.closed) == (odd.got, odd.transport.closed)
    assert [b"two"] == odd.straight


async def test_a_chunk_as_long_as_a_turn_is_worked_on_in_turns():
    """It may not be its turn's last."""
    one = Exchange()
    await one.begin()
    long = b"x" * _SHORT_BYTES
    one.read([chunk(b"one"), chunk(long), chunk(b"two")])

    assert b"one" + long + b"two" == one.got
    assert [b"two"] == one.straight


async def test_a_body_with_a_length_is_the_parsers():
    """Its data may look like chunks."""
    one = Exchange()
    await one.begin(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n")
    one.read([chunk(b"one"), chunk(b"two")])

    assert chunk(b"one") + chunk(b"two") == one.got
    assert [] == one.straight
    assert one.body.is_eof()


async def test_the_next_answer_on_the_connection_begins_anew():
    """Its head is no chunk, and its body is handed on as the first one's."""
    one = Exchange()
    await one.begin()
    one.read([chunk(b"one"), chunk(b"two"), LAST])
    one.protocol.hand_no_more()
    one.got, one.straight = b"", []
    await one.begin()
    one.read([chunk(b"three"), chunk(b"four"), LAST])

    assert (b"threefour", [b"four"]) == (one.got, one.straight)


async def test_a_connection_that_is_cut_between_two_chunks_breaks_the_body():
    """Also where the last ones were handed on as they are."""
    one = Exchange()
    await one.begin()
    one.read([chunk(b"one"), chunk(b"two"), chunk(b"three")])
    one.protocol.connection_lost(None)

    assert b"onetwothree" == one.got
    assert one.body.exception() is not None


@pytest.mark.parametrize("seed", range(40))
async def test_a_body_comes_out_as_it_was_put_in_however_it_is_cut(seed):
    """Of data that are full of what frames are made of."""
    chance = random.Random(seed)
    data = [bytes(chance.choices(b"\r\n\r\n0123af;", k=chance.randint(1, 20))) for _ in range(60)]
    stream = b"".join(map(chunk, data)) + LAST
    ends = [0]
    for piece in data:
        ends.append(ends[-1] + len(chunk(piece)))
    cuts = sorted(
        {cut for cut in ends if chance.random() < 0.8}
        | {chance.randrange(len(stream)) for _ in range(seed)}
        | {0, len(stream)}
    )
    one = Exchange()
    await one.begin()
    one.read(stream[start:end] for start, end in itertools.pairwise(cuts))

    assert b"".join(data) == one.got
    assert one.straight
    assert one.body.is_eof()
    assert not one.transport.closed
