"""Requests and tokens a minute and money a day, by the `limits` library: in this process's memory,
or in a Redis that all workers and replicas share.

When Redis is away, or answers too late, this process counts in its own memory until it is back. A
lost Redis then neither lets everyone in without limit nor stops the service: each process allows
what all together should, which is the lesser evil for a while. Requests are counted in a moving
window: never more in any sixty seconds. Tokens are known only when a stream has ended, so theirs is
a window that begins with the first ones spent: whatever a stream used is counted, also beyond the
limit, and nothing more is let in until the window is over. Money is counted likewise, in a window
of a day. Processes that share a Redis need clocks that agree to about a second.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import limits
import structlog
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from pydantic import SecretStr

from proxy.server.redis_address import moved_to, place_of
from proxy.server.redis_answers import ODD

_WAIT_S = 0.25  # for Redis, in all; a request must not feel that it is away
_LOOK_S = 2.0  # for it at the start, where nobody waits
_AGAIN_S = 3.0  # after which an absent Redis is tried once more, by one request
_CONNECTIONS = 16  # to Redis, of one process: each carries thousands of questions a second
_MOST_HOLDERS = 10_000  # that one process remembers: subjects of tokens are without end
_PREFIX = "{mainstem}"  # in braces: all in one node of a cluster
_STEP_S = 60.0  # the wall clock going back by more would be felt
_T = TypeVar("_T")


class _PerMinute(limits.RateLimitItemPerMinute):
    """A limit whose counter has the caller's name alone, so that the count stays when the limit
    changes.
    """

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return "/".join([self.namespace, *map(str, identifiers)])


class _PerDay(limits.RateLimitItemPerDay):
    """Likewise."""

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return "/".join([self.namespace, *map(str, identifiers)])


class Windows:
    """The windows of whoever is counted in one storage. Every question answers the seconds to
    wait, or None: go ahead.
    """

    def __init__(self, storage: Storage) -> None:
        self._requests = MovingWindowRateLimiter(storage)
        self._spent = FixedWindowRateLimiter(storage)

    async def request(self, counter_key: str, most: int) -> float | None:
        """Count one request more, if there is room for it."""
        item = _PerMinute(most, namespace="requests")
        if await self._requests.hit(item, counter_key):
            return None
        stats = await self._requests.get_window_stats(item, counter_key)
        return _wait(stats.reset_time, item)

    async def tokens(self, counter_key: str, most: int) -> float | None:
        """Whether any of the minute's tokens are left."""
        return await self._left(_PerMinute(most, namespace="tokens"), counter_key)

    async def spend(self, counter_key: str, most: int, tokens: int) -> None:
        """Count tokens, also beyond the limit."""
        await self._spent.hit(_PerMinute(most, namespace="tokens"), counter_key, cost=tokens)

    async def money(self, counter_key: str, most: float) -> float | None:
        """Whether any of the day's money is left."""
        return await self._left(_PerDay(_units(most), namespace="money"), counter_key)

    async def pay(self, counter_key: str, most: float, amount: float) -> None:
        """Count money, also beyond the limit."""
        item = _PerDay(_units(most), namespace="money")
        await self._spent.hit(item, counter_key, cost=_units(amount))

    async def _left(self, item: limits.RateLimitItem, counter_key: str) -> float | None:
        if await self._spent.test(item, counter_key):
            return None
        stats = await self._spent.get_window_stats(item, counter_key)
        return _wait(stats.reset_time, item)


