"""Requests and tokens a minute: in memory, and in a real Redis that is shared, lost, slow and found
again."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from proxy.errors import Refused
from proxy.server.access import rates
from proxy.server.access.keys import Keyring, Ledger
from proxy.server.access.rates import Rates
from proxy.settings.auth import Auth
from tests.needs import requires
from tests.redis_server import ODD_ANSWERS, PASSWORD, RedisServer, no_redis, redis_server
from tests.server.access.test_keys import sha256

KEYS = Auth.model_validate(
    {
        "keys": [
            {
                "name": "first",
                "sha256": sha256("first"),
                "requests_per_minute": 3,
                "tokens_per_minute": 100,
            }
        ]
    }
)


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with redis_server() as server:
        yield server


AWAY = (
    "the Redis of limits.store is away, slow or refuses: see that it runs and that its address and "
    "password are right; until it is back each process counts rates by itself"
)


class Clock:
    """When an absent Redis is tried again is up to the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def later(self) -> None:
        self.now += 3.1


async def counted(rate: Rates, times: int, who: str = "a", most: int = 3) -> list[bool]:
    """Whether each of so many requests may go ahead."""
    return [await rate.request(who, most) is None for _ in range(times)]


def said(log: Sequence[Any]) -> list[str]:
    return [line["event"] for line in log]


async def test_those_who_are_counted_do_not_count_for_one_another() -> None:
    rate = Rates()
    assert [True, True, True, False] == await counted(rate, 4)
    assert [True, True, True, False] == await counted(rate, 4, "b")


async def test_what_is_remembered_is_bounded_and_the_longest_unused_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "_MOST_HOLDERS", 3)
    rate = Rates()
    for who in ("a", "b", "c"):
        assert [True, False] == await counted(rate, 2, who, 1)
    assert [False] == await counted(rate, 1, "a", 1)  # so that b is the longest unused
    assert [True] == await counted(rate, 1, "d", 1)
    assert 3 == len(rate._own)
    assert [False, False, True] == [(await counted(rate, 1, who, 1))[0] for who in ("a", "c", "b")]


