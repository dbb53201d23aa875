"""Streams in a Redis: two proxies share one, each reads what the other generates."""

import asyncio
import gc
import hashlib
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.dialects.registry import CLIENTS
from proxy.server.stores.layout import Wish
from proxy.settings.resume import Resume
from tests.needs import requires
from tests.redis_server import RedisServer, redis_server
from tests.relay.far import Far, proxied, says, until
from tests.running import Running
from tests.server.speaking import BODY, TEXT, WORDS, Reading, Speaks, asked

pytestmark = requires("redis")
LEASE_S = 1.6
SOON_S = 10  # for what goes through a Redis, on a busy machine


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with redis_server() as server:
        yield server


@asynccontextmanager
async def two(
    far: Far, redis: RedisServer, *, rules: dict[str, Any] | None = None, **config: Any
) -> AsyncIterator[tuple[Running, Running]]:
    """Two proxies before the same upstream."""
    resume = {"store": redis.url, "lease_s": LEASE_S, **(rules or {})}
    streams = {"resume": resume, "grace_s": 5, **config.pop("streams", {})}
    named = {"server": {"drain_s": 0.1}, **config}
    async with (
        proxied(["far"], {"far": far}, streams=streams, **named) as here,
        proxied(["far"], {"far": far}, streams=streams, **named) as there,
    ):
        yield here, there


@asynccontextmanager
async def both(
    here: Running, there: Running, speaks: Speaks
) -> AsyncIterator[tuple[Reading, Reading, str]]:
    """A stream that the first process generates, three words of it read by a client of each, and
    its path."""
    speaks.say(3)
    async with asked(here) as first:
        await first.read(WORDS[2])
        where = first.response.headers["Location"]
        async with asked(there, where, "GET") as second:
            await second.read(WORDS[2])
            yield first, second, where


def dies(run: Running) -> None:
    """As by SIGKILL, as far as a store is told."""
    for task in run.process._store._tasks:  # type: ignore[attr-defined]
        task.cancel()


async def test_a_client_that_comes_back_elsewhere_gets_the_rest(redis: RedisServer) -> None:
    speaks = Speaks()
    far = Far(speaks)
    async with two(far, redis) as (here, there):
        speaks.say(10)
        async with asked(here) as first:
            await first.read(WORDS[9])
            first.response.close()
        async with asked(there, headers={"Last-Event-ID": first.ids[-1]}) as again:
            speaks.say(40)
            await again.read()
        assert TEXT == first.text + again.text
        assert "stream.end" == again.last
        ids = [int(seen.rpartition(":")[2]) for seen in first.ids + again.ids]
        assert list(range(len(ids))) == ids
        async with asked(there, headers={"Last-Event-ID": again.ids[-1]}) as over:
            assert 204 == over.response.status
    assert 1 == len(far.asked)


async def test_what_has_ended_is_read_elsewhere_in_every_dialect(redis: RedisServer) -> None:
    async with two(Far(says("Hello")), redis) as (here, there):
        async with asked(here) as whole:
            await whole.read()
            where = whole.response.headers["Location"]
        await until(here.process._store._writer.streams[where[12:]].whole)  # type: ignore[attr-defined]
        for dialect in CLIENTS:
            async with asked(there, f"{where}?dialect={dialect}", "GET") as again:
                assert 200 == again.response.status
                assert b"Hello" in await again.response.read()
        async with asked(there, where, "GET") as again:
            await again.read()
        assert (whole.events, whole.ids) == (again.events, again.ids)