class Rates:
    """Requests and tokens a minute, and money a day, of every caller. `store`: memory, or the
    address of a Redis.
    """

    def __init__(
        self,
        store: SecretStr | Literal["memory"] = "memory",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own: OrderedDict[str, Windows] = OrderedDict()
        self._redis = None if store == "memory" else _Redis(store)
        self._clock = clock
        self._looked = False
        self._away = False
        self._wall_ahead_s = -math.inf  # of the monotonic clock
        self._try_at = 0.0
        self._log = structlog.get_logger("mainstem")

    async def start(self) -> None:
        """See whether the Redis is there, the first time that this is called. Where it is not the
        log says so; it is no reason not to serve.
        """
        if self._redis is not None and not self._looked:
            self._looked = True
            await self._ask("", lambda windows: windows.tokens("", 1), _LOOK_S)

    async def request(self, counter_key: str, most: int) -> float | None:
        """Count one request, of at most so many a minute. Answers the seconds to wait when there is
        no room for it, else None.
        """
        return await self._ask(counter_key, lambda windows: windows.request(counter_key, most))

    async def tokens(self, counter_key: str, most: int) -> float | None:
        """The seconds to wait when the minute's tokens are used up, else None."""
        return await self._ask(counter_key, lambda windows: windows.tokens(counter_key, most))

    async def spend(self, counter_key: str, most: int, tokens: int) -> None:
        """Count tokens that were used."""
        await self._ask(counter_key, lambda windows: windows.spend(counter_key, most, tokens))

    async def money(self, counter_key: str, most: float) -> float | None:
        """The seconds to wait when the day's money is spent, else None."""
        return await self._ask(counter_key, lambda windows: windows.money(counter_key, most))

    async def pay(self, counter_key: str, most: float, amount: float) -> None:
        """Count money that was spent."""
        await self._ask(counter_key, lambda windows: windows.pay(counter_key, most, amount))

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.close()

    async def _ask(
        self,
        counter_key: str,
        question: Callable[[Windows], Awaitable[_T]],
        most_s: float | None = None,
    ) -> _T:
        redis = self._redis
        if redis is None or (self._away and self._clock() < self._try_at):
            return await question(self._windows(counter_key))
        # this one tries; until it knows, the others need not wait
        self._try_at = self._clock() + _AGAIN_S
        try:
            async with asyncio.timeout(_WAIT_S if most_s is None else most_s):
                answer = await redis.ask(question)
        except redis.errors as error:
            self._lost(redis, error)
            await redis.start_over()
            return await question(self._windows(counter_key))
        if self._away:
            self._away = False
            self._log.info("Redis is back: rates are shared again", redis=redis.place)
        return answer

    def _lost(self, redis: "_Redis", error: Exception) -> None:
        self._try_at = self._clock() + _AGAIN_S
        if not self._away:
            self._away = True
            # The kind of error alone: what a client library says may hold what it was given.
            said = (
                "the Redis of limits.store is away, slow or refuses: see that it runs and that its "
                "address and password are right; until it is back each process counts rates by "
                "itself"
            )
            self._log.warning(said, redis=redis.place, error=type(error).__name__)

    def _windows(self, counter_key: str) -> Windows:
        """A storage for each, as the library looks through all of a storage at every count. The one
        longest unused is forgotten.

        The library's windows follow the wall clock: what was counted before it was set back would
        stand in the future, and refuse its holder until then. So the counting begins anew.
        """
        ahead_s = time.time() - time.monotonic()
        if ahead_s < self._wall_ahead_s - _STEP_S:
            self._own.clear()
        self._wall_ahead_s = ahead_s
        found = self._own.get(counter_key)
        if found is None:
            found = self._own[counter_key] = Windows(MemoryStorage())
            if len(self._own) > _MOST_HOLDERS:
                self._own.popitem(last=False)
        self._own.move_to_end(counter_key)
        return found


class _Redis:
    """The shared storage. Connects with the first question."""

    def __init__(self, store: SecretStr) -> None:
        # An extra (`mainstem[redis]`), so it is imported only where it is configured; the settings'
        # check names it where it is missing.
        from redis.exceptions import MovedError, RedisError  # noqa: PLC0415

        # TimeoutError is an OSError
        self.errors: tuple[type[Exception], ...] = (RedisError, OSError, *ODD)
        self._moved = MovedError
        self._first_address = store
        self._connect(store)

    @property
    def place(self) -> str:
        """What a log may say of it."""
        return place_of(self._address)

    async def ask(self, question: Callable[[Windows], Awaitable[_T]]) -> _T:
        """Of a cluster, the node that has the counts. Raises `errors`."""
        address = self._address
        try:
            return await question(self.windows)
        except self._moved as moved:
            await self._lead_to(moved_to(address, moved.host, moved.port))
            return await question(self.windows)

    async def start_over(self) -> None:
        """The node may be gone: the first one says which has the counts now."""
        await self._lead_to(self._first_address)

    async def close(self) -> None:
        await self._pool.disconnect()

    async def _lead_to(self, address: SecretStr) -> None:
        if address != self._address:
            before = self._pool
            self._connect(address)
            await before.disconnect(inuse_connections=False)  # others get their answer

    def _connect(self, address: SecretStr) -> None:
        from redis.asyncio import BlockingConnectionPool  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        # No try after a failed one: the client's own would take seconds, and whoever asks has a
        # bound of its own.
        self._pool = BlockingConnectionPool.from_url(
            address.get_secret_value(),
            max_connections=_CONNECTIONS,
            timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        storage = RedisStorage(
            "redis://",
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type]
        )
        self._address = address
        self.windows = Windows(storage)


def _units(amount: float) -> int:
    """Money in whole billionths, which storages can add up; a token of a cheap model costs some."""
    return max(1, round(amount * 1e9))


def _wait(reset_time: float, item: limits.RateLimitItem) -> float:
    """Seconds until a time of the wall clock, which may have been set since. At least one:
    Retry-After has no fractions.
    """
    return min(max(1.0, reset_time - time.time()), item.get_expiry())
