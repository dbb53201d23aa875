"""Bodies that are compressed, and the bytes that all bodies may take together."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.framing.inflate import CODINGS, SLICE_BYTES, Inflater
from tests.hostile.test_strangers import answered, head, status
from tests.hostile.wire import WAIT_S, place
from tests.running import Running, running

MOST = 100_000
MOCKED = {
    "upstreams": {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "up"}]},
    "limits": {"max_body_bytes": MOST, "max_inflight_body_bytes": 2 * MOST},
}
PROMPT = "".join(f"{number} " for number in range(3000))
PLAIN = b'{"model":"m","prompt":"' + b"x" * 70_000 + b'"}'


def raw(data: bytes) -> bytes:
    making = zlib.compressobj(9, zlib.DEFLATED, -15)
    return making.compress(data) + making.flush()


def members(data: bytes) -> bytes:
    """gzip in two parts, one after the other."""
    return gzip.compress(data[:1000]) + gzip.compress(data[1000:])


def zstandard(data: bytes) -> bytes:
    zstd = pytest.importorskip("backports.zstd")
    made: bytes = zstd.compress(data)
    return made


WAYS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "its old name": ("X-GZIP", gzip.compress),
    "gzip in members": ("gzip", members),
    "deflate": ("deflate", zlib.compress),
    "deflate without its frame": ("deflate", raw),
    "zstd": ("zstd", zstandard),
    "identity": ("identity", bytes),
}


async def posted(run: Running, body: Any, coding: str) -> int:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    # else the client would compress it once more
    async with run.session.post(
        f"{run.url}/v1/stream", data=body, headers=headers, compress=False
    ) as response:
        return response.status


@pytest.mark.parametrize("way", WAYS)
async def test_a_compressed_body_is_served_whole_or_in_chunks(way: str) -> None:
    coding, compress = WAYS[way]
    said = compress(b'{"model":"m","prompt":"%b"}' % PROMPT.encode())

    async def pieces() -> Any:
        for place_ in range(0, len(said), 1000):
            yield said[place_ : place_ + 1000]

    async with running(MOCKED) as run:
        assert (200, 200) == (
            await posted(run, said, coding),
            await posted(run, pieces(), coding),
        )
        asked = [entry["body"]["messages"][0]["content"] for entry in run.mock.account.newest()]
        assert [PROMPT, PROMPT] == asked


WRONG: dict[str, tuple[str, bytes, int]] = {
    "a bomb": ("gzip", gzip.compress(b" " * 50_000_000), 413),
    "a bomb of deflate": ("deflate", raw(b" " * 50_000_000), 413),
    "a bomb in members": ("gzip", gzip.compress(b" " * 60_000) * 2, 413),
    "one that is cut": ("gzip", gzip.compress(PLAIN)[:-9], 400),
    "one that is none": ("gzip", PLAIN, 400),
    "one with something behind it": ("gzip", gzip.compress(PLAIN) + b"more", 400),
    "members without end": ("gzip", gzip.compress(b"") * 1000, 400),
    "a wrong checksum": ("gzip", gzip.compress(PLAIN)[:-8] + b"\0" * 8, 400),
    "two codings": ("gzip, gzip", gzip.compress(gzip.compress(PLAIN)), 415),
    "a coding that nobody knows": ("x-mine", PLAIN, 415),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_body_that_is_no_good_is_refused(what: str) -> None:
    coding, said, expected = WRONG[what]
    async with running(MOCKED) as run:
        assert expected == await posted(run, said, coding)
        assert run.process.gateway.bodies.size == 0


async def test_a_bomb_of_zstd_is_refused() -> None:
    async with running(MOCKED) as run:
        assert 413 == await posted(run, zstandard(b" " * 50_000_000), "zstd")


async def test_a_window_larger_than_a_decoder_must_hold_is_refused() -> None:
    """RFC 9659: 8 MB at most; this one asks for 128."""
    zstd = pytest.importorskip("backports.zstd")
    options = {zstd.CompressionParameter.window_log: 27}
    making = zstd.ZstdCompressor(options=options)
    async with running(MOCKED) as run:
        assert 400 == await posted(run, making.compress(PLAIN) + making.flush(), "zstd")


async def test_a_coding_that_is_not_taken_is_told_with_those_that_are() -> None:
    async with running(MOCKED) as run:
        answer = await answered(run, head(Content_Encoding="br", Content_Length="10"))
    assert status(answer) == 415
    assert b"accept-encoding: " + ", ".join(CODINGS).encode() in answer.lower()


@pytest.mark.parametrize("coding", CODINGS)
def test_a_slice_is_bounded_whatever_the_bytes_stand_for(coding: str) -> None:
    said = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard}[coding](
        b"a" * 3_000_000
    )
    inflater = Inflater(CODINGS[coding])
    slices: Iterator[bytes] = inflater.slices(said)
    sizes = [len(piece) for piece in slices]
    inflater.end()
    assert 3_000_000 == sum(sizes)
    assert max(sizes) <= SLICE_BYTES


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110  what it waits for tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sending(run: Running, said: bytes) -> AsyncIterator[asyncio.StreamWriter]:
    """A client that has sent this, and leaves at the end."""
    _, writer = await asyncio.open_connection(*place(run.url))
    writer.write(said)
    try:
        yield writer
    finally:
        writer.transport.abort()


async def test_all_bodies_together_are_bounded_and_what_they_held_is_given_back() -> None:
    """Two hold nearly all of it; a third is told to come again; when one has left it is served."""
    part = b'{"model":"m","prompt":"' + b"x" * (MOST - 50)
    unfinished = head(Content_Length=f"{MOST}") + part
    async with running(MOCKED) as run:
        bodies = run.process.gateway.bodies
        async with sending(run, unfinished):
            async with sending(run, unfinished):
                await until(lambda: bodies.size == 2 * len(part))
                answer = await answered(run, head(Content_Length=f"{len(PLAIN)}") + PLAIN)
                assert status(answer) == 503
                assert b"Retry-After: 1" in answer
            await until(lambda: bodies.size == len(part))
            assert 200 == await posted(run, PLAIN, "identity")
        await until(lambda: bodies.size == 0)
