"""Connections between two requests: the one that was used last is used next, and none is kept that
is old or closed."""

import asyncio
from types import SimpleNamespace
from typing import Any

from yarl import URL

from proxy.upstream import pool as pool_module
from proxy.upstream.connector import Origin
from proxy.upstream.pool import Pool, Pooled

HERE = Origin(URL("http://127.0.0.1:9"))
THERE = Origin(URL("http://127.0.0.1:10"))


class Connection:
    """A connection to nobody."""

    def __init__(self, *, used_up: bool = False) -> None:
        self.connected, self.closed = True, False
        self.protocol = SimpleNamespace(is_connected=self.is_connected, should_close=used_up)

    def is_connected(self) -> bool:
        return self.connected

    def close(self) -> None:
        self.closed = True


def pooled(pool: Pool, connection: Any, origin: Origin = HERE) -> Pooled:
    one = Pooled(connection, origin.connection_key, pool)
    one.release()
    return one


async def test_the_connection_that_was_used_last_is_used_next() -> None:
    """Each by one request at a time, and only for its own address."""
    pool = Pool("any")
    first, second = pooled(pool, Connection()), pooled(pool, Connection())
    assert pool.kept(THERE) is None
    assert [second, first, None] == [pool.kept(HERE) for _ in range(3)]
    first.release()
    assert first is pool.kept(HERE)
    await pool.close()


async def test_what_cannot_take_another_request_is_closed() -> None:
    """At once where its protocol says so; a kept one that is closed or old, when it is asked for."""
    pool = Pool("any")
    used_up, gone, old = Connection(used_up=True), Connection(), Connection()
    pooled(pool, used_up)
    assert used_up.closed
    pooled(pool, gone)
    pooled(pool, old).idle_since -= pool_module._KEPT_S + 1
    gone.connected = False
    assert pool.kept(HERE) is None
    assert (True, True) == (gone.closed, old.closed)
    await pool.close()


async def test_an_old_connection_is_closed_though_nobody_asks_for_it(
    monkeypatch: Any,
) -> None:
    """As is one that its server closed; a young one is left, and closed in its turn."""
    monkeypatch.setattr(pool_module, "_KEPT_S", 0.02)
    pool = Pool("any")
    old, gone, young = Connection(), Connection(), Connection()
    pooled(pool, old).idle_since -= 1
    pooled(pool, gone, THERE)
    gone.connected = False
    pooled(pool, young, THERE).idle_since += 0.05
    async with asyncio.timeout(5):
        while not (old.closed and gone.closed):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        while not young.closed:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert pool.kept(THERE) is None
    await pool.close()
