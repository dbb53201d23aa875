"""What a client must keep to before it has a request: the time and the size of its head, the time
of its body, room for its connection."""

import asyncio
import json
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog.testing

from proxy.server.listener import connection_slots
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running

MOCKED = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "far"}]},
}
BODY = b'{"model":"m","prompt":"hi"}'
HEAD = (
    b"POST /v1/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(BODY)
)
WHOLE = HEAD + BODY
WAIT_S = 10


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def rest(self) -> bytes:
        """All that comes until the other side closes."""
        data = b""
        try:
            async with asyncio.timeout(WAIT_S):
                while more := await self.reader.read(65536):
                    data += more
        except ConnectionResetError:
            pass
        return data

    async def answer(self) -> bytes:
        """One stream."""
        async with asyncio.timeout(WAIT_S):
            return await self.reader.readuntil(b"\r\n0\r\n\r\n")

    async def drip(self, data: bytes, gap_s: float = 0.02) -> tuple[int, bytes]:
        """Sends it byte by byte until the other side has closed: how many bytes were sent, and all
        that came."""
        reading = asyncio.create_task(self.rest())
        for at in range(len(data)):
            if reading.done():
                return at, await reading
            self.writer.write(data[at : at + 1])
            await asyncio.sleep(gap_s)
        return len(data), await reading


@asynccontextmanager
async def client(run: Running) -> AsyncIterator[Client]:
    host, _, port = run.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def sent_at_once(run: Running, said: bytes) -> bytes:
    """What a client gets that has sent its request before its connection is accepted; raises if
    that is a reset."""
    host, _, port = run.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as connected:
        connected.sendall(said)
        reader, writer = await asyncio.open_connection(sock=connected.dup())
        await asyncio.sleep(0.02)
        answer = await reader.read()
        writer.close()
        return answer


def patient(head_s: float = 30, body_s: float = 30, **limits: Any) -> dict[str, Any]:
    return {
        **MOCKED,
        "server": {"request_head_s": head_s, "request_body_s": body_s},
        "limits": limits,
    }


def error(answer: bytes) -> dict[str, Any]:
    _, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\n\r\n" not in body
    found: dict[str, Any] = json.loads(body)["error"]
    return found


async def test_a_head_that_drips_is_refused_when_its_time_is_over() -> None:
    """Each byte is in time; all of them are not. Nothing is there to be read that was not sent."""
    async with running(patient(head_s=0.3)) as run, client(run) as slow:
        sent, answer = await slow.drip(HEAD * 10)
        assert sent < len(HEAD)
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"\r\nConnection: close\r\n" in answer
        assert "did not arrive within 0.3 s" in error(answer)["message"]


async def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async with running(patient(head_s=0.1)) as run, client(run) as silent:
        assert b"" == await silent.rest()


async def test_a_connection_that_has_been_answered_may_be_idle_for_longer_than_a_head_may_take() -> (
    None
):
    async with running(patient(head_s=0.1)) as run, client(run) as kept:
        for _ in range(3):
            kept.writer.write(WHOLE)
            assert b"stream.end" in await kept.answer()
            await asyncio.sleep(0.15)


async def test_the_time_of_a_later_head_begins_with_its_first_byte() -> None:
    async with running(patient(head_s=0.3)) as run, client(run) as kept:
        kept.writer.write(WHOLE)
        await kept.answer()
        await asyncio.sleep(0.35)
        sent, answer = await kept.drip(HEAD * 10)
        assert 1 < sent < len(HEAD)
        assert b" 408 " in answer.split(b"\r\n")[0]


async def test_a_head_in_two_pieces_is_not_taken_for_one_that_came_before() -> None:
    """It begins just before the time of the first head would have been over, and ends after it."""
    async with running(patient(head_s=0.4)) as run, client(run) as kept:
        kept.writer.write(WHOLE)
        await kept.answer()
        await asyncio.sleep(0.3)
        kept.writer.write(HEAD[:20])
        await asyncio.sleep(0.2)
        kept.writer.write(HEAD[20:] + BODY)
        assert b"stream.end" in await kept.answer()


async def test_a_stream_may_last_longer_than_a_head_or_a_body_may_take() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        for _ in range(4):
            peer.send(b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n')
            await asyncio.sleep(0.1)
        peer.send(
            b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        )
        peer.write(LAST_CHUNK)

    times = {"server": {"request_head_s": 0.1, "request_body_s": 0.1}}
    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), **times}) as run,
        client(run) as patient_one,
    ):
        patient_one.writer.write(WHOLE)
        assert b"stream.end" in await patient_one.answer()


async def test_a_body_that_drips_is_answered_408_and_the_connection_closed() -> None:
    async with running(patient(body_s=0.3)) as run, client(run) as slow:
        slow.writer.write(HEAD.replace(b"%d" % len(BODY), b"5000"))
        sent, answer = await slow.drip(b" " * 5000)
        assert 1 < sent < 5000
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nconnection: close\r\n" in answer.lower()
        assert "server.request_body_s" in error(answer)["message"]


async def test_a_refusal_before_the_body_has_come_closes_the_connection() -> None:
    """What still comes would be taken for the next request."""
    async with running(patient()) as run, client(run) as eager:
        eager.writer.write(
            b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
            % (len(WHOLE) + 10)
        )
        await asyncio.sleep(0.05)
        eager.writer.write(WHOLE + b" " * 10)
        answer = await eager.rest()
        assert (1, 404) == (answer.count(b"HTTP/1.1"), error(answer)["status"])
        assert b"\r\nconnection: close\r\n" in answer.lower()


