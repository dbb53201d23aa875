"""The HTTP client for upstreams: bytes arrive in order and at once, and every way of ending is told
apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.codec.base import Outgoing
from proxy.errors import Failure, Refused, failure
from proxy.upstream.answer import Answer
from proxy.upstream.client import Endpoint, Upstreams
from proxy.upstream.connector import Connector
from proxy.upstream.handing import TURN_BYTES
from proxy.upstream.pool import Pool, Pooled
from proxy.upstream.protocol import Protocol
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, Script, raw_upstream

CALL = Outgoing("/x", b"{}", {"Content-Type": "application/json"})


class Reader:
    """Collects what an answer hands over."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.end: asyncio.Future[Failure | None] = asyncio.get_running_loop().create_future()

    def attach(self, answer: Answer) -> None:
        answer.attach(self.chunks.append, self.end.set_result)

    async def ended(self) -> Failure | None:
        async with asyncio.timeout(5):
            return await self.end


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[tuple[Upstreams, Endpoint]]:
    async with raw_upstream(script) as url:
        upstreams = Upstreams()
        try:
            yield upstreams, Endpoint("far", url, None, {}, 2.0)
        finally:
            await upstreams.close()


async def test_chunks_are_handed_over_as_they_come_and_the_end_is_clean() -> None:
    step = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(b"one")
        await step.wait()
        peer.write(b"3\r\ntwo\r\n" + LAST_CHUNK)
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        got = Reader()
        got.attach(answer)
        async with asyncio.timeout(5):
            while not got.chunks:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert [b"one"] == got.chunks
        step.set()
        assert await got.ended() is None
        assert [b"one", b"two"] == got.chunks


async def test_a_whole_answer_in_one_packet_is_handed_over_by_attach() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        await asyncio.sleep(0.02)
        got = Reader()
        got.attach(answer)
        assert await got.ended() is None
        assert b"hello" == b"".join(got.chunks)


@pytest.mark.parametrize("how", ["close", "reset", "reset without a length"])
async def test_a_broken_body_is_truncated_even_where_its_end_is_the_connection(how: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        head = (
            CHUNKED
            if how != "reset without a length"
            else b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        )
        peer.write(head + (b"4\r\npart\r\n" if head is CHUNKED else b"part"))
        await peer.writer.drain()
        await asyncio.sleep(0.02)
        if how != "close":
            import socket
            import struct

            peer.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )

    async with serving(script) as (upstreams, endpoint):
        got = Reader()
        got.attach(await upstreams.open(endpoint, CALL))
        broken = await got.ended()
        assert broken is not None
        assert ("upstream_truncated", "far") == (broken.kind, broken.upstream)
        assert b"part" == b"".join(got.chunks)


async def test_a_body_that_breaks_the_rules_of_http_ends_at_once() -> None:
    """And what came before the break is handed over."""
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(b"part")
        await go_on.wait()
        peer.write(b"4\r\nmore\r\nno size\r\n")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        got = Reader()
        got.attach(await upstreams.open(endpoint, CALL))
        go_on.set()
        broken = await got.ended()
        assert broken is not None
        assert ("upstream_malformed", "far") == (broken.kind, broken.upstream)
        assert b"partmore" == b"".join(got.chunks)


@pytest.mark.parametrize("early", [True, False])
async def test_an_error_body_that_breaks_the_rules_of_http_is_not_waited_for(early: bool) -> None:
    """Be it broken before it is read or while it is."""
    read = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED.replace(b"200 OK", b"500 Oops"))
        if not early:
            await read.wait()
        await asyncio.sleep(0.02)
        peer.write(b"no size\r\n")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        if early:
            await asyncio.sleep(0.05)
        read.set()
        async with asyncio.timeout(5):
            assert b"" == await answer.read(1000)
        answer.close()


async def test_nothing_listening_is_connect_failed_without_the_address() -> None:
    upstreams = Upstreams()
    with pytest.raises(Refused) as refused:
        await upstreams.open(Endpoint("far", "http://127.0.0.1:9", None, {}, 1.0), CALL)
    await upstreams.close()
    assert "connect_failed" == refused.value.failure.kind
    assert "127.0.0.1" not in refused.value.failure.message


