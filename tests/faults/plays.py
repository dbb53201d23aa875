"""How each fault is played: raw bytes on a socket."""

import asyncio
import gzip
import zlib
from collections.abc import Iterator
from itertools import islice

from tests.dialects.sample import FIRST, SECOND, SPOILED, TEXT, dumped
from tests.faults.stage import After, Play, Playing

GARBAGE = bytes(range(128, 160)) + b"\x00\x01\x02<<<\xff\xfe"
PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
)
RETRY_AFTER_S = 7
DRIP_S = 0.2
# Over the matrix's bound for one event.
HUGE = "x" * 60_000


# Instead of an answer.


async def hang_up(playing: Playing) -> After:
    playing.peer.writer.close()
    return After.CLOSED


async def reset(playing: Playing) -> After:
    playing.peer.reset()
    return After.CLOSED


async def silence(playing: Playing) -> After:
    return After.OVER


async def other_protocol(playing: Playing) -> After:
    playing.peer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    return After.OVER


async def huge_head(playing: Playing) -> After:
    playing.head("X-Trace: " + "x" * 200_000)
    return After.OVER


def status(line: str, *lines: str) -> Play:
    """An HTTP error in the vendor's own words."""

    async def play(playing: Playing) -> After:
        return playing.document(
            dumped(playing.sample.error_body), "application/json", *lines, status=line
        )

    return play


def page(line: str) -> Play:
    async def play(playing: Playing) -> After:
        return playing.document(PAGE, "text/html; charset=utf-8", status=line)

    return play


async def redirect(playing: Playing) -> After:
    return playing.document(
        b"", "text/plain", f"Location: {playing.stage_url}/trap", status="302 Found"
    )


# In place of the stream.


async def empty(playing: Playing) -> After:
    playing.head()
    return playing.end()


async def wrong_type(playing: Playing) -> After:
    playing.head(content_type="text/plain")
    playing.send(playing.sample.whole)
    return playing.end()


async def json_error(playing: Playing) -> After:
    return playing.document(dumped(playing.sample.error_body), "application/json")


async def silent_stream(playing: Playing) -> After:
    playing.head()
    return After.OVER


async def comments(playing: Playing) -> After:
    playing.head()
    for _ in range(5):
        playing.send(playing.sample.comment)
    return playing.end()


# In the stream.


async def in_band(playing: Playing) -> After:
    """The stream ends behind it, as vendors' do."""
    await playing.begin()
    playing.send(playing.sample.error)
    return playing.end()


async def garbage(playing: Playing) -> After:
    await playing.begin()
    playing.send(GARBAGE + playing.next)
    playing.send(playing.sample.ending)
    return playing.end()


async def half_frame(playing: Playing) -> After:
    await playing.begin()
    playing.send(playing.next[: len(playing.next) // 2])
    return playing.end()


async def no_terminator(playing: Playing) -> After:
    await playing.begin()
    if not playing.early:
        playing.send(playing.next)
    return playing.end()


async def cut(playing: Playing) -> After:
    """The connection ends in the midst of the body."""
    await playing.begin()
    playing.peer.writer.close()
    return After.CLOSED


async def reset_midway(playing: Playing) -> After:
    await playing.begin()
    playing.peer.reset()
    return After.CLOSED


async def reset_unsized(playing: Playing) -> After:
    """Of a body that ends with its connection, a reset looks much like the end."""
    await playing.begin("Connection: close", chunked=False)
    playing.peer.reset()
    return After.CLOSED


async def short_body(playing: Playing) -> After:
    await playing.begin("Content-Length: 1000000", chunked=False)
    playing.peer.writer.close()
    return After.CLOSED


async def bad_chunking(playing: Playing) -> After:
    await playing.begin()
    playing.peer.write(b"no size\r\n" + playing.next + b"\r\n")
    return After.OVER


async def stall(playing: Playing) -> After:
    await playing.begin()
    return After.OVER


async def drip(playing: Playing) -> After:
    """The rest of the answer, a byte at a time."""
    if playing.early:
        playing.head()
        rest = playing.sample.whole
    else:
        await playing.begin()
        rest = playing.sample.second + playing.sample.ending
    each = iter(rest)
    return await playing.repeat(lambda: bytes(islice(each, 1)), DRIP_S)


async def endless(playing: Playing) -> After:
    await playing.begin()
    said = [FIRST]

    def more() -> bytes:
        piece = playing.sample.say("".join(said), "more ")
        said.append("more ")
        return piece

    return await playing.repeat(more, 0.01)


async def comment_flood(playing: Playing) -> After:
    """Before the answer as fast as it is taken; within it slowly, and that for ever."""
    await playing.begin()
    many = playing.sample.comment * (2000 if playing.early else 1)
    return await playing.repeat(lambda: many, 0.01)


async def huge_event(playing: Playing) -> After:
    await playing.begin()
    piece = (
        playing.sample.starts + playing.sample.say("", HUGE)
        if playing.early
        else playing.sample.say(FIRST, HUGE)
    )
    playing.send(piece)
    return After.OVER


async def spoiled_text(playing: Playing) -> After:
    sample = playing.sample
    await playing.begin()
    text = SECOND.replace("ö", SPOILED)
    playing.send(
        sample.first + sample.say(FIRST, text) if playing.early else sample.say(FIRST, text)
    )
    if TEXT not in sample.ending.decode("utf-8", "replace"):
        playing.send(sample.ending)
    else:
        playing.send(
            sample.ending.replace(TEXT.encode(), TEXT.encode().replace("ö".encode(), b"\xff"))
        )
    return playing.end()


# In forms that nobody asked for.


async def byte_order_mark(playing: Playing) -> After:
    playing.head()
    playing.send(b"\xef\xbb\xbf" + playing.sample.whole)
    return playing.end()


async def split_line_ends(playing: Playing) -> After:
    playing.head()
    for piece in _between_cr_and_lf(playing.sample.whole):
        playing.send(piece)
        await asyncio.sleep(0.002)  # so that each is a read of its own
    return playing.end()


def _between_cr_and_lf(body: bytes) -> Iterator[bytes]:
    *heads, last = body.split(b"\n")
    for number, head in enumerate(heads):
        yield (b"\n" if number else b"") + head + b"\r"
    yield (b"\n" if heads else b"") + last


def compressed(*, said: bool) -> Play:
    """The whole answer in gzip. `said`: its head says so."""

    async def play(playing: Playing) -> After:
        playing.head(*(["Content-Encoding: gzip"] if said else []))
        playing.send(gzip.compress(playing.sample.whole))
        return playing.end()

    return play


async def broken_gzip(playing: Playing) -> After:
    """It begins as gzip, and goes on as something else."""
    deflate = zlib.compressobj(wbits=31)
    said = (
        playing.sample.opening if playing.early else playing.sample.opening + playing.sample.first
    )
    playing.head("Content-Encoding: gzip")
    playing.send(deflate.compress(said) + deflate.flush(zlib.Z_FULL_FLUSH))
    if not playing.early:
        await playing.committed()
    playing.send(b"\xff" * 64)
    return After.OVER


# Behind the terminator.


async def trailing(playing: Playing) -> After:
    await playing.begin()
    playing.send(playing.sample.second + playing.sample.ending)
    playing.send(GARBAGE)
    return playing.end()


async def left_open(playing: Playing) -> After:
    await playing.begin()
    playing.send(playing.sample.second + playing.sample.ending)
    return After.OVER