async def test_a_stream_is_started_here_and_followed_described_and_cancelled_elsewhere(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        async with asked(here, "/v1/streams") as started:
            where = (await started.response.json())["url"]
        async with asked(there, where, "GET") as second, asked(here, where, "GET") as first:
            speaks.say(3)
            await asyncio.gather(first.read(WORDS[2]), second.read(WORDS[2]))
            async with asked(there, f"{where}/status", "GET") as about:
                said = await about.response.json()
            assert ("in_progress", "m", 1) == (said["status"], said["model"], said["readers"])
            async with asked(there, where, "DELETE") as cancelled:
                assert 204 == cancelled.response.status
            async with asyncio.timeout(SOON_S):
                await speaks.gone.wait()
            await asyncio.gather(first.read(), second.read())
        kinds = [each.events[-1]["error"]["kind"] for each in (first, second)]
        assert ["cancelled", "cancelled"] == kinds
        assert first.ids == second.ids


async def test_when_the_process_that_generates_dies_every_reader_is_told(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        await asyncio.sleep(LEASE_S)  # so long nobody is taken for dead
        async with both(here, there, speaks) as (first, second, _):
            dies(here)
            speaks.say(2)  # of which nobody elsewhere is told
            await first.read(WORDS[4])
            async with asyncio.timeout(LEASE_S + SOON_S):
                await second.read()
        error = second.events[-1]["error"]
        assert ("upstream_truncated", True) == (error["kind"], error["retryable"])
        # with one event more than was stored, which is as many as there are with the end, too
        one_more = f"{second.ids[-2].rpartition(':')[0]}:{len(second.ids) - 1}"
        for seen in (first.ids[-1], first.ids[3], one_more):
            async with asked(there, headers={"Last-Event-ID": seen}) as again:
                await again.read()
            assert "stream.error" == again.last
        async with asked(there, headers={"Last-Event-ID": second.ids[-1]}) as over:
            assert 204 == over.response.status


async def test_who_has_seen_more_than_is_stored_gets_what_comes_behind_it(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        speaks.say(3)
        async with asked(here) as first:
            await first.read(WORDS[2])
            redis.freeze()
            speaks.say(5)
            await first.read(WORDS[7])
            first.response.close()
        redis.thaw()
        async with asked(there, headers={"Last-Event-ID": first.ids[-1]}) as again:
            speaks.say(40)
            await again.read()
        assert TEXT == first.text + again.text


async def test_what_has_ended_is_gone_on_with_elsewhere_behind_any_event(
    redis: RedisServer,
) -> None:
    async with two(Far(says("Hello")), redis) as (here, there):
        async with asked(here) as whole:
            await whole.read()
            where = whole.response.headers["Location"]
        await until(lambda: stands(there, where))
        for had, seen in enumerate(whole.ids[:-1], 1):
            async with asked(there, where, "GET", headers={"Last-Event-ID": seen}) as again:
                await again.read()
            assert whole.events[had:] == again.events


async def stands(run: Running, where: str) -> bool:
    """Whether all of a stream is in the store."""
    async with asked(run, f"{where}/status", "GET") as about:
        return "completed" == (await about.response.json()).get("status")


async def test_redis_stops_and_starts_empty_and_no_client_that_stays_loses_a_word(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        async with both(here, there, speaks) as (first, second, where):
            await redis.stop()
            speaks.say(20)
            await first.read(WORDS[22])
            await until(lambda: here.metric('mainstem_store_errors_total{operation="write"}'))
            async with asked(here, where, "GET") as local:  # this process still has it
                await local.read(WORDS[22])
            async with asked(there, "/v1/streams/" + "0" * 32, "GET") as refused:
                assert 503 == refused.response.status
            await redis.start()
            await second.read(WORDS[22])
            speaks.say(40)
            await asyncio.gather(first.read(), second.read())
        assert (TEXT, TEXT) == (first.text, second.text)
        assert first.ids == second.ids
        async with asked(there, where, "GET") as again:  # and what was said before is there again
            await again.read()
        assert first.events == again.events


async def test_a_redis_that_does_not_answer_holds_up_nothing(redis: RedisServer) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, _):
        redis.freeze()
        try:
            speaks.say(40)
            async with asyncio.timeout(3):
                async with asked(here) as whole:
                    await whole.read()
                async with asked(here, "/v1/streams") as started:
                    assert 201 == started.response.status
        finally:
            redis.thaw()
        assert TEXT == whole.text


async def test_a_stream_that_is_read_only_elsewhere_goes_on(redis: RedisServer) -> None:
    speaks = Speaks()
    rules = {"grace_s": 0.3}
    async with two(Far(speaks), redis, streams=rules) as (here, there):
        async with both(here, there, speaks) as (first, second, _):
            first.response.close()
            await asyncio.sleep(1)
            speaks.say(40)
            await second.read()
            assert TEXT == second.text


async def test_only_its_owner_finds_a_stream_elsewhere_and_no_key_stands_in_redis(
    redis: RedisServer,
) -> None:
    names = ("ann-from-sales", "bob-from-ops")
    keys = [
        {"name": name, "sha256": hashlib.sha256(name[::-1].encode()).hexdigest()} for name in names
    ]
    ann, bob = ({"Authorization": f"Bearer {name[::-1]}"} for name in names)
    speaks = Speaks()
    async with two(Far(speaks), redis, auth={"keys": keys}) as (here, there):
        speaks.say(3)
        async with asked(here, headers=ann) as first:
            await first.read(WORDS[2])
            first.response.close()
            where = first.response.headers["Location"]
        for path, method in ((where, "GET"), (where, "DELETE"), (f"{where}/status", "GET")):
            async with asked(there, path, method, headers=bob) as refused:
                assert 404 == refused.response.status
        async with asked(there, headers={**bob, "Last-Event-ID": first.ids[-1]}) as refused:
            assert 204 == refused.response.status
        speaks.say(40)
        async with asked(there, headers={**ann, "Last-Event-ID": first.ids[-1]}) as again:
            await again.read()
        async with asked(there, headers={**bob, "Last-Event-ID": first.ids[-1]}) as refused:
            assert 204 == refused.response.status  # though it is known there by now
        assert TEXT == first.text + again.text
        stored = await redis.everything()
    assert b"w39" in stored
    for name in names:
        assert name.encode() not in stored
        assert name[::-1].encode() not in stored
        assert hashlib.sha256(name[::-1].encode()).hexdigest().encode() not in stored


async def test_a_page_of_the_ai_sdk_goes_on_elsewhere_and_stops_there(redis: RedisServer) -> None:
    speaks = Speaks()
    models = {"*": [{"upstream": "far"}]}
    async with two(Far(speaks), redis, models=models) as (here, there):
        speaks.say(3)
        said = {"id": "u", "role": "user", "parts": [{"type": "text", "text": "hi"}]}
        body = {"id": "chat", "messages": [said]}
        async with here.session.post(f"{here.url}/v1/ai-sdk", json=body) as first:
            begun = await first.content.readuntil(b"w2 ")
            where = f"{there.url}/v1/ai-sdk/chat"
            async with there.session.get(f"{where}/stream") as along:
                replayed = await along.content.readuntil(b"w2 ")
                async with there.session.post(f"{where}/stop") as stopped:
                    assert 204 == stopped.status
                await along.read()
            async with asyncio.timeout(SOON_S):
                await speaks.gone.wait()
        assert begun.split(b"\n")[0] == replayed.split(b"\n")[0]  # with the same messageId
        async with there.session.get(f"{where}/stream") as over:
            assert 204 == over.status


async def test_the_retry_of_an_sdk_goes_on_with_what_another_process_generates(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    far = Far(speaks)
    async with two(far, redis) as (here, there):
        asking = asyncio.create_task(here.session.post(f"{here.url}/v1/stream", json=BODY))
        await until(lambda: far.asked)
        asking.cancel()
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.2)).add_done_callback(lambda _: speaks.say(40))
            async with asked(there, headers={"x-stainless-retry-count": "1"}) as again:
                assert "far" == again.response.headers["x-mainstem-upstream"]
                await again.read()
        assert TEXT == again.text
    assert 1 == len(far.asked)


async def test_an_idempotency_key_names_one_generation_of_all_processes(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    far = Far(speaks)
    named = {"Idempotency-Key": "once"}
    async with two(far, redis) as (here, there):
        speaks.say(3)
        async with asked(here, headers=named) as first, asked(there, headers=named) as second:
            speaks.say(40)
            await asyncio.gather(first.read(), second.read())
        assert (TEXT, first.events) == (first.text, second.events)
        async with asked(there, "/v1/stream?other=1", headers=named) as refused:
            assert 422 == refused.response.status
    assert 1 == len(far.asked)


async def test_of_a_long_stream_a_snapshot_is_read_elsewhere_and_then_the_rest(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    small = {"max_bytes_per_stream": 3000}
    async with two(Far(speaks), redis, rules=small) as (here, there):
        speaks.say(5)
        async with asked(here) as first:
            for _ in range(5):
                speaks.say(5)
                await asyncio.sleep(0.1)
            await first.read(WORDS[29])
            first.response.close()
        async with asked(there, headers={"Last-Event-ID": first.ids[4]}) as again:
            speaks.say(40)
            await again.read()
        assert 1 == await there.metric('mainstem_resumes_total{result="snapshot"}')
        assert (TEXT, "stream.end") == (again.text, again.last)


async def test_of_a_long_stream_redis_keeps_no_more_than_its_process(redis: RedisServer) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis, rules={"max_bytes_per_stream": 2400}) as (here, there):
        speaks.say(5)
        async with asked(here) as first:
            where = first.response.headers["Location"]
            stored = here.process._store._writer.streams[where[12:]]  # type: ignore[attr-defined]
            log = stored.run.log
            for word in WORDS[4::5]:
                await first.read(word)
                await until(lambda: stored.number == log.next)
                speaks.say(5)
            await first.read()
        await until(stored.whole)
        kept = await redis.entries(where[12:])
        assert log.first > 20
        assert [number > log.first for number, _ in kept] == [True] * len(kept)
        assert 2400 > sum(size for _, size in kept)
        async with asked(there, where, "GET") as late:
            await late.read()
        assert (TEXT, "stream.end") == (late.text, late.last)
        async with asked(there, headers={"Last-Event-ID": first.ids[-3]}) as rest:
            await rest.read()
        assert first.events[-2:] == rest.events


async def test_who_reads_elsewhere_misses_nothing_of_what_is_folded_meanwhile(
    redis: RedisServer,
) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis, rules={"max_bytes_per_stream": 2400}) as (here, there):
        async with both(here, there, speaks) as (first, second, where):
            tail = there.process._store._tail  # type: ignore[attr-defined]
            reads, told = tail._read, asyncio.Event()
            tail._read = told.wait
            await tail.tell(tail._process, Wish(), 1.0)  # so that it asks no more
            speaks.say(30)
            await first.read(WORDS[32])
            stored = here.process._store._writer.streams[where[12:]]  # type: ignore[attr-defined]
            await until(lambda: stored.folded > 10)
            tail._read = reads
            told.set()
            speaks.say(40)
            await asyncio.gather(first.read(), second.read())
        assert first.events == second.events
        assert first.ids == second.ids


async def test_what_redis_has_lost_is_written_again(redis: RedisServer) -> None:
    """It evicted the stream, or forgot everything."""
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        async with both(here, there, speaks) as (first, second, where):
            await redis.forget("*:stream:*")
            speaks.say(3)
            await asyncio.gather(first.read(WORDS[5]), second.read(WORDS[5]))
            speaks.say(40)
            await asyncio.gather(first.read(), second.read())
        assert (TEXT, TEXT) == (first.text, second.text)
        async with asked(there, where, "GET") as late:
            await late.read()
        assert first.events == late.events


async def test_everything_in_redis_expires(redis: RedisServer) -> None:
    async with two(Far(says("Hello")), redis, rules={"keep_s": 0.3}) as (here, there):
        async with asked(here) as whole:
            await whole.read()
            where = whole.response.headers["Location"]
        async with asked(there, where, "DELETE"):
            pass
        assert b"Hello" in await redis.everything()

        async def gone() -> bool:
            return b"stream:" not in await redis.everything()

        await until(gone)
        assert 0 == await redis.everlasting()
        async with asked(there, where, "GET") as again:
            assert 404 == again.response.status
    assert 0 == await redis.everlasting()


async def test_what_is_forgotten_is_free_at_once(redis: RedisServer) -> None:
    """It waits for no collection of garbage, which comes seldom: its events are most of it."""
    gc.collect()
    gc.disable()
    try:
        async with two(Far(says("Hello")), redis, rules={"keep_s": 0.3}) as (here, _):
            async with asked(here) as whole:
                await whole.read()
                where = whole.response.headers["Location"]
            writer = here.process._store._writer  # type: ignore[attr-defined]
            run = weakref.ref(writer.streams[where[12:]].run)
            await until(lambda: not writer.streams and not writer._marked)
            await until(lambda: run() is None)
    finally:
        gc.enable()


async def test_a_redis_is_reached_by_its_socket_too(redis: RedisServer) -> None:
    async with two(Far(says("Hello")), redis, rules={"store": redis.socket_url}) as (here, there):
        async with asked(here) as whole:
            await whole.read()
        async with asked(there, whole.response.headers["Location"], "GET") as again:
            await again.read()
        assert whole.events == again.events


async def test_the_end_of_the_drain_is_told_to_readers_elsewhere(redis: RedisServer) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        async with both(here, there, speaks) as (first, second, _):
            await here.process.gateway.drain(0.05)
            await asyncio.gather(first.read(), second.read())
        assert "shutdown" == second.events[-1]["error"]["kind"]
        assert first.events == second.events


async def test_a_process_that_lives_after_all_goes_on_for_its_own_readers(
    redis: RedisServer,
) -> None:
    """It could not say that it lives: elsewhere its stream has ended, and what it says is not heard."""
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        await asyncio.sleep(LEASE_S)
        speaks.say(3)
        async with asked(here) as first:
            await first.read(WORDS[2])
            where = first.response.headers["Location"]
            async with asked(there, where, "GET") as second:
                await second.read(WORDS[2])
                *_, pulse = here.process._store._tasks  # type: ignore[attr-defined]
                pulse.cancel()
                await second.read()
            speaks.say(40)
            await first.read()
        assert (TEXT, "stream.end") == (first.text, first.last)
        assert "upstream_truncated" == second.events[-1]["error"]["kind"]
        async with asked(there, where, "GET") as again:
            await again.read()
        assert second.events == again.events
        assert 0 == await here.metric('mainstem_store_errors_total{operation="write"}')


async def test_what_is_read_elsewhere_is_bounded_too(redis: RedisServer) -> None:
    speaks = Speaks()
    async with two(Far(speaks), redis) as (here, there):
        there.process._store._rules = lambda: Resume(max_bytes=4000)  # type: ignore[attr-defined]
        speaks.say(40)
        async with asked(here) as whole:
            await whole.read()
        where = whole.response.headers["Location"]
        speaks.say(1)
        async with asked(here) as going_on:
            await going_on.read(WORDS[0])
            other = going_on.response.headers["Location"]
            async with asked(there, other, "GET") as along:
                await along.read(WORDS[0])
                speaks.say(30)
                await along.read(WORDS[30])  # more than may be, by one that is read
                async with asked(there, where, "GET") as refused:
                    assert 503 == refused.response.status
                speaks.say(9)
                await asyncio.gather(along.read(), going_on.read())
        async with asked(there, where, "GET") as again:
            await again.read()
        assert whole.events == again.events