async def test_an_answer_that_is_not_http_is_malformed() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        with pytest.raises(Refused) as refused:
            await upstreams.open(endpoint, CALL)
        assert "upstream_malformed" == refused.value.failure.kind


async def test_close_reaches_the_upstream_at_once() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(b"one")
        await peer.left()
        gone.set()

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        Reader().attach(answer)
        answer.close()
        async with asyncio.timeout(1):
            await gone.wait()


async def test_a_finished_answer_gives_its_connection_back() -> None:
    connections = 0

    async def script(peer: Peer) -> None:
        nonlocal connections
        connections += 1
        while True:
            await peer.request()
            peer.write(CHUNKED)
            peer.send(b"done")
            await peer.writer.drain()
            await asyncio.sleep(0.01)
            peer.write(LAST_CHUNK)

    async with serving(script) as (upstreams, endpoint):
        for _ in range(3):
            answer = await upstreams.open(endpoint, CALL)
            seen = asyncio.Event()
            answer.attach(lambda _data, seen=seen: seen.set(), lambda _broken: None)
            await seen.wait()
            answer.finish()
            await asyncio.sleep(0.05)
        assert 1 == connections


async def test_pause_stops_reading_and_resume_goes_on() -> None:
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        peer.write(CHUNKED)
        while True:
            peer.send(b"x" * 65536)
            await peer.writer.drain()
            sent += 65536

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        got = Reader()
        got.attach(answer)
        await asyncio.sleep(0.05)
        answer.pause()
        await asyncio.sleep(0.2)
        held = sum(map(len, got.chunks))
        was_sent = sent
        await asyncio.sleep(0.1)
        assert held == sum(map(len, got.chunks))
        assert was_sent == sent
        answer.resume()
        await asyncio.sleep(0.05)
        assert sum(map(len, got.chunks)) > held
        answer.close()


