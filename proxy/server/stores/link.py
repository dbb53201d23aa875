"""The way to a Redis or Valkey. Every question is bounded in time, and that it is away is said once
and counted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from proxy.observe.metrics import Metrics, Operation
from proxy.server.redis_address import moved_to, place_of
from proxy.server.redis_answers import ODD
from proxy.server.stores.batch import Batch

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.connection import AbstractConnection

_CONNECT_S = 2.0
_ADVISE_S = 1.0
_QUIET_S = 10.0  # after it came back, in which it is not said again that it is away
_MOST_NODES = 3  # of a cluster that are asked which of them has our keys
_CONNECTIONS = 16  # of one process: one is blocked in a read, one writes, the others ask


class Away(Exception):  # noqa: N818  a state, as `Refused` is
    """Redis cannot be reached, is too slow or refuses. What it said may hold secrets: see the
    log for the kind of the error.
    """


class MisplacedError(ValueError):
    """Another kind of value stands where one of ours should, such as a list for a text."""


def is_misplaced(answer: object) -> bool:
    """Whether Redis answers so: that costs what stands there, and does not mean that it is away."""
    return isinstance(answer, Exception) and "WRONGTYPE" in str(answer)


class Link:
    """One process's connections. `since` is when it was last found again, on the monotonic clock;
    None: it is away, since `away_since`. `lost` is called when it is not found any more; whoever
    is called so must look for it and say `found`.
    """

    def __init__(self, store: SecretStr, metrics: Metrics) -> None:
        # An extra (`mainstem[redis]`), so it is imported only where it is configured; the settings'
        # check names it where it is missing.
        from redis.exceptions import MovedError, RedisError, ResponseError  # noqa: PLC0415

        self._address = self._first_address = store
        self.redis = _client(store)
        self.since: float | None = None
        self.lost: Callable[[], None] = _nobody
        self.away_since = monotonic()
        self._begun = False
        self._told = False  # that it is away
        self._quiet_until = 0.0
        self._moved = MovedError
        self._refusals: tuple[type[Exception], ...] = (ResponseError,)
        self._errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError, *ODD)
        self._metrics = metrics
        self._log = structlog.get_logger("mainstem")

    @property
    def _place(self) -> str:
        return place_of(self._address)

    async def reach(self, key: str, seconds: float) -> None:
        """Find out whether it answers; of a cluster, which node has this key. Raises Away."""
        try:
            async with self.within("write", seconds):
                for _ in range(_MOST_NODES):
                    try:
                        await self.redis.exists(key)
                        break
                    except self._moved as moved:
                        await self._lead_to(moved_to(self._address, moved.host, moved.port))
        except Away:  # the node may be gone: the next time the first one says who has its keys
            await self._lead_to(self._first_address)
            raise

    async def _lead_to(self, address: SecretStr) -> None:
        if address != self._address:
            before, self._address, self.redis = self.redis, address, _client(address)
            with suppress(*self._errors):
                await before.aclose()

    async def send(self, batch: Batch) -> list[object]:
        """The answers to these commands; errors are among them. Raises what the library does where
        there is none.
        """
        pool = self.redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            # both leave no half of a question or an answer: what fails is disconnected
            await connection.send_packed_command(bytes(batch))
            return [await self._answer(connection) for _ in range(len(batch))]
        finally:
            await pool.release(connection)

    async def _answer(self, connection: "AbstractConnection") -> object:
        try:
            return await connection.read_response()
        except self._refusals as error:
            return error

    async def close(self) -> None:
        """Nothing more is asked."""
        await self.redis.aclose()

    def found(self) -> None:
        """It answers, and knows what it must know of this process."""
        if self._told:
            self._log.info("the Redis of streams.resume.store is back", redis=self._place)
            self._told, self._quiet_until = False, monotonic() + _QUIET_S
        self.since, self._begun = monotonic(), True

    @asynccontextmanager
    async def within(self, operation: Operation, seconds: float) -> AsyncIterator[None]:
        """A bound for what is asked in the block. Raises Away, which is counted and logged, and
        MisplacedError.
        """
        began = monotonic()
        try:
            async with asyncio.timeout(seconds):
                yield
        except self._errors as error:
            if is_misplaced(error):
                raise MisplacedError from None
            self._metrics.store_failed(operation)
            if self.since is not None or not self._begun:
                self.since, self._begun, self.away_since = None, True, monotonic()
                self.lost()
            self._tell(error)
            raise Away from None
        else:
            self._metrics.stored(operation, monotonic() - began)

    def _tell(self, error: Exception) -> None:
        """Once, and of one that comes and goes not each time. The kind of error alone: what a
        client library says may hold what it was given.
        """
        if self._told or monotonic() < self._quiet_until:
            return
        self._told = True
        said = (
            "the Redis of streams.resume.store is away, slow, full or may not be written to: see "
            "that it runs and that its address and password are right; until it is back, streams "
            "go on, and only the process that generates one can resume it"
        )
        self._log.warning(said, redis=self._place, error=type(error).__name__)

    async def advise(self) -> None:
        """Say so where it drops streams when it is full."""
        with suppress(*self._errors):
            async with asyncio.timeout(_ADVISE_S):
                policy = (await self.redis.info("memory")).get("maxmemory_policy", "noeviction")
            if policy != "noeviction":
                said = (
                    "the Redis of streams.resume.store drops streams when it is full: set its "
                    "maxmemory-policy to noeviction"
                )
                self._log.warning(said, redis=self._place, policy=policy)


def _client(address: SecretStr) -> "Redis":
    from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415  see `Link`
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    # No socket_timeout: releases of the client set one by default that ends a blocked read
    # without a word. Each call has a bound of its own, and none is tried again by itself.
    pool = BlockingConnectionPool.from_url(
        address.get_secret_value(),
        max_connections=_CONNECTIONS,
        timeout=None,
        socket_timeout=None,
        socket_connect_timeout=_CONNECT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


def _nobody() -> None:
    """Nobody is told."""
