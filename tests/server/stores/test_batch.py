"""Commands as Redis reads them, whatever stands in them."""

import pytest
from redis.asyncio import Redis

from proxy.server.stores.batch import Batch
from tests.needs import requires
from tests.redis_server import redis_server


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("PING",), b"*1\r\n$4\r\nPING\r\n"),
        (("SET", "k", b"\r\n$"), b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\r\n$\r\n"),
        (("PEXPIRE", "é", 12), b"*3\r\n$7\r\nPEXPIRE\r\n$2\r\n\xc3\xa9\r\n$2\r\n12\r\n"),
        (("SET", "k", b""), b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"),
    ],
)
def test_lengths_are_those_of_bytes(parts: tuple[bytes | str | int, ...], expected: bytes) -> None:
    batch = Batch()
    batch.execute_command(*parts)
    assert (expected, 1) == (bytes(batch), len(batch))


@requires("redis")
async def test_a_redis_takes_each_command() -> None:
    batch = Batch()
    batch.set("a", b"\r\nx", px=60_000)
    batch.set("b", "y", px=60_000)
    batch.pexpire("b", 90_000)
    for number in (1, 2):
        batch.execute_command("XADD", "log", f"{number}-0", "n", str(number))
    batch.xtrim("log", minid="2-0")
    batch.unlink("a", "nothing")
    async with redis_server() as server, Redis.from_url(server.url) as client:
        connection = await client.connection_pool.get_connection()
        await connection.send_packed_command(bytes(batch))
        answers = [await connection.read_response() for _ in range(len(batch))]
        await client.connection_pool.release(connection)
        assert [b"OK", b"OK", 1, b"1-0", b"2-0", 1, 1] == answers
        assert [None, b"y"] == [await client.get(key) for key in ("a", "b")]
        assert 60_000 < await client.pttl("b") <= 90_000
        assert [(b"2-0", {b"n": b"2"})] == await client.xrange("log")
