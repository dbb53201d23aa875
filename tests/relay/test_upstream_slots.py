"""How many streams an upstream may have open, and what becomes of the others."""

import asyncio

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import ROLE, STOP, Far, Heard, ask, delta, proxied, says, status, until
from tests.running import Running

NARROW = {"max_streams": 1, "queue_s": 5}


class Slow:
    """Begins an answer and goes on when it is let."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE + delta("slow"))
        await self.go_on.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)


async def waiting(run: Running, number: int) -> None:
    async def so_many() -> bool:
        return await run.metric('mainstem_upstream_waiting{upstream="far"}') == number

    await until(so_many)


async def closed(run: Running) -> bool:
    return await run.metric('mainstem_streams_open{upstream="far"}') == 0


def asked(run: Running, **headers: str) -> "asyncio.Task[Heard]":
    return asyncio.create_task(ask(run, headers))


async def test_a_request_waits_for_a_place_and_gets_it() -> None:
    slow = Slow()
    far = Far(slow, says("next"))
    async with proxied(["far"], {"far": far}, NARROW) as run:
        first = asked(run)
        await until(lambda: far.asked)
        second = asked(run)
        await waiting(run, 1)
        assert 1 == len(far.asked)
        slow.go_on.set()
        assert ("slow", "next") == ((await first).text, (await second).text)
        await waiting(run, 0)


async def test_who_waits_too_long_is_told_when_to_come_again() -> None:
    slow = Slow()
    far = Far(slow)
    async with proxied(["far"], {"far": far}, {**NARROW, "queue_s": 0.05}) as run:
        first = asked(run)
        await until(lambda: far.asked)
        heard = await ask(run)
        assert (503, "overloaded", "no_room", "1") == (
            heard.status,
            heard.kind,
            heard.error["code"],
            heard.headers["Retry-After"],
        )  # type: ignore[index]
        assert "upstreams.far.max_streams" in heard.error["message"]  # type: ignore[index]
        slow.go_on.set()
        assert "slow" == (await first).text


async def test_a_queue_that_is_full_refuses_at_once() -> None:
    slow = Slow()
    far = Far(slow)
    async with proxied(["far"], {"far": far}, {**NARROW, "queue_s": 600, "max_queue": 1}) as run:
        tasks = [asked(run)]
        await until(lambda: far.asked)
        tasks.append(asked(run))
        await waiting(run, 1)
        assert 503 == (await ask(run)).status
        slow.go_on.set()
        assert ["slow", "slow"] == [(await task).text for task in tasks]


async def test_with_another_target_nobody_waits() -> None:
    slow = Slow()
    far, spare = Far(slow), Far(says("spare"))
    async with proxied(
        ["far", "spare"], {"far": far, "spare": spare}, {**NARROW, "queue_s": 600}
    ) as run:
        first = asked(run)
        await until(lambda: far.asked)
        assert "spare" == (await ask(run)).text
        slow.go_on.set()
        await first


async def test_who_leaves_the_queue_is_gone_from_it() -> None:
    slow = Slow()
    far = Far(slow)
    async with proxied(["far"], {"far": far}, {**NARROW, "queue_s": 600}) as run:
        first = asked(run)
        await until(lambda: far.asked)
        second = asked(run)
        await waiting(run, 1)
        second.cancel()
        await waiting(run, 0)
        slow.go_on.set()
        assert "slow" == (await first).text
        await ask(run)
    assert 2 == len(far.asked)


async def test_a_stream_that_goes_on_without_its_client_keeps_its_place() -> None:
    """Else leaving, again and again, would open as many streams as one likes."""
    slow = Slow()
    far = Far(slow)
    config = {"streams": {"on_disconnect": "finish"}, "limits": {"max_streams": 2}}
    async with proxied(["far"], {"far": far}, {**NARROW, "queue_s": 0.05}, **config) as run:
        async with run.session.post(
            f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi"}
        ) as response:
            await response.content.readany()
        heard = await ask(run)
        assert "no_room" == heard.error["code"]  # type: ignore[index]
        slow.go_on.set()
        await until(lambda: closed(run))
        assert "slow" == (await ask(run)).text


async def test_a_circuit_that_opened_meanwhile_is_not_asked_by_those_who_waited() -> None:
    slow = Slow()
    far = Far(slow, status(500))
    async with proxied(
        ["far"], {"far": far}, NARROW, breaker={"failures": 1, "open_s": 600}
    ) as run:
        first = asked(run)
        await until(lambda: far.asked)
        others = [asked(run), asked(run), asked(run)]
        await waiting(run, 3)
        slow.go_on.set()
        assert "slow" == (await first).text
        assert [502, 503, 503] == [(await other).status for other in others]
    assert 2 == len(far.asked)


async def test_streams_without_a_client_count_among_all_streams() -> None:
    slow = Slow()
    far = Far(slow)
    config = {"streams": {"on_disconnect": "finish"}, "limits": {"max_streams": 1}}
    async with proxied(["far"], {"far": far}, **config) as run:
        async with run.session.post(
            f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi"}
        ) as response:
            await response.content.readany()
        heard = await ask(run)
        assert (503, "overloaded") == (heard.status, heard.kind)
        slow.go_on.set()
