"""A Redis that is full, read-only, drops keys or comes and goes: streams go on, one line says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from tests.needs import requires
from tests.raw_upstream import Peer
from tests.redis_server import RedisServer, redis_server
from tests.relay.far import Far, until
from tests.running import Running
from tests.server.speaking import BODY, TEXT, WORDS, Reading, Speaks, asked
from tests.server.stores.test_shared import both, two

pytestmark = requires("redis")
# in which nobody is taken for dead, and no reader loses patience, on a machine that is busy
LEASE = {"lease_s": 30}
AWAY, BACK = (
    "the Redis of streams.resume.store is away",
    "the Redis of streams.resume.store is back",
)


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with redis_server() as server:
        yield server


async def failed(run: Running) -> bool:
    return await run.metric('mainstem_store_errors_total{operation="write"}') > 0


TROUBLES = {
    "full": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "read-only": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "refused": (
        ("ACL", "SETUSER", "default", "-@write"),
        ("ACL", "SETUSER", "default", "+@write"),
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_while_nothing_can_be_written_streams_go_on_and_then_all_is_told(
    trouble: str, redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    begins, ends = TROUBLES[trouble]
    speaks = Speaks()
    async with two(Far(speaks), redis, rules={"max_bytes_per_stream": 2400, **LEASE}) as (
        here,
        there,
    ):
        async with both(here, there, speaks) as (first, second, where):
            await redis.run(*begins)
            speaks.say(30)
            await first.read(WORDS[32])
            await until(lambda: failed(here))
            await redis.run(*ends)
            await second.read(WORDS[32])
            speaks.say(40)
            await asyncio.gather(first.read(), second.read())
        assert (TEXT, TEXT) == (first.text, second.text)
        assert first.ids == second.ids
        async with asked(there, where, "GET") as late:
            await late.read()
        assert (TEXT, "stream.end") == (late.text, late.last)
    said = capsys.readouterr().out
    assert said.count(AWAY) in (1, 2)  # of the process that writes; of the other, if it wrote then
    assert said.count(BACK) >= 1


async def test_a_sign_of_life_that_was_dropped_is_no_death(redis: RedisServer) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis, rules=LEASE) as (here, there):
        speaks.say(3)
        async with asked(here) as first:
            await first.read(WORDS[2])
            async with asked(there, first.response.headers["Location"], "GET") as second:
                await second.read(WORDS[2])
                store = there.process._store
                store._link.since = 0.0  # type: ignore[attr-defined]  # long before a lease
                await redis.forget("*:alive")
                await store._pulse._beat()  # type: ignore[attr-defined]
                speaks.say(40)
                await asyncio.gather(first.read(), second.read())
        assert (TEXT, TEXT) == (first.text, second.text)


async def test_of_a_redis_that_comes_and_goes_not_each_time_is_told(
    redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, _):
        link = here.process._store._link  # type: ignore[attr-defined]
        for _ in range(3):
            await redis.run("CONFIG", "SET", "maxmemory", "1")
            await until(lambda: link.since is None)
            await redis.run("CONFIG", "SET", "maxmemory", "0")
            await until(lambda: link.since is not None)
    assert capsys.readouterr().out.count(AWAY) in (1, 2)  # of two processes


@pytest.mark.parametrize(("policy", "lines"), [("noeviction", 0), ("allkeys-lru", 2)])
async def test_a_redis_that_drops_streams_when_it_is_full_is_told_of_at_the_start(
    policy: str, lines: int, redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await redis.run("CONFIG", "SET", "maxmemory-policy", policy)
    async with two(Far(), redis):
        pass
    assert lines == capsys.readouterr().out.count("maxmemory-policy to noeviction")


async def test_two_hundred_streams_outlive_a_redis_that_is_stopped_and_begins_empty(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is read here and there, and half are generated there."""
    for name in ("_ASK_S", "_KNOWN_S"):  # all of it runs in this process
        monkeypatch.setattr(f"proxy.server.stores.shared.{name}", 20.0)
    all_speak = [Speaks() for _ in range(200)]
    waiting = iter(all_speak)

    async def upstream(peer: Peer) -> None:
        await next(waiting)(peer)

    def say(count: int) -> None:
        for each in all_speak:
            each.say(count)

    async with (
        two(Far(upstream), redis, rules=LEASE, limits={"max_streams": 1000}) as (here, there),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        AsyncExitStack() as stack,
    ):

        async def read(at: int) -> list[Reading]:
            own = (here, there)[at % 2].url
            async with session.post(f"{own}/v1/streams", json=BODY) as started:
                where = (await started.json())["url"]
            found = []
            for run in (here, there):
                get = session.get(f"{run.url}{where}")
                response = await stack.enter_async_context(get)
                assert 200 == response.status
                found.append(Reading(response))
            return found

        async def ten(at: int) -> list[list[Reading]]:
            """What is asked at once is answered late: all of it runs in this process."""
            return await asyncio.gather(*map(read, range(at, at + 10)))

        say(5)
        pairs = [pair for at in range(0, 200, 10) for pair in await ten(at)]
        readers = [each for pair in pairs for each in pair]
        await asyncio.gather(*(each.read(WORDS[4]) for each in readers))
        await redis.stop()
        say(10)
        await until(lambda: failed(here))
        await redis.start()
        say(40)
        await asyncio.gather(*(each.read() for each in readers))
        assert [TEXT] * 400 == [each.text for each in readers]
        assert [first.ids for first, _ in pairs] == [second.ids for _, second in pairs]
        assert {"stream.end"} == {each.last for each in readers}
