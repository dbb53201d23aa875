"""Faults on the wire: what a client's socket really sees."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from proxy.mock import texts
from proxy.mock.compose import MockSpec
from proxy.mock.server import MockServer
from tests.mock.wire import PLAIN, Seen, ask, chunks, connect, newest


@pytest.fixture
async def mock() -> AsyncIterator[MockServer]:
    server = MockServer(
        {"demo": MockSpec("plain", "hello", 0), "chinese": MockSpec("plain", "chinese", 0)}
    )
    await server.start()
    yield server
    await server.stop()


async def spoilt(mock: MockServer, fault: str, name: str = "demo") -> Seen:
    return await ask(mock.address, f"/{name}/data", PLAIN, {"x-mock-fault": fault})


def frames(body: bytes) -> int:
    return body.count(b"\n\n")


async def test_without_a_fault(mock: MockServer):
    """One write a frame, the headers before them, and a clean end."""
    seen = await spoilt(mock, "")
    assert seen.head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: text/event-stream" in seen.head.lower()
    assert all(chunk.endswith(b"\n\n") and frames(chunk) == 1 for chunk in chunks(seen.raw))
    assert (True, False) == (seen.whole, seen.reset)
    assert b"data: [done]" in seen.body


@pytest.mark.parametrize("after", [0, 1, 3])
async def test_cut_is_a_reset(mock: MockServer, after: int):
    """What was sent before arrives; then the connection is reset."""
    seen = await spoilt(mock, f"cut@{after}")
    assert (after, True, False) == (frames(seen.body), seen.reset, seen.whole)
    assert "cut" == mock.account.newest(1)[0]["ended"]


@pytest.mark.parametrize("after", [0, 1, 3])
async def test_close_is_a_clean_end(mock: MockServer, after: int):
    """HTTP sees a whole body; the terminator is missing."""
    seen = await spoilt(mock, f"close@{after}")
    assert (after, False, True) == (frames(seen.body), seen.reset, seen.whole)
    assert b"[done]" not in seen.body
    assert "closed" == mock.account.newest(1)[0]["ended"]


async def test_half_a_frame(mock: MockServer):
    """Two frames and a piece of a third, then a clean end."""
    seen = await spoilt(mock, "half@2")
    assert (2, True) == (frames(seen.body), seen.whole)
    assert seen.body.rpartition(b"\n\n")[2].startswith(b"data:")


async def test_split_utf8_arrives_split(mock: MockServer):
    """No read but the first of a character holds it whole, and the text is all there."""
    seen = await spoilt(mock, "split_utf8,close@30", "chinese")
    writes = chunks(seen.raw)
    assert any(chunk[-1] >= 0xC2 for chunk in writes)
    assert all(not chunk[-1] & 0x80 or chunk[-1] >= 0xC2 for chunk in writes)
    assert any(read.rstrip(b"\r\n")[-1] >= 0xC2 for read in seen.reads)
    text = b"".join(
        line.removeprefix(b"data: ")
        for line in seen.body.split(b"\n")
        if line.startswith(b"data: ")
    ).decode()
    assert texts.CHINESE.startswith(text)
    assert 40 < len(text)


async def test_bytewise_and_burst_have_the_same_bytes(mock: MockServer):
    """A write a byte, or one write for all."""
    ids = b"id: mock-"
    plain, bytewise, burst = [await spoilt(mock, fault) for fault in ("", "bytewise", "burst")]
    assert {1} == {len(chunk) for chunk in chunks(bytewise.raw)}
    assert 1 == len(chunks(burst.raw))
    bodies = [
        b"\n".join(line for line in seen.body.split(b"\n") if not line.startswith(ids))
        for seen in (plain, bytewise, burst)
    ]
    assert bodies[0] == bodies[1]
    assert bodies[0] == bodies[2]


async def test_slow_is_a_byte_at_a_time(mock: MockServer):
    """One byte a write."""
    seen = await spoilt(mock, "slow:20000,close@1")
    assert {1} == {len(chunk) for chunk in chunks(seen.raw)}
    assert 1 == frames(seen.body)


async def test_gzip_nobody_asked_for(mock: MockServer):
    """The header says gzip, the bytes are gzip."""
    seen = await spoilt(mock, "gzip")
    assert b"content-encoding: gzip" in seen.head.lower()
    assert b"data: [done]" in gzip.decompress(seen.body)


@pytest.mark.parametrize(
    ("fault", "head", "part"),
    [
        ("html", b"text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("status:500", b"HTTP/1.1 500 ", b'{"detail":'),
        ("status:429", b"retry-after: 7", b'{"detail":'),
        ("status:401", b"HTTP/1.1 401 ", b'{"detail":'),
        ("wrong_type", b"content-type: text/plain\r\n", b"data: [done]"),
        ("redirect", b"location: https://moved.invalid/", b""),
        ("error@2", b"text/event-stream", b"data: [error] The mock vendor gave up"),
        ("trailing", b"text/event-stream", b'data: {"late": true}\n\nafter the end'),
        ("comment_flood,close@1", b"text/event-stream", b": keep-alive\n\n: keep-alive\n\n"),
        ("crlf", b"text/event-stream", b"\r\n\r\ndata: "),
        ("bom", b"text/event-stream", b"\xef\xbb\xbfdata: "),
        ("huge_event:70000", b"text/event-stream", b"x" * 70000),
        ("delay:0.01", b"HTTP/1.1 200 ", b"data: [done]"),
        ("first_event_delay:0.01", b"HTTP/1.1 200 ", b"data: [done]"),
    ],
)
async def test_what_the_other_faults_show(mock: MockServer, fault: str, head: bytes, part: bytes):
    """Each as its name says, and a clean end."""
    seen = await spoilt(mock, fault)
    assert head.lower() in (seen.head + b"\r\n").lower()
    assert part in seen.body
    assert seen.whole


async def test_empty_is_no_body(mock: MockServer):
    """Status 200, the right content type, nothing else."""
    seen = await spoilt(mock, "empty")
    assert b"text/event-stream" in seen.head
    assert b"" == seen.body
    assert seen.whole


async def test_garbage_is_no_text(mock: MockServer):
    """256 bytes that are no UTF-8, and the answer goes on after them."""
    seen = await spoilt(mock, "garbage@2")
    with pytest.raises(UnicodeDecodeError):
        seen.body.decode()
    assert b"data: [done]" in seen.body


async def test_a_cut_before_the_headers(tmp_path, mock: MockServer):
    """A script may hang up without a word."""
    path = tmp_path / "rude.yaml"
    path.write_text("- cut")
    server = MockServer({"rude": MockSpec("plain", str(path), fault="delay:0.01")})
    await server.start()
    seen = await ask(server.address, "/rude", PLAIN)
    await server.stop()
    assert seen.reset
    assert b"200" in seen.head or not seen.head


async def test_a_stall_sends_no_more(mock: MockServer):
    """Two frames, and then nothing until the client leaves."""
    reader, writer = await connect(mock.address, "/demo", PLAIN, {"x-mock-fault": "stall@2"})
    await reader.readuntil(b"mock-1:2\n\n\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.05)
    writer.close()
    assert "client_gone" == (await newest(mock))["ended"]


async def test_the_headers_come_before_the_first_event(mock: MockServer):
    """A client learns the status while the vendor still thinks."""
    reader, writer = await connect(mock.address, "/demo", PLAIN, {"x-mock-fault": "stall@0"})
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_every_token_comes_at_a_pace(mock: MockServer):
    """A paced answer is the same answer."""
    seen = await ask(
        mock.address,
        "/demo",
        {"prompt": "a " * 50},
        {"x-mock-scenario": "echo", "x-mock-tokens-per-s": "1000"},
    )
    assert 51 == frames(seen.body)


async def test_characters_one_by_one(mock: MockServer):
    """The pace per character sends one character a frame, as the smallest servers do."""
    seen = await ask(
        mock.address,
        "/demo",
        {"prompt": "你好吗"},
        {"x-mock-scenario": "echo", "x-mock-chars-per-s": "1000"},
    )
    assert ["你", "好", "吗", "[done]"] == [
        line[6:] for line in seen.body.decode().split("\n") if line.startswith("data: ")
    ]
