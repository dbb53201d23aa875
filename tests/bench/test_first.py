"""A stream that is kept has its first content no later than one that is not."""

import asyncio
import functools

from tests.bench.bounds import FIRST
from tests.bench.first import First, first
from tests.needs import requires
from tests.redis_server import redis_server

_plain = functools.cache(first)


def _compare(kept: First) -> None:
    for mine, others, most in zip(kept, _plain(), FIRST, strict=True):
        assert mine.turns <= others.turns
        assert mine.opcodes <= others.opcodes + most


def test_kept_in_memory_it_takes_no_turn_more_and_hardly_an_opcode() -> None:
    """Before its upstream is asked, and before its first frame goes out."""
    _compare(first(streams={"resume": {}}))


@requires("redis")
async def test_a_redis_takes_no_part_in_it() -> None:
    """What is sent there is sent behind the first content."""
    async with redis_server() as server:
        kept = await asyncio.to_thread(first, streams={"resume": {"store": server.url}})
        await asyncio.to_thread(_compare, kept)