async def test_pause_holds_in_the_midst_of_a_large_read() -> None:
    """What is left of it waits too."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        while True:
            for _ in range(256):
                peer.send(b"x" * 4096)
            await peer.writer.drain()

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        protocol, got, paused = answer._protocol, 0, asyncio.Event()

        def take(data: bytes) -> None:
            nonlocal got
            got += len(data)
            if protocol._rest and not paused.is_set():
                answer.pause()
                paused.set()

        answer.attach(take, lambda _broken: None)
        async with asyncio.timeout(5):
            await paused.wait()
        held = got
        await asyncio.sleep(0.1)
        assert held == got
        answer.resume()
        await asyncio.sleep(0.05)
        assert got > held
        answer.close()


async def test_a_large_read_is_worked_on_in_turns() -> None:
    """Between two parts of what one upstream has sent, everybody else has one."""
    turns: list[str] = []
    sizes: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        for _ in range(256):
            peer.send(b"x" * 4096)
        peer.write(LAST_CHUNK)
        await peer.writer.drain()

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        await asyncio.sleep(0.05)  # all of it has come
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def another() -> None:
            turns.append("another")
            if not ended.is_set():
                loop.call_soon(another)

        def take(data: bytes) -> None:
            turns.append("part")
            sizes.append(len(data))

        answer.attach(take, lambda _broken: ended.set())
        another()
        async with asyncio.timeout(5):
            await ended.wait()
    assert len(sizes) > 10
    assert max(sizes[3:]) <= TURN_BYTES  # the first ones came with the head
    later = turns[turns.index("another") :]
    assert "part,part,part" not in ",".join(later)


async def test_an_answer_that_ends_while_it_is_paused_gives_back_a_connection_that_reads() -> None:
    connections = 0

    async def script(peer: Peer) -> None:
        nonlocal connections
        connections += 1
        while True:
            await peer.request()
            peer.write(CHUNKED)
            await asyncio.sleep(0.02)
            peer.write(b"3\r\none\r\n" + LAST_CHUNK)

    async with serving(script) as (upstreams, endpoint):
        for _ in range(2):
            answer = await upstreams.open(endpoint, CALL)
            end: asyncio.Future[Failure | None] = asyncio.get_running_loop().create_future()
            answer.attach(lambda _data, answer=answer: answer.pause(), end.set_result)
            async with asyncio.timeout(2):
                assert await end is None
            answer.finish()
    assert 1 == connections


async def turns(peer: Peer) -> None:
    """An answer for each request, of one chunk, and its end when the next request has not come
    yet."""
    while True:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(b"one")
        await peer.writer.drain()
        await asyncio.sleep(0.02)
        peer.write(LAST_CHUNK)


async def test_an_answer_that_has_ended_leaves_its_connection_to_the_next_one() -> None:
    """Whoever waits for a slow client resumes its answer late, or closes it again."""
    async with serving(turns) as (upstreams, endpoint):
        first, got = await upstreams.open(endpoint, CALL), Reader()
        got.attach(first)
        assert await got.ended() is None
        second, got = await upstreams.open(endpoint, CALL), Reader()
        protocol = second._protocol
        got.attach(second)
        second.pause()
        assert protocol.transport is not None
        first.resume()
        assert not protocol.transport.is_reading()
        second.resume()
        first.pause()
        assert protocol.transport.is_reading()
        first.close()
        assert await got.ended() is None
        assert b"one" == b"".join(got.chunks)


async def test_an_answer_that_came_whole_before_anybody_took_it_leaves_its_connection_to_the_next_one() -> (
    None
):
    async with serving(turns) as (upstreams, endpoint):
        first, late = await upstreams.open(endpoint, CALL), Reader()
        await asyncio.sleep(0.1)
        second, got = await upstreams.open(endpoint, CALL), Reader()
        got.attach(second)
        late.attach(first)
        assert await late.ended() is None
        assert await got.ended() is None
        assert ([b"one"], [b"one"]) == (late.chunks, got.chunks)


async def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew_only_for_what_is_harmless() -> (
    None
):
    """A prompt must not run twice: nobody knows whether the upstream has seen it."""
    requests = []

    async def script(peer: Peer) -> None:
        requests.append((await peer.request()).split(b" ")[0])
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        requests.append((await peer.request()).split(b" ")[0])

    async with serving(script) as (upstreams, endpoint):
        look = CALL._replace(method="GET", body=b"")
        assert b"ok" == await (await upstreams.open(endpoint, look)).read(10)
        assert b"ok" == await (await upstreams.open(endpoint, look)).read(10)
        assert [b"GET", b"GET", b"GET"] == requests
        with pytest.raises(Refused) as refused:
            await upstreams.open(endpoint, CALL)
        assert "connect_failed" == refused.value.failure.kind
        assert [b"GET", b"GET", b"GET", b"POST"] == requests


async def test_a_head_that_does_not_come_in_time_is_waited_for_no_longer() -> None:
    """And its connection is closed."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await peer.request()
        await peer.left()
        gone.set()

    async with serving(script) as (upstreams, endpoint):
        got = Reader()
        got.attach(await upstreams.open(endpoint, CALL))
        assert await got.ended() is None
        until = asyncio.get_running_loop().time() + 0.01
        with pytest.raises(TimeoutError):
            await upstreams.open(endpoint, CALL, until=until)
        async with asyncio.timeout(5):
            await gone.wait()


async def test_the_time_for_a_head_is_also_that_for_its_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def made(*_: object) -> Pooled:
        await asyncio.Event().wait()
        raise AssertionError("nothing sets it")

    monkeypatch.setattr(Pool, "made", made)
    upstreams, until = Upstreams(), asyncio.get_running_loop().time() + 0.01
    with pytest.raises(TimeoutError):
        await upstreams.open(
            Endpoint("far", "http://127.0.0.1:9", None, {}, 2.0), CALL, until=until
        )
    await upstreams.close()


