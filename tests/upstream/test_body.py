"""A body comes out as it was put in, however its bytes are cut, and one that breaks the rules is
told from one that keeps them. aiohttp's parser (llhttp), which has no code of ours, is the judge."""

import itertools
import random
from collections.abc import Iterable

import pytest
from aiohttp import ClientPayloadError
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser

from proxy.upstream.body import Body, Chunks, Length, ToTheEnd

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def fed(body: Body, reads: Iterable[bytes]) -> bytes:
    got = b""
    for data in reads:
        if not body.done and not body.malformed:
            got += body.feed(data)
    return got


async def judged(stream: bytes) -> tuple[bytes, bool, bool]:
    """What aiohttp makes of a body in chunks: the data, whether it has ended, and whether it breaks
    the rules."""
    import asyncio

    loop = asyncio.get_running_loop()
    parser = HttpResponseParser(BaseProtocol(loop), loop, 1 << 16)
    ((_, body),), _, _ = parser.feed_data(HEAD)
    malformed = False
    try:
        parser.feed_data(stream)
    except HttpProcessingError:
        malformed = True
    malformed = malformed or isinstance(body.exception(), ClientPayloadError | HttpProcessingError)
    data = b"".join(body._buffer)
    return data, body.is_eof() and not malformed, malformed


ODD = [
    b"3\r\nabc\r\n" + LAST,
    b"4\r\nabcd\r\n" + chunk(b"x\r\n3\r\nabc") + b"1\r\na\r\n" + LAST,  # with line ends
    b"A\r\n0123456789\r\n" + LAST,
    b"0a\r\n0123456789\r\n" + LAST,
    b"3;x=y\r\nabc\r\n" + LAST,
    b'3;x="y;z"\r\nabc\r\n' + LAST,
    b"3 \r\nabc\r\n" + LAST,
    b"3\r\nabc\r\n0\r\nx-a: b\r\nx-c: d\r\n\r\n",
    b"3\r\nabc\r\n000\r\n\r\n",
    b"3\r\nabc\r\n",
    b"3\r\nab",
    b"+3\r\nabc\r\n" + LAST,
    b"-3\r\nabc\r\n" + LAST,
    b"0x3\r\nabc\r\n" + LAST,
    b"3_0\r\nabc\r\n" + LAST,
    b"\xb3\r\nabc\r\n" + LAST,
    b"\r\n3\r\nabc\r\n" + LAST,
    b"no size\r\nabc\r\n",
    b"3\r\nabcd\r\n" + LAST,
    b"3\r\nabc3\r\nabc\r\n",
    b"f" * 17 + b"\r\nabc\r\n",
    b"; x\r\nabc\r\n",
]


@pytest.mark.parametrize("stream", ODD, ids=repr)
async def test_a_body_in_chunks_is_what_another_parser_makes_of_it(stream):
    """Also byte by byte."""
    for reads in ([stream], [stream[at : at + 1] for at in range(len(stream))]):
        body = Chunks()
        got = fed(body, reads)
        assert await judged(stream) == (got, body.done, body.malformed)


@pytest.mark.parametrize(
    "stream",
    [b"1" * 9000, b"3;" + b"e" * 9000, b"0\r\n" + b"a: b\r\n" * 200, b"0\r\n" + b"a" * 9000],
    ids=["size", "extension", "fields", "field"],
)
def test_no_line_and_no_number_of_fields_is_without_a_bound(stream):
    """However it comes."""
    for reads in ([stream], [stream[at : at + 7] for at in range(0, len(stream), 7)]):
        body = Chunks()
        assert (b"", True) == (fed(body, reads), body.malformed)


@pytest.mark.parametrize(
    "stream",
    [
        b"3\nabc\r\n" + LAST,
        b"3\r\nabc\n" + LAST,
        b"3\r\nabc\r\n0\n\r\n",
        b"0\r\n\n",
        b"0\r\na: b\n",
    ],
    ids=repr,
)
def test_a_line_that_ends_without_a_cr_breaks_the_rules(stream):
    """Parsers differ in what such a body is."""
    body = Chunks()
    fed(body, [stream])

    assert (True, False) == (body.malformed, body.done)


