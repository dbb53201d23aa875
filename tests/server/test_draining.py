"""The end of a process, for clients that keep their connections: what they ask before they can see
that it ends is answered, and the answer says that it is the last one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.server.listener import Listener
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.relay.far import ROLE, STOP, delta, until
from tests.running import Running, one, running
from tests.server.test_listener import BODY, HEAD, WAIT_S, WHOLE, Client, client

MODELS = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG: dict[str, Any] = {"server": {"drain_s": 2 * WAIT_S}}


async def says_hello(peer: Peer) -> None:
    peer.write(CHUNKED)
    for frame in (ROLE, delta("Hello"), STOP):
        peer.send(frame)
    peer.write(LAST_CHUNK)


@asynccontextmanager
async def kept(run: Running) -> AsyncIterator[Client]:
    """A connection that has had an answer and waits for the next request."""
    async with client(run) as one_more:
        one_more.writer.write(WHOLE)
        await one_more.answer()
        yield one_more


def listener(run: Running) -> Listener:
    return run.process._runners[0]


async def until_deaf(run: Running) -> None:
    """Until it takes no more connections, and has closed those that are idle."""
    await until(lambda: run.process.gateway.closing)
    assert not listener(run).sites


def is_last(answer: bytes, holds: bytes) -> bool:
    """Whether it is a good answer, holds this and says that no other one comes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close" in head and holds in body


@pytest.mark.parametrize(
    ("request_bytes", "holds"), [(WHOLE, b'"stream.end"'), (MODELS, b'"data"')]
)
async def test_a_request_that_has_come_unread_is_answered(
    request_bytes: bytes, holds: bytes
) -> None:
    """It lies in the system when idle connections are closed."""
    async with (
        raw_upstream(says_hello) as url,
        running({**one("openai_chat", url), **LONG}) as run,
        kept(run) as asking,
        kept(run) as idle,
    ):
        asking.writer.write(request_bytes)
        listener(run).close_idle()
        await run.process.stop()
        assert is_last(await asking.rest(), holds)
        assert b"" == await idle.rest()


@pytest.mark.parametrize("cut", [9, len(HEAD), len(WHOLE) - 1])
async def test_a_request_that_has_begun_is_answered(cut: int) -> None:
    """Within its first line, before its body and within that."""
    async with (
        raw_upstream(says_hello) as url,
        running({**one("openai_chat", url), **LONG}) as run,
        kept(run) as asking,
    ):
        asking.writer.write(WHOLE[:cut])
        await until(listener(run).busy)
        stopping = asyncio.create_task(run.process.stop())
        await until_deaf(run)
        asking.writer.write(WHOLE[cut:])
        assert is_last(await asking.rest(), b'"stream.end"')
        await stopping


async def test_who_kept_a_connection_for_a_stream_may_ask_once_more() -> None:
    """Its head was sent before the end was known, so that its client could not know."""
    go = asyncio.Event()

    async def waits(peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE)
        peer.send(delta("Hello"))
        await go.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with (
        raw_upstream(waits) as url,
        running({**one("openai_chat", url), **LONG}) as run,
        client(run) as asking,
    ):
        asking.writer.write(WHOLE)
        await asking.reader.readuntil(b"Hello")
        stopping = asyncio.create_task(run.process.stop())
        await until_deaf(run)
        asking.writer.write(MODELS)
        go.set()
        await asking.answer()
        assert is_last(await asking.rest(), b'"data"')
        await stopping


async def test_who_never_ends_a_request_holds_up_the_end_no_longer_than_a_stream() -> None:
    async with (
        raw_upstream(says_hello) as url,
        running(one("openai_chat", url)) as run,
        kept(run) as asking,
    ):
        asking.writer.write(HEAD + BODY[:5])
        await until(listener(run).busy)
        await run.process.stop()
        assert b"" == await asking.rest()