async def test_a_header_that_comes_twice_is_one_name() -> None:
    """However it is written; `fields` have both."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nX-One: a\r\nSet-Cookie: b\r\nx-one: c\r\n")
        peer.write(b"X-two: d\r\nContent-Length: 0\r\n\r\n")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        said = {"x-one": "c", "set-cookie": "b", "x-two": "d", "content-length": "0"}
        assert said == answer.headers
        assert ["a", "c"] == answer.fields.getall("x-ONE")
        answer.let_go()
        assert {} == answer.headers


async def test_what_is_said_before_the_answer_is_read_over() -> None:
    """Early hints, 100 Continue (RFC 9110, 15.2), also where it comes apart from the answer."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r")
        await peer.writer.drain()
        await asyncio.sleep(0.02)
        peer.write(b"\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, CALL)
        assert (200, b"ok") == (answer.status, await answer.read(10))
        assert "link" not in answer.headers


async def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    """Else the next request would get them for its answer."""
    connections = 0
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

    async def script(peer: Peer) -> None:
        nonlocal connections
        connections += 1
        await peer.request()
        peer.write(said + b"ok" + (said + b"no" if connections == 1 else b""))
        await peer.writer.drain()
        if connections == 2:
            await asyncio.sleep(0.02)
            peer.write(said + b"no")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        for number in (1, 2, 3):
            assert b"ok" == await (await upstreams.open(endpoint, CALL)).read(10)
            await asyncio.sleep(0.05)
            assert number == connections


@pytest.mark.parametrize("length", [None, 6])
async def test_a_body_that_comes_in_pieces_goes_up_as_it_comes(length: int | None) -> None:
    """In chunks where nobody knows its length."""
    got: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async def script(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        got.append(head.lower())
        got.append(await peer.reader.readexactly(6 if length else 21))
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await peer.left()

    headers = {} if length is None else {"content-length": str(length)}
    async with serving(script) as (upstreams, endpoint):
        answer = await upstreams.open(endpoint, Outgoing("/x", b"", headers), body=pieces())
        assert b"ok" == await answer.read(10)
    assert (b"content-length: 6" in got[0]) is (length == 6)
    assert (b"onetwo" if length else b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n") == got[1]


async def test_a_body_that_breaks_off_does_not_look_whole() -> None:
    ends: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        raise Refused(failure("too_large", "no"))

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        ends.append(await peer.reader.read())

    async with serving(script) as (upstreams, endpoint):
        with pytest.raises(Refused):
            await upstreams.open(endpoint, Outgoing("/x", b"", {}), body=pieces())
        await asyncio.sleep(0.02)
    assert LAST_CHUNK not in b"".join(ends)


async def test_a_header_with_the_end_of_a_line_in_it_is_not_sent() -> None:
    async with serving(turns) as (upstreams, endpoint):
        with pytest.raises(ValueError, match="control character"):
            await upstreams.open(endpoint, CALL._replace(headers={"x-a": "b\r\nx-evil: c"}))


async def test_redirects_are_not_followed() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
        )
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        assert 307 == (await upstreams.open(endpoint, CALL)).status


async def test_compression_is_never_asked_for() -> None:
    head = b""

    async def script(peer: Peer) -> None:
        nonlocal head
        head = await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        (await upstreams.open(endpoint, CALL)).close()
    assert b"accept-encoding: identity\r\n" in head.lower()


async def test_aiohttp_still_makes_its_connections_as_this_module_expects() -> None:
    """By the one private name: if a release moves it, nothing would arrive."""
    connector = Connector()
    assert isinstance(connector._factory(), Protocol)
    await connector.close()


async def test_a_configured_header_takes_the_place_of_the_dialects_however_it_is_written() -> None:
    head = b""

    async def script(peer: Peer) -> None:
        nonlocal head
        head = (await peer.request()).lower()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await peer.left()

    async with serving(script) as (upstreams, endpoint):
        call = CALL._replace(headers={**CALL.headers, "authorization": "Bearer theirs"})
        (
            await upstreams.open(
                endpoint._replace(
                    headers={"Authorization": "Bearer ours", "ACCEPT-ENCODING": "identity"}
                ),
                call,
            )
        ).close()
    assert (1, 1) == (head.count(b"authorization:"), head.count(b"accept-encoding:"))
    assert b"authorization: bearer ours\r\n" in head