@pytest.mark.parametrize("stream", ODD, ids=repr)
def test_no_cut_changes_what_a_body_in_chunks_is(stream):
    """Wherever the two of them are; what breaks the rules gives no more than it does whole."""
    whole = Chunks()
    expected = fed(whole, [stream])
    for first, second in itertools.combinations_with_replacement(range(len(stream) + 1), 2):
        body = Chunks()
        got = fed(body, [stream[:first], stream[first:second], stream[second:]])
        assert (expected, whole.done, whole.malformed) == (got, body.done, body.malformed)


@pytest.mark.parametrize("seed", range(40))
def test_a_body_comes_out_as_it_was_put_in_however_it_is_cut(seed):
    """Of data that are full of what frames are made of."""
    chance = random.Random(seed)
    data = [bytes(chance.choices(b"\r\n\r\n0123af;", k=chance.randint(1, 20))) for _ in range(60)]
    stream = b"".join(map(chunk, data)) + LAST
    ends = [0, *itertools.accumulate(len(chunk(piece)) for piece in data)]
    cuts = sorted(
        {cut for cut in ends if chance.random() < 0.8}
        | {chance.randrange(len(stream)) for _ in range(seed)}
        | {0, len(stream)}
    )
    body = Chunks()
    got = fed(body, [stream[start:end] for start, end in itertools.pairwise(cuts)])

    assert b"".join(data) == got
    assert (True, False, False) == (body.done, body.beyond, body.malformed)


def test_a_body_comes_out_as_it_was_put_in_wherever_one_read_begins_and_ends():
    """Between any two bytes of it, also within the two that end a line."""
    data = [b"abc", b"hello", b"\r\n", b"f" * 17, b"5\r\n3\r\n", b"x" * 300, b"end"]
    stream = b"".join(map(chunk, data)) + LAST
    size = len(stream)
    plain = b"".join(data)

    for start, end in itertools.combinations(range(size + 1), 2):
        body = Chunks()
        got = fed(body, [stream[:start], stream[start:end], stream[end:]])
        assert (plain, True, False) == (got, body.done, body.beyond), (start, end)


@pytest.mark.parametrize(
    ("reads", "between"),
    [
        ([], True),
        ([chunk(b"one")], True),
        ([chunk(b"one") + chunk(b"two")], True),
        ([b"3"], False),
        ([b"3\r\n"], False),
        ([b"3\r\non"], False),
        ([b"3\r\none"], False),
        ([b"3\r\none\r"], False),
        ([b"3\r\none\r", b"\n"], True),
        ([b"3\r\none\r\n3"], False),
        ([b"0\r\n"], False),
        ([b"no\r\n"], False),
    ],
    ids=repr,
)
def test_it_is_known_whether_it_stands_between_two_chunks(reads, between):
    """No byte of the next one has come."""
    body = Chunks()
    fed(body, reads)

    assert between is body.between


@pytest.mark.parametrize(
    ("body", "reads", "got", "done", "beyond"),
    [
        (Chunks(), [b"3\r\none\r\n" + LAST + b"H"], b"one", True, True),
        (Length(3), [b"on"], b"on", False, False),
        (Length(3), [b"on", b"e"], b"one", True, False),
        (Length(3), [b"on", b"etwo"], b"one", True, True),
        (Length(0), [], b"", True, False),
        (ToTheEnd(), [b"on", b"e"], b"one", False, False),
    ],
)
def test_the_end_of_a_body_is_known_and_what_is_behind_it_is_none_of_it(
    body, reads, got, done, beyond
):
    """The length's, the last chunk's, or the connection's."""
    assert (got, done, beyond) == (fed(body, reads), body.done, body.beyond)
