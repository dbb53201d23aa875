"""Which targets are asked, in which order and how often."""

import asyncio
from collections import Counter

import pytest

from proxy.relay.attempts import _in_order
from proxy.routing import Target
from tests.relay.far import (
    Far,
    ask,
    breaks_off_after,
    hangs_up,
    proxied,
    says,
    silent,
    status,
    until,
)

RETRY = {"retries": 2, "backoff_s": 0.01, "max_backoff_s": 1}


async def test_nothing_is_sent_twice_unless_retries_are_configured() -> None:
    far = Far(status(503))
    async with proxied(["far"], {"far": far}) as run:
        assert "overloaded" == (await ask(run)).kind
    assert 1 == len(far.asked)


async def test_a_retry_goes_through_all_targets_again() -> None:
    first, second = Far(status(500), hangs_up), Far(status(503), says("at last"))
    async with proxied(["first", "second"], {"first": first, "second": second}, retry=RETRY) as run:
        assert "at last" == (await ask(run)).text
        assert 1 == await run.metric('mainstem_retries_total{kind="overloaded",upstream="second"}')
    assert (2, 2) == (len(first.asked), len(second.asked))


async def test_there_are_no_more_retries_than_configured() -> None:
    far = Far(status(500))
    async with proxied(["far"], {"far": far}, retry=RETRY) as run:
        assert 502 == (await ask(run)).status
    assert 3 == len(far.asked)


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        (status(400), "bad_request"),
        (status(401), "upstream_status"),
        (silent, "first_event_timeout"),
    ],
)
async def test_what_another_try_cannot_mend_is_not_tried_again(deed, kind: str) -> None:  # type: ignore[no-untyped-def]
    far = Far(deed)
    async with proxied(["far"], {"far": far}, retry=RETRY, timeouts={"first_event_s": 0.2}) as run:
        assert kind == (await ask(run)).kind
    assert 1 == len(far.asked)


async def test_after_commit_nothing_is_tried_again() -> None:
    far, spare = Far(breaks_off_after("Hel")), Far(says("no"))
    async with proxied(["far", "spare"], {"far": far, "spare": spare}, retry=RETRY) as run:
        heard = await ask(run)
    assert ("Hel", "upstream_truncated") == (heard.text, heard.kind)
    assert (1, 0) == (len(far.asked), len(spare.asked))


async def test_retry_after_is_waited_for_when_it_is_short() -> None:
    far = Far(status(429, "Retry-After: 1"), says("now"))
    loop = asyncio.get_running_loop()
    async with proxied(["far"], {"far": far}, retry=RETRY) as run:
        began = loop.time()
        assert "now" == (await ask(run)).text
        assert loop.time() - began >= 1


async def test_retry_after_is_passed_on_when_it_is_long() -> None:
    far = Far(status(429, "Retry-After: 9"), says("too early"))
    async with proxied(["far"], {"far": far}, retry=RETRY) as run:
        heard = await ask(run)
    assert (429, "9", 1) == (heard.status, heard.headers["Retry-After"], len(far.asked))


async def test_a_failing_upstream_gets_no_more_retries_than_its_budget() -> None:
    """Three at once, and a tenth of the requests after that: not as many again."""
    far = Far(status(500))
    breaker = {"failures": 0}
    async with proxied(
        ["far"], {"far": far}, retry={**RETRY, "budget": 0.1}, breaker=breaker
    ) as run:
        for _ in range(20):
            await ask(run)
    assert 20 + 3 <= len(far.asked) <= 20 + 3 + 3


async def test_no_retry_outlasts_the_whole_answer_s_time() -> None:
    far = Far(status(429, "Retry-After: 5"), says("too late"))
    async with proxied(
        ["far"], {"far": far}, retry={"retries": 1, "max_backoff_s": 60}, timeouts={"total_s": 4}
    ) as run:
        assert 429 == (await ask(run)).status


async def test_a_client_that_leaves_during_a_backoff_is_not_asked_for_again() -> None:
    far = Far(status(429, "Retry-After: 1"), says("to nobody"))
    async with proxied(["far"], {"far": far}, retry=RETRY) as run:
        asking = asyncio.create_task(ask(run))
        await until(lambda: far.asked)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await asyncio.sleep(1.2)
        assert 1 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="m",outcome="client_gone",upstream="far"}'
        )
    assert 1 == len(far.asked)


def test_targets_without_weights_keep_their_order() -> None:
    places = (Target("a", "m"), Target("b", "m"))
    assert places == _in_order(places)


def test_weights_say_who_is_first_and_the_rest_follow() -> None:
    """Three to one, within what 4,000 draws may differ by (five standard deviations); every target
    stays in reach."""
    places = (Target("last", "m"), Target("often", "m", 3), Target("seldom", "m", 1))
    drawn = [[place.upstream for place in _in_order(places)] for _ in range(4000)]
    assert {3} == {len(set(order)) for order in drawn}
    assert {"last"} == {order[-1] for order in drawn}
    firsts = Counter(order[0] for order in drawn)
    assert 3000 - 137 < firsts["often"] < 3000 + 137


async def test_a_circuit_that_is_open_costs_the_upstream_nothing_and_the_client_no_time() -> None:
    far, spare = Far(status(500)), Far(says("spare"))
    breaker = {"failures": 2, "open_s": 600}
    async with proxied(["far", "spare"], {"far": far, "spare": spare}, breaker=breaker) as run:
        assert ["spare"] * 5 == [(await ask(run)).text for _ in range(5)]
        assert 1 == await run.metric('mainstem_circuit_open{upstream="far"}')
        assert 3 == await run.metric(
            'mainstem_upstream_attempts_total{result="circuit_open",upstream="far"}'
        )
    assert (2, 5) == (len(far.asked), len(spare.asked))


async def test_a_client_is_told_when_a_circuit_that_is_open_may_close() -> None:
    far = Far(status(500))
    async with proxied(["far"], {"far": far}, breaker={"failures": 1, "open_s": 30}) as run:
        assert 502 == (await ask(run)).status
        heard = await ask(run)
    assert (503, "overloaded", "circuit_open", "30") == (
        heard.status,
        heard.kind,
        heard.error["code"],
        heard.headers["Retry-After"],
    )  # type: ignore[index]
    assert 1 == len(far.asked)


async def test_a_circuit_closes_when_a_trial_succeeds() -> None:
    far = Far(status(500), says("well again"))
    async with proxied(["far"], {"far": far}, breaker={"failures": 1, "open_s": 0.1}) as run:
        await ask(run)
        assert 503 == (await ask(run)).status
        await asyncio.sleep(0.12)
        assert ["well again"] * 2 == [(await ask(run)).text for _ in range(2)]
        assert 0 == await run.metric('mainstem_circuit_open{upstream="far"}')


async def test_what_an_upstream_said_goes_before_what_another_one_was_not_asked() -> None:
    broken, far = Far(status(500)), Far(status(429, "Retry-After: 3"))
    fars = {"broken": broken, "far": far}
    async with proxied(["far", "broken"], fars, breaker={"failures": 1, "open_s": 600}) as run:
        await ask(run)
        heard = await ask(run)
    assert ("rate_limited", 429, 1) == (heard.kind, heard.status, len(broken.asked))


async def test_a_reload_keeps_a_circuit_open() -> None:
    far = Far(status(500))
    async with proxied(["far"], {"far": far}, breaker={"failures": 1, "open_s": 600}) as run:
        await ask(run)
        await run.process.reloader.reload()
        assert "overloaded" == (await ask(run)).kind
    assert 1 == len(far.asked)