@pytest.mark.parametrize("step_s", [-86_400.0, 86_400.0])
async def test_a_wall_clock_that_is_set_locks_nobody_out(
    step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting begins anew, and nobody is told to come back tomorrow."""
    rate = Rates()
    assert [True, True, True, False] == await counted(rate, 4)
    await rate.spend("a", 100, 100)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + step_s)
    assert [True, True, True, False] == await counted(rate, 4)
    wait_s = await rate.request("a", 3)
    assert wait_s is not None
    assert 1 <= wait_s <= 60
    assert await rate.tokens("a", 100) is None


async def test_a_thousand_at_once_are_counted_once_each() -> None:
    rate = Rates()
    waits = await asyncio.gather(*(rate.request("a", 700) for _ in range(1000)))
    assert 700 == waits.count(None)


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a Redis that is there, on a machine that is busy."""
    monkeypatch.setattr(rates, "_WAIT_S", 30.0)


@requires("redis")
@pytest.mark.usefixtures("_patient")
async def test_two_processes_share_a_keys_counts(redis: RedisServer) -> None:
    """Each ledger is a process's."""
    ledgers = [Ledger(), Ledger()]
    one, two = (Keyring(KEYS, SecretStr(redis.url), ledger) for ledger in ledgers)
    for ring in (one, two, one):
        key = await ring.admit("first")
    with pytest.raises(Refused) as caught:
        await two.admit("first")
    why = caught.value.failure
    assert ("rate_limited", "3 requests" in why.message) == (why.kind, True)
    assert isinstance(why.retry_after_s, float)
    assert 1 <= why.retry_after_s <= 61
    await one.spend(key, 1000, 0)
    with pytest.raises(Refused) as caught:
        await two.admit("first")
    assert "100 tokens" in caught.value.failure.message
    for ledger in ledgers:
        await ledger.close()


async def test_money_lasts_for_a_day_and_may_be_overdrawn_once() -> None:
    """Billionths count; the day begins with the first of them."""
    rate = Rates()
    assert await rate.money("a", 0.5) is None
    await rate.pay("a", 0.5, 0.499_999_999)
    assert await rate.money("a", 0.5) is None
    await rate.pay("a", 0.5, 0.000_000_001)
    wait_s = await rate.money("a", 0.5)
    assert wait_s is not None
    assert 86_390 < wait_s <= 86_400
    assert await rate.money("a", 1.0) is None  # a reload raised it
    assert await rate.money("b", 0.5) is None


@requires("redis")
@pytest.mark.usefixtures("_patient")
async def test_two_processes_share_a_keys_money(redis: RedisServer) -> None:
    one, two = Rates(SecretStr(redis.url)), Rates(SecretStr(redis.url))
    await one.pay("a", 2.5, 1.25)
    assert await two.money("a", 2.5) is None
    await two.pay("a", 2.5, 1_000_000.0)
    assert [True, True] == [await rate.money("a", 2.5) is not None for rate in (one, two)]
    await one.close()
    await two.close()


@requires("redis")
@pytest.mark.usefixtures("_patient")
async def test_many_requests_at_once_share_few_connections(redis: RedisServer) -> None:
    one, two = Rates(SecretStr(redis.url)), Rates(SecretStr(redis.url))
    with structlog.testing.capture_logs() as log:
        waits = [
            wait
            for _ in range(10)
            for wait in await asyncio.gather(
                *(rate.request("a", 150) for rate in (one, two) for _ in range(10))
            )
        ]
    assert [] == log
    assert 150 == waits.count(None)
    await one.close()
    await two.close()


@requires("redis")
async def test_a_lost_redis_neither_stops_nor_opens_the_service_and_is_taken_up_again(
    redis: RedisServer,
) -> None:
    clock = Clock()
    rate = Rates(SecretStr(redis.url), clock)
    with structlog.testing.capture_logs() as log:
        assert [True, True] == await counted(rate, 2)
        await redis.stop()
        assert [True, True, True, False] == await counted(rate, 4)
        await rate.spend("a", 10, 10)
        assert await rate.tokens("a", 10) is not None
        clock.later()
        assert [False] == await counted(rate, 1)  # still away, and still counted
        assert [AWAY] == said(log)
        await redis.start()
        assert [False] == await counted(rate, 1)  # not tried yet
        clock.later()
        assert [True, True, True, False] == await counted(rate, 4)
        assert 2 == len(log)
    assert "Redis is back: rates are shared again" == log[1]["event"]
    assert {redis.place} == {line["redis"] for line in log}
    assert PASSWORD not in str(log)
    await rate.close()


@requires("redis")
async def test_an_absent_redis_is_said_once_at_the_start_and_when_it_is_back(
    redis: RedisServer,
) -> None:
    clock, ledger = Clock(), Ledger()
    await redis.stop()
    rate = Rates(SecretStr(redis.url), clock)
    ledger._rates[redis.url] = rate
    with structlog.testing.capture_logs() as log:
        for _ in range(2):  # as a reload does
            await Keyring(KEYS, SecretStr(redis.url), ledger).start()
        assert [(AWAY, redis.place)] == [(line["event"], line["redis"]) for line in log]
        assert [True, True, True, False] == await counted(rate, 4)
        await redis.start()
        clock.later()
        assert [True] == await counted(rate, 1)
    assert [AWAY, "Redis is back: rates are shared again"] == said(log)
    await ledger.close()


@requires("redis")
async def test_a_redis_that_is_there_is_nothing_to_speak_of_at_the_start(
    redis: RedisServer,
) -> None:
    ledger = Ledger()
    with structlog.testing.capture_logs() as log:
        await Keyring(KEYS, SecretStr(redis.url), ledger).start()
    assert [] == log
    await ledger.close()


@requires("redis")
async def test_a_connection_that_redis_closed_is_replaced_unnoticed(redis: RedisServer) -> None:
    """A restart between two requests loses the counts, and nothing else."""
    rate = Rates(SecretStr(redis.url))
    with structlog.testing.capture_logs() as log:
        await counted(rate, 1)
        await redis.stop()
        await redis.start()
        assert [True, True, True, False] == await counted(rate, 4)
    assert [] == log
    await rate.close()


@requires("redis")
async def test_a_redis_that_does_not_answer_is_waited_for_only_briefly(redis: RedisServer) -> None:
    clock = Clock()
    rate = Rates(SecretStr(redis.url), clock)
    await counted(rate, 1)
    redis.freeze()
    with structlog.testing.capture_logs() as log:
        async with asyncio.timeout(10):
            assert [True, True, True, False] == await counted(rate, 4)
        assert ["TimeoutError"] == [line["error"] for line in log]
        redis.thaw()
        clock.later()
        assert [True] == await counted(rate, 1)
    assert 2 == len(log)
    await rate.close()


@requires("redis")
async def test_while_one_request_tries_the_others_do_not_wait(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_WAIT_S", 5.0)
    clock = Clock()
    rate = Rates(SecretStr(redis.url), clock)
    await redis.stop()
    await counted(rate, 1)
    await redis.start()
    redis.freeze()
    clock.later()
    trying = asyncio.create_task(rate.request("b", 3))
    await asyncio.sleep(0)
    async with asyncio.timeout(4):
        assert [True, True, False] == await counted(rate, 3)
    assert not trying.done()
    redis.thaw()
    assert await trying is None
    await rate.close()


@requires("redis")
async def test_a_wrong_password_is_an_absent_redis_and_is_not_said(redis: RedisServer) -> None:
    rate = Rates(SecretStr(redis.url.replace(PASSWORD, "wr0ng-secret")))
    with structlog.testing.capture_logs() as log:
        assert [True, True, True, False] == await counted(rate, 4)
    assert ["AuthenticationError"] == [line["error"] for line in log]
    assert "wr0ng-secret" not in str(log)
    await rate.close()


def test_the_address_is_not_in_what_is_printed() -> None:
    rate = Rates(SecretStr("redis://user:hidden-one@redis.example:6380/2"))
    assert rate._redis is not None
    assert "redis.example:6380" == rate._redis.place
    assert "hidden-one" not in repr(vars(rate)) + repr(vars(rate._redis.windows))


@requires("redis")
async def test_requests_that_are_given_up_leave_no_connection_in_use(redis: RedisServer) -> None:
    """A client that leaves while its rate is asked for; more of them than there are connections."""
    rate = Rates(SecretStr(redis.url))
    await counted(rate, 1)
    redis.freeze()
    waiting = [asyncio.create_task(rate.request("a", 1000)) for _ in range(40)]
    await asyncio.sleep(0.02)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    redis.thaw()
    with structlog.testing.capture_logs() as log:
        assert [None] * 40 == await asyncio.gather(*(rate.request("b", 1000) for _ in range(40)))
    assert [] == log
    await rate.close()


@pytest.mark.parametrize("answer", ODD_ANSWERS)
async def test_what_is_no_redis_or_holds_no_count_stops_no_service(answer: bytes) -> None:
    clock = Clock()
    async with no_redis(answer) as url:
        rate = Rates(SecretStr(url), clock)
        await rate.start()
        for question in (rate.tokens("a", 5), rate.spend("a", 5, 1), rate.money("a", 1)):
            clock.now += 60  # and it is asked again
            assert await question is None
        await rate.close()
