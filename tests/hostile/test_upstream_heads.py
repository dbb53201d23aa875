"""Heads and bodies that are meant to fill the memory: each is a failure of its kind, within
bounds."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from tests.hostile.upstream import Far, answer, asked_in, listening, refusal
from tests.raw_upstream import CHUNKED, Peer, raw_upstream
from tests.running import one, running

MB = 1 << 20
BOMB_MB = 64


def many_headers() -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\n"
        + b"".join(b"x-h-%d: v\r\n" % number for number in range(10_000))
        + b"\r\n"
    )


def long_header() -> bytes:
    return b"HTTP/1.1 200 OK\r\nx-long: " + b"a" * MB + b"\r\n\r\n"


def long_name() -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"a" * MB + b": x\r\n\r\n"


def long_status() -> bytes:
    return b"HTTP/1.1 200 " + b"a" * MB + b"\r\n\r\n"


def two_lengths() -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 20\r\n\r\n{}"


def length_and_chunks() -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


def null_in_a_value() -> bytes:
    return b"HTTP/1.1 200 OK\r\nx-a: b\x00c\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        many_headers,
        long_header,
        long_name,
        long_status,
        two_lengths,
        length_and_chunks,
        null_in_a_value,
    ],
)
async def test_a_head_that_is_none_is_malformed(head: Callable[[], bytes]) -> None:
    """And its connection is not used again."""
    far = Far(head())
    async with listening(far), running(one("openai_chat", far.url, return_headers=["x-*"])) as run:
        for _ in range(2):
            status, error = await refusal(run)
            assert (502, "upstream_malformed", "far") == (status, error["kind"], error["upstream"])
            assert "aaaa" not in error["message"]
    assert 2 == far.connections


async def test_a_folded_header_is_one_line_or_none() -> None:
    """RFC 9112, 5.2: it may be unfolded with a blank; never is it passed on as two."""
    far = Far(b"HTTP/1.1 429 Slow\r\nx-a: b\r\n x-evil: c\r\nContent-Length: 0\r\n\r\n")
    async with listening(far), running(one("openai_chat", far.url, return_headers=["x-*"])) as run:
        _, _, headers = await asked_in(run, "openai_chat")
    assert "x-evil" not in headers
    assert "\n" not in headers.get("x-a", "")


async def test_an_endless_head_is_cut_within_bounds() -> None:
    """Also one that comes a little at a time."""
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\n")
        while sent < 64 * MB:
            peer.write(b"x-h: " + b"v" * 1000 + b"\r\n")
            sent += 1007
            await peer.writer.drain()

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        assert "upstream_malformed" == (await refusal(run))[1]["kind"]
    assert sent < 16 * MB  # what the sockets' buffers take


def squeezed(how: str) -> bytes:
    """BOMB_MB of one frame without an end, compressed to some 64 KB."""
    plain = b"data: " + b"x" * (BOMB_MB * MB)
    if how == "gzip":
        return gzip.compress(plain, 9)
    return zlib.compress(plain, 9)


@pytest.mark.parametrize("how", ["gzip", "deflate"])
@pytest.mark.parametrize("status", ["200 OK", "500 Oops"])
async def test_a_compressed_bomb_is_not_unpacked(how: str, status: str) -> None:
    """Only as much of it as one event, or one error, may have: memory stays within a few
    megabytes."""
    far = Far(answer(squeezed(how), "text/event-stream", status, Content_Encoding=how))
    async with listening(far), running(one("openai_chat", far.url)) as run:
        await refusal(run)  # what is made once is made
        tracemalloc.start()
        try:
            got, error = await refusal(run)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    expected = "upstream_malformed" if status == "200 OK" else "upstream_status"
    assert (502, expected) == (got, error["kind"])
    assert peak < 12 * MB, f"{peak / MB:.1f} MB"


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "evil"])
async def test_a_coding_that_nobody_asked_for_is_no_success(coding: str) -> None:
    far = Far(answer(b"\x1b\x00\x00" * 50, "text/event-stream", Content_Encoding=coding))
    async with listening(far), running(one("openai_chat", far.url)) as run:
        status, error = await refusal(run)
    assert 502 == status
    assert error["kind"] in ("upstream_malformed", "upstream_truncated")


@pytest.mark.parametrize(
    "size",
    [b"fffffffffffffffffff", b"-1", b"zz", b"0x10", b"1" * 100_000, b"5;" + b"e" * 1_000_000],
)
async def test_a_chunk_of_an_odd_size_breaks_the_answer_off(size: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED + size + b"\r\n" + b"data: x\n\n")
        await peer.writer.drain()
        await peer.left()

    times = {"first_event_s": 2.0}
    async with raw_upstream(script) as url, running(one("openai_chat", url, timeouts=times)) as run:
        status, body, _ = await asked_in(run, "openai_chat")
    assert status in (502, 504), body
