"""What others write into the Redis of kept streams costs the stream that it names, and no other
one."""

import asyncio
import contextlib

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis.asyncio import Redis

from proxy.errors import Refused
from proxy.observe.metrics import Metrics
from proxy.server.stores import layout
from proxy.server.stores.link import Away
from proxy.server.stores.shared import Shared
from proxy.settings.resume import Resume
from tests.needs import requires
from tests.raw_upstream import Peer
from tests.redis_server import ODD_ANSWERS, no_redis, redis_server
from tests.relay.far import Far, until
from tests.server.speaking import TEXT, WORDS, Speaks, asked
from tests.server.stores.test_shared import two

pytestmark = requires("redis")
DEEP = b"[" * 100_000 + b"]" * 100_000
START = '{"type":"stream.start","stream":"s","model":"m","upstream":"u","upstream_model":"m","created":1}'
NEXT = "next"
# Fields of an entry of a stream's log; NEXT stands for the number that comes next.
ENTRIES: list[dict[str, str | bytes]] = [
    {"x": "y"},
    {"n": NEXT, "e": b"\xff\x00"},
    {"n": NEXT, "e": b'[{"type":"stream.end","x":%b}]' % DEEP},
    {"n": NEXT, "e": "[]"},
    {"n": NEXT, "e": '[{"type":"evil"}]'},
    {"n": NEXT, "e": '[{"type":"text.delta","block":99,"text":"x"}]'},
    {"n": NEXT, "e": '[{"type":"text.rewrite","block":0,"keep":9999999,"text":"x"}]'},
    {"n": NEXT, "e": f"[{START}]"},
    {"n": "-5", "e": '[{"type":"text.delta","block":0,"text":"x"}]'},
    {"n": "9" * 5000, "e": '[{"type":"text.delta","block":0,"text":"x"}]'},
]


class Says(Speaks):
    """Does not look whether the proxy leaves: its connection may be used again."""

    async def _watch(self, peer: Peer) -> None:
        """Nobody is waited for."""


async def spoil(evil: "Redis[bytes]", where: str, entry: dict[str, str | bytes]) -> None:
    """Write it behind all that the stream at this path has in Redis."""
    log = layout.keys_of(where.rpartition("/")[2]).log
    last = int((await evil.xrevrange(log, count=1))[0][0].partition(b"-")[0])
    fields = {name: str(last) if said == NEXT else said for name, said in entry.items()}
    await evil.xadd(log, fields, id=f"{last + 1}-0")  # type: ignore[arg-type]  # it is invariant


async def test_an_entry_that_another_wrote_costs_its_stream_alone() -> None:
    """Whoever reads another stream in the same process gets all of it, and each reader an end."""
    good, spoiled = Says(), [Says() for _ in ENTRIES]
    for speaks in (good, *spoiled):
        speaks.say(3)
    async with (
        redis_server() as redis,
        two(Far(good, *spoiled), redis) as (here, there),
        Redis.from_url(redis.url) as evil,
        asked(here) as first,
    ):
        await first.read(WORDS[2])
        async with asked(there, first.response.headers["Location"], "GET") as followed:
            await followed.read(WORDS[2])
            for entry, speaks in zip(ENTRIES, spoiled, strict=True):
                async with asked(here) as one:
                    await one.read(WORDS[2])
                    where = one.response.headers["Location"]
                    async with asked(there, where, "GET") as other:
                        await other.read(WORDS[2])
                        await spoil(evil, where, entry)
                        speaks.say(40)
                        async with asyncio.timeout(10):
                            await other.read()
                    assert other.last in ("stream.end", "stream.error"), entry
            good.say(40)
            async with asyncio.timeout(10):
                await followed.read()
    assert TEXT == followed.text


async def test_what_stands_where_a_name_should_be_is_no_stream() -> None:
    """Nor a failure: a new one is begun."""
    async with (
        redis_server() as redis,
        two(Far(Speaks()), redis) as (here, _),
        Redis.from_url(redis.url) as evil,
    ):
        await evil.set(layout.chat("ai_sdk", "", "c1"), b"\xff" * 32)
        await evil.set(layout.chat("ai_sdk", "", "c2"), "../" * 10)
        await evil.sadd(layout.chat("ai_sdk", "", "c3"), "x")
        for chat in ("c1", "c2", "c3"):
            async with asked(here, f"/v1/ai-sdk/{chat}/stream", "GET") as missing:
                assert 204 == missing.response.status


async def test_another_kind_of_value_in_a_keys_place_costs_its_stream_alone() -> None:
    """Redis refuses what is asked of it, in the midst of what is asked of all others."""
    good, spoiled = Says(), Says()
    for speaks in (good, spoiled):
        speaks.say(3)
    async with (
        redis_server() as redis,
        two(Far(good, spoiled), redis) as (here, there),
        Redis.from_url(redis.url) as evil,
        asked(here) as first,
    ):
        await first.read(WORDS[2])
        store, reads = here.process._store, there.process._store
        assert isinstance(store, Shared)
        assert isinstance(reads, Shared)
        async with asked(there, first.response.headers["Location"], "GET") as followed:
            await followed.read(WORDS[2])
            async with asked(here) as one:
                await one.read(WORDS[2])
                where = one.response.headers["Location"]
                async with asked(there, where, "GET") as other:
                    await other.read(WORDS[2])
                    inboxes = map(layout.inbox, (reads._process, "nobody"))
                    for key in (*layout.keys_of(where.rpartition("/")[2]), *inboxes):
                        await evil.delete(key)
                        await evil.sadd(key, "x")
                    with pytest.raises(Away):
                        await reads._tail.tell("nobody", layout.Wish(), 5)
                    store._link.since = None  # and it looks for Redis again
                    store._link.lost()
                    await until(lambda: store._link.since is not None)
                    spoiled.say(40)
                    async with asyncio.timeout(10):
                        await other.read()
                        await one.read()
                assert ("stream.error", "stream.end") == (other.last, one.last)
            good.say(40)
            async with asyncio.timeout(10):
                await followed.read()
                await first.read()
    assert (TEXT, TEXT) == (followed.text, first.text)


@pytest.mark.parametrize("answer", ODD_ANSWERS)
async def test_what_is_no_redis_is_away(answer: bytes) -> None:
    """A proxy starts, finds no stream there, and looks for it again."""
    metrics = Metrics(CollectorRegistry())
    async with no_redis(answer) as url:
        rules = Resume(store=SecretStr(url))
        store = Shared(SecretStr(url), lambda: rules, metrics)
        await store.start()
        with contextlib.suppress(Refused):
            assert await store.find("a" * 32, "") is None
        assert await store.asked(b"x") in (None, "hello")
        assert not any(task.done() for task in store._tasks)
        await store.close()
