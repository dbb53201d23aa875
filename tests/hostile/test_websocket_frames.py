"""What is no WebSocket, or more of one than anybody needs (RFC 6455), sent where Responses may be
asked for by WebSocket."""

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.tools import started
from tests.hostile.wire import WAIT_S, place
from tests.relay.far import until
from tests.running import Running, running

MOST = 100_000
MOCKED = {
    "upstreams": {"up": {"dialect": "openai_responses", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "up"}]},
    "limits": {"max_body_bytes": MOST},
    "streams": {"write_timeout_s": 0.5},
}
HANDSHAKE = (
    b"GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
ASK = json.dumps({"type": "response.create", "model": "m", "input": "x"}).encode()
AGAIN, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PROTOCOL_ERROR, NO_UTF8, TOO_LARGE, NOT_TAKEN = 1002, 1007, 1009, 1003
TRY_LATER, TOO_SLOW = 1013, 1008


def frame(
    kind: int, data: bytes = b"", *, last: bool = True, bits: int = 0, size: int = -1
) -> bytes:
    """Masked with zeros. `bits` are the reserved ones, `size` is another length than the data's."""
    length = len(data) if size < 0 else size
    head = bytes([last << 7 | bits << 4 | kind])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += bytes([0x80 | 126]) + struct.pack(">H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", length)
    return head + bytes(4) + data


BROKEN = {
    "a reserved bit": (frame(TEXT, ASK, bits=4), PROTOCOL_ERROR),
    "another reserved bit": (frame(TEXT, ASK, bits=2), PROTOCOL_ERROR),
    "a kind that there is not": (frame(3, ASK), PROTOCOL_ERROR),
    "a control that there is not": (frame(11), PROTOCOL_ERROR),
    "a continuation of nothing": (frame(AGAIN, ASK), PROTOCOL_ERROR),
    "a text within a text": (frame(TEXT, ASK, last=False) + frame(TEXT, ASK), PROTOCOL_ERROR),
    "a ping in parts": (frame(PING, b"x", last=False), PROTOCOL_ERROR),
    "a long ping": (frame(PING, b"x" * 126), PROTOCOL_ERROR),
    "a length of 2**63": (frame(TEXT, b"x", size=2**63), TOO_LARGE),
    "a length of 2**64 - 1": (frame(TEXT, b"x", size=2**64 - 1), TOO_LARGE),
    "a gigabyte promised": (frame(TEXT, b"x", size=1 << 30), TOO_LARGE),
    "too much in parts": (
        frame(TEXT, b"x" * 60_000, last=False) + frame(AGAIN, b"x" * 60_000),
        TOO_LARGE,
    ),
    "too much in parts of one byte": (
        frame(TEXT, b"x", last=False) + frame(AGAIN, b"x", last=False) * MOST,
        TOO_LARGE,
    ),
    "no UTF-8": (frame(TEXT, b"\xff\xfe"), NO_UTF8),
    "a close of one byte": (frame(CLOSE, b"x"), PROTOCOL_ERROR),
    "a close for no reason that there is": (frame(CLOSE, b"\0\5"), PROTOCOL_ERROR),
    "a close whose words are no UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), NO_UTF8),
    "HTTP behind the handshake": (b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", PROTOCOL_ERROR),
    "a binary message": (frame(BINARY, ASK), NOT_TAKEN),
}


@asynccontextmanager
async def opened(
    url: str, *fields: bytes, after: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]]:
    """A WebSocket, with the head of its handshake's answer. `after` is sent with the handshake."""
    reader, writer = await asyncio.open_connection(*place(url))
    try:
        writer.write(HANDSHAKE + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + after)
        async with asyncio.timeout(WAIT_S):
            yield reader, writer, await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


async def asked(run: Running) -> bool:
    """Whether somebody else is served."""
    async with opened(run.url) as (reader, writer, _):
        writer.write(frame(TEXT, ASK))
        await reader.readuntil(b"response.completed")
    return True


@pytest.mark.parametrize("what", BROKEN)
async def test_what_is_no_message_closes_its_connection_alone(what: str) -> None:
    sent, code = BROKEN[what]
    async with running(MOCKED) as run:
        async with opened(run.url) as (reader, writer, _):
            writer.write(sent)
            assert b"\x88\x02" + struct.pack(">H", code) == await reader.readexactly(4)
        assert await asked(run)


async def test_empty_parts_without_end_are_one_message() -> None:
    """They cost what their bytes cost."""
    sent = frame(TEXT, last=False) + frame(AGAIN, last=False) * 50_000 + frame(AGAIN, ASK)
    async with running(MOCKED) as run, opened(run.url) as (reader, writer, _):
        writer.write(sent)
        await reader.readuntil(b"response.completed")


async def test_pings_whose_answers_are_not_read_end_the_connection() -> None:
    async with running(MOCKED) as run, opened(run.url) as (reader, writer, _):
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # takes nothing from here on
        with pytest.raises(ConnectionError):
            await pinging(writer)


async def pinging(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(frame(PING, b"x" * 100) * 5000)
        await writer.drain()


async def test_a_compression_that_is_asked_for_is_not_granted() -> None:
    """A few bytes would stand for megabytes."""
    wish = b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15"
    async with running(MOCKED) as run, opened(run.url, wish) as (_, _, head):
        assert b"extensions" not in head.lower()


async def test_a_handshake_with_a_body_in_chunks_opens_none() -> None:
    async with running(MOCKED) as run:
        reader, writer = await asyncio.open_connection(*place(run.url))
        writer.write(
            HANDSHAKE + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
        )
        async with asyncio.timeout(WAIT_S):
            assert b" 400 " in await reader.readline()
        writer.transport.abort()


async def test_who_has_left_before_the_handshake_is_answered_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left = asyncio.Event()

    async def checked(_: object, request: web.Request) -> None:
        assert request.transport is not None
        request.transport.abort()
        left.set()

    monkeypatch.setattr("proxy.server.websocket._check", checked)
    async with running(MOCKED) as run:
        reader, writer = await asyncio.open_connection(*place(run.url))
        writer.write(HANDSHAKE + b"\r\n")
        async with asyncio.timeout(WAIT_S):
            await left.wait()
            with contextlib.suppress(ConnectionError):
                await reader.read()
        writer.transport.abort()
    assert [] == [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_key_among_its_protocols_is_in_no_log(tmp_path: Path) -> None:
    """Where pages cannot send headers, some clients put their key there."""
    file = tmp_path / "mainstem.yaml"
    file.write_text(json.dumps({**MOCKED, "server": {"port": 0}}))
    secret = b"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.sk-very-secret"
    async with started("serve", "--config", str(file), last="mock") as proxy:
        async with opened(proxy.url, secret) as (reader, writer, _):
            writer.write(frame(TEXT, ASK))
            await reader.readuntil(b"response.completed")
        assert "very-secret" not in (await proxy.end()).err


async def test_a_long_message_is_not_read_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = []

    async def apart(size: int, do: object) -> object:
        sizes.append(size)
        return do()  # type: ignore[operator]

    monkeypatch.setattr("proxy.server.websocket.apart", apart)
    async with running(MOCKED) as run:
        assert await asked(run)
    assert [len(ASK)] == sizes


async def test_messages_that_are_not_whole_take_their_place_among_all_bodies() -> None:
    """Also where one came with the handshake, and behind one that is being answered."""
    limits = {"max_body_bytes": MOST, "max_inflight_body_bytes": 150_000}
    part = frame(TEXT, ASK[:-1] + b" " * 90_000, last=False)
    async with running({**MOCKED, "limits": limits}) as run:
        bodies = run.process.gateway.bodies
        async with opened(run.url, after=part) as (reader, writer, _):
            await until(lambda: bodies.size > 90_000)
            async with opened(run.url) as (other, others, _):
                others.write(frame(TEXT, ASK) + part)
                async with asyncio.timeout(WAIT_S):
                    assert (await other.read()).endswith(b"\x88\x02" + struct.pack(">H", TRY_LATER))
            body = {"model": "m", "prompt": "x" * 70_000}
            async with run.session.post(f"{run.url}/v1/stream", json=body) as refused:
                assert 503 == refused.status
            writer.write(frame(AGAIN, b"}"))
            async with asyncio.timeout(WAIT_S):
                await reader.readuntil(b"response.completed")
            await until(lambda: bodies.size < 1000)
            writer.write(part)
            await until(lambda: bodies.size > 90_000)
        await until(lambda: bodies.size == 0)


async def test_a_message_that_has_begun_must_come_whole_as_soon_as_a_body() -> None:
    slow = {**MOCKED, "server": {"request_body_s": 0.2}}
    async with running(slow) as run, opened(run.url) as (reader, writer, _):
        for said in (frame(TEXT, ASK[:9], last=False), frame(AGAIN, ASK[9:])):
            writer.write(said)
        await reader.readuntil(b"response.completed")
        writer.write(frame(TEXT, ASK, last=False))
        async with asyncio.timeout(WAIT_S):
            assert (await reader.read()).endswith(b"\x88\x02" + struct.pack(">H", TOO_SLOW))
