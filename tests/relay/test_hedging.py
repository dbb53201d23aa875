"""A second target is asked when the first is slow: the first content wins, and the others are hung
up on."""

import asyncio
from typing import Any

from tests.raw_upstream import Peer
from tests.relay.far import Far, ask, empty, hangs_up, proxied, says, silent, status, until
from tests.running import Running

HEDGED = {"targets": ["slow", "spare"], "hedge_after_s": 0.05}


async def says_late(peer: Peer) -> None:
    await asyncio.sleep(0.2)
    await says("late")(peer)


async def gone(*fars: Far) -> None:
    """Returns when the proxy has hung up on each; the test's own time-out is the judge of whether
    it does."""
    await until(lambda: all(far.left for far in fars))


async def counted(run: Running, upstream: str, result: str) -> float:
    return await run.metric(f'mainstem_hedges_total{{result="{result}",upstream="{upstream}"}}')


async def test_the_second_answers_when_the_first_is_silent_and_the_first_is_hung_up_on() -> None:
    slow, spare = Far(silent), Far(says("spare"))
    async with proxied(HEDGED, {"slow": slow, "spare": spare}) as run:
        heard = await ask(run)
        await gone(slow)
        assert ("spare", "spare") == (heard.text, heard.events[0]["upstream"])
        assert (1, 0) == (
            await counted(run, "spare", "won"),
            await run.metric('mainstem_streams_open{upstream="slow"}'),
        )
        assert 1 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="m",outcome="completed",upstream="spare"}'
        )


async def test_a_first_that_is_quick_is_the_only_one_asked() -> None:
    quick, spare = Far(says("quick")), Far(says("spare"))
    async with proxied(
        {"targets": ["quick", "spare"], "hedge_after_s": 5}, {"quick": quick, "spare": spare}
    ) as run:
        assert "quick" == (await ask(run)).text
    assert [] == spare.asked


async def test_an_error_does_not_win_over_one_that_is_slow() -> None:
    """Not even when no other target is left."""
    for deed in (status(500), hangs_up):
        slow, spare = Far(says_late), Far(deed)
        async with proxied(HEDGED, {"slow": slow, "spare": spare}) as run:
            assert "late" == (await ask(run)).text
            assert 1 == await counted(run, "spare", "lost")


async def test_an_empty_answer_does_not_win_over_one_that_is_slow() -> None:
    slow, spare = Far(says_late), Far(empty)
    async with proxied(HEDGED, {"slow": slow, "spare": spare}) as run:
        assert "late" == (await ask(run)).text
        assert 0 == await run.metric('mainstem_streams_open{upstream="spare"}')


async def test_an_empty_answer_is_given_where_nobody_has_more() -> None:
    first, spare = Far(empty), Far(status(500))
    async with proxied(
        {**HEDGED, "targets": ["first", "spare"]}, {"first": first, "spare": spare}
    ) as run:
        heard = await ask(run)
    assert (["stream.start", "stream.end"], None) == ([heard.types[0], heard.types[-1]], heard.kind)


async def test_a_first_that_fails_is_followed_at_once() -> None:
    first, spare = Far(status(503)), Far(says("spare"))
    async with proxied(
        {"targets": ["first", "spare"], "hedge_after_s": 600}, {"first": first, "spare": spare}
    ) as run:
        assert "spare" == (await ask(run)).text
        assert 1 == await run.metric(
            'mainstem_fallbacks_total{from_upstream="first",kind="overloaded",to_upstream="spare"}'
        )


async def test_all_that_fail_are_one_failure() -> None:
    async with proxied(HEDGED, {"slow": Far(status(500)), "spare": Far(status(429))}) as run:
        heard = await ask(run)
        assert ("rate_limited", 429) == (heard.kind, heard.status)
        assert 1 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="m",outcome="rate_limited",upstream="spare"}'
        )


async def test_a_request_that_is_wrong_is_not_sent_to_the_next() -> None:
    spare = Far(says("spare"))
    async with proxied(HEDGED, {"slow": Far(status(400)), "spare": spare}) as run:
        assert "bad_request" == (await ask(run)).kind
    assert [] == spare.asked


async def test_a_client_that_leaves_takes_all_of_them_along() -> None:
    slow, spare = Far(silent), Far(silent)
    async with proxied(HEDGED, {"slow": slow, "spare": spare}) as run:
        asking = asyncio.create_task(ask(run))
        await until(lambda: spare.asked)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await gone(slow, spare)


async def test_hedges_are_no_more_than_the_budget() -> None:
    """A share of nothing: the second target is only asked when the first has failed."""
    spare = Far(says("spare"))
    retry: dict[str, Any] = {"budget": 0}
    async with proxied(HEDGED, {"slow": Far(says_late), "spare": spare}, retry=retry) as run:
        assert "late" == (await ask(run)).text
    assert [] == spare.asked