async def test_of_a_chunk_extension_without_end_only_so_much_is_read() -> None:
    """It is no part of the body, whose size is bounded; what is left in the sockets of both sides
    is the kernel's."""
    config = patient(body_s=1, max_body_bytes=10_000)
    endless, piece = 200_000_000, b"a" * 1_000_000
    async with running(config) as run, client(run) as flood:
        flood.writer.write(
            HEAD.replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked") + b"1;"
        )
        sent, answer = 0, asyncio.create_task(flood.reader.readexactly(13))
        while sent < endless and not answer.done():
            flood.writer.write(piece)
            sent += len(piece)
            drained = asyncio.create_task(flood.writer.drain())
            await asyncio.wait(
                {drained, answer}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED
            )
            drained.cancel()
        assert (b"HTTP/1.1 408 ", True) == (await answer, sent < endless)


LINE = b"GET /v1/stream?model=m&prompt=%b HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (LINE % (b"a" * 70_000), 414),
        (LINE % (b"a" * 65_530), 414),
        (HEAD[:-2] + b"X-A: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (HEAD[:-2] + b"X" * 9_000 + b": a\r\n\r\n", 431),
        (
            HEAD[:-2]
            + b"".join(b"X-%d: %b\r\n" % (number, b"a" * 8_000) for number in range(9))
            + b"\r\n",
            431,
        ),
        (HEAD[:-2] + b"X: a\r\n" * 200 + b"\r\n", 431),
    ],
    ids=[
        "a long line",
        "a line that is just too long",
        "a long value",
        "a long name",
        "many long headers",
        "many headers",
    ],
)
async def test_a_head_is_bounded(head: bytes, status: int, at_once: bool) -> None:
    async with running(patient()) as run, client(run) as large:
        for at in range(0, len(head), len(head) if at_once else 10_000):
            large.writer.write(head[at : at + (len(head) if at_once else 10_000)])
            await asyncio.sleep(0 if at_once else 0.01)
        large.writer.write(BODY)
        answer = await large.rest()
        assert (1, status) == (answer.count(b"HTTP/1."), error(answer)["status"])
        assert f" {status} ".encode() in answer.split(b"\r\n")[0]
        assert "too_large" == error(answer)["kind"]
        assert b"aaaa" not in answer
        assert [] == run.mock.account.newest(1)


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4, 7], ids=lambda cut: f"cut {cut} before its end")
async def test_a_head_of_just_the_size_is_answered_wherever_it_is_cut(cut: int) -> None:
    """The bytes behind it, of the body or of the next request, are no part of it."""
    spare = 1100 - len(HEAD) - len(b"X-A: \r\n")
    head = HEAD[:-2] + b"X-A: " + b"a" * spare + b"\r\n\r\n"
    async with running(patient(max_head_bytes=1100)) as run, client(run) as exact:
        assert 1100 == len(head)
        exact.writer.write(head[: len(head) - cut])
        await asyncio.sleep(0.03)
        exact.writer.write(head[len(head) - cut :] + BODY)
        assert b"stream.end" in await exact.answer()
        larger = head.replace(b"X-A: ", b"X-A: a")
        exact.writer.write(larger[: len(larger) - cut])
        await asyncio.sleep(0.03)
        exact.writer.write(larger[len(larger) - cut :] + BODY)
        assert b" 431 " in (await exact.rest()).split(b"\r\n")[0]


async def test_a_prompt_of_sixty_kilobytes_fits_into_a_request_line() -> None:
    async with running(patient()) as run, client(run) as source:
        source.writer.write(LINE % (b"a" * 60_000))
        assert b"stream.end" in await source.answer()


async def test_a_connection_too_many_is_told_so_and_makes_one_line_in_the_log() -> None:
    with structlog.testing.capture_logs() as lines:
        async with (
            running(patient(max_connections=3)) as run,
            client(run) as first,
            client(run) as second,
            client(run) as third,
        ):
            for kept in (first, second, third):
                kept.writer.write(WHOLE)
                assert b"stream.end" in await kept.answer()
            for said in [WHOLE] * 5 + [b""] * 5:
                answer = await sent_at_once(run, said)
                assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
                assert b"\r\nRetry-After: 1\r\n" in answer
                assert "overloaded" == error(answer)["kind"]
            third.writer.write(WHOLE)
            assert b"stream.end" in await third.answer()
            told = [line for line in lines if line["event"].startswith("connections turned away")]
            assert [(1, 3)] == [(line["turned_away"], line["max_connections"]) for line in told]
            assert 3 == len([line for line in lines if line["event"] == "stream"]) - 1


async def test_a_connection_that_ends_makes_room_for_another() -> None:
    async with running(patient(max_connections=1)) as run:
        for _ in range(3):
            async with client(run) as only:
                only.writer.write(WHOLE.replace(b"Host", b"Connection: close\r\nHost"))
                assert b"stream.end" in await only.rest()


async def test_a_reload_changes_what_later_connections_are_held_to() -> None:
    async with running(patient()) as run, client(run) as before:
        await run.reload(patient(max_head_bytes=1024))
        large = HEAD[:-2] + b"X-A: " + b"a" * 2000 + b"\r\n\r\n" + BODY
        before.writer.write(large)
        assert b"stream.end" in await before.answer()
        async with client(run) as after:
            after.writer.write(large)
            assert b" 431 " in (await after.rest()).split(b"\r\n")[0]


def test_each_connection_has_a_file_for_its_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(count: int) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (count, count))

    files(20_064)
    assert (10_000, 500) == (connection_slots(20_000), connection_slots(500))
    files(30)
    assert 0 < connection_slots(20_000)
    files(resource.RLIM_INFINITY)
    assert 20_000 == connection_slots(20_000)
