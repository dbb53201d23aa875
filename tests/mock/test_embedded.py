"""The mocks of one process over reloads: a server for each set of them, as long as anything can
come to it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from proxy.mock.embedded import EmbeddedMocks
from proxy.mock.script import MockError
from proxy.relay.plan import Plan
from proxy.settings.model import Settings

ASK = {"model": "m", "messages": [{"role": "user", "content": "one two three"}], "stream": True}


def settings(scenario: str = "hello", name: str = "demo", **mock: Any) -> Settings:
    upstream = {"dialect": "openai_chat", "mock": {"scenario": scenario, "tokens_per_s": 0, **mock}}
    return Settings.model_validate(
        {"upstreams": {name: upstream}, "models": {"*": [{"upstream": name}]}}
    )


def real() -> Settings:
    upstream = {"dialect": "openai_chat", "base_url": "http://127.0.0.1:9"}
    return Settings.model_validate(
        {"upstreams": {"real": upstream}, "models": {"*": [{"upstream": "real"}]}}
    )


def url(plan: Plan) -> str:
    return next(iter(plan.upstreams.values())).endpoint.url + "/chat/completions"


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            gc.collect()
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def mocks() -> AsyncIterator[EmbeddedMocks]:
    embedded = EmbeddedMocks()
    yield embedded
    await embedded.stop()


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_same_mocks_keep_their_server_and_their_account(
    mocks: EmbeddedMocks, http: aiohttp.ClientSession
) -> None:
    one = await mocks.plan(settings())
    server = mocks.newest
    assert server is not None
    async with http.post(url(one), json=ASK) as response:
        assert 200 == response.status
    assert url(one) == url(await mocks.plan(settings()))
    other = await mocks.plan(settings("echo"))
    assert url(one) != url(other)
    assert mocks.newest is not None
    assert server is not mocks.newest
    assert server.account is mocks.newest.account
    assert 1 == len(server.account.newest(10))


async def test_a_server_outlives_its_plan_by_what_it_plays(
    mocks: EmbeddedMocks, http: aiohttp.ClientSession
) -> None:
    plan: Plan | None = await mocks.plan(settings(fault="stall@1"))
    assert plan is not None
    old, before = url(plan), mocks.newest
    async with http.post(old, json=ASK) as response:
        assert await response.content.readany()
        new = await mocks.plan(settings())
        async with http.post(old, json=ASK) as also:  # whoever holds the plan may still come
            assert 200 == also.status
        plan = None
        await until(lambda: [mocks.newest] == mocks._servers)
        await until(
            lambda: before is not None and before._runner is not None and not before._runner.sites
        )
        async with aiohttp.ClientSession() as other:
            with pytest.raises(aiohttp.ClientConnectorError):
                await other.post(old, json=ASK)
        assert not response.content.at_eof()
        assert 1 == len(mocks._finishing)
    await until(lambda: not mocks._finishing)
    async with http.post(url(new), json=ASK) as response:
        assert b"[DONE]" in await response.read()


async def test_a_hundred_reloads_leave_one_server(mocks: EmbeddedMocks) -> None:
    tasks = len(asyncio.all_tasks())
    for number in range(100):
        plan = await mocks.plan(settings(name=f"mock-{number}"))
    await until(lambda: [mocks.newest] == mocks._servers and not mocks._finishing)
    assert 1 == sum(mocks._leading.values())
    assert tasks == len(asyncio.all_tasks())
    assert ["mock-99"] == list(plan.upstreams)


async def test_without_mocks_no_server_is_left(mocks: EmbeddedMocks) -> None:
    plan = await mocks.plan(settings())
    plan = await mocks.plan(real())
    await until(lambda: not mocks._servers and not mocks._finishing)
    assert mocks.newest is None
    assert ["real"] == list(plan.upstreams)


async def test_mocks_that_cannot_be_played_change_nothing(
    mocks: EmbeddedMocks, tmp_path: Path
) -> None:
    plan = await mocks.plan(settings())
    server = mocks.newest
    for scenario in ("helo", str(tmp_path / "missing.sse"), str(tmp_path / "no.txt/")):
        with pytest.raises(MockError, match="mock demo: "):
            await mocks.plan(settings(scenario))
    assert [server] == mocks._servers
    assert plan.plays


async def test_a_script_is_what_it_was_when_it_was_read(
    mocks: EmbeddedMocks, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """A bad one changes nothing; another one is another set of mocks."""
    script = tmp_path / "script.sse"
    script.write_bytes(b"data: one\n\n")
    old = await mocks.plan(settings(str(script)))
    script.write_bytes(b"data: two\n\n")
    async with http.post(url(old), json=ASK) as response:
        assert b"data: one\n\n" == await response.read()
    new = await mocks.plan(settings(str(script)))
    async with http.post(url(new), json=ASK) as response:
        assert b"data: two\n\n" == await response.read()


async def test_stopping_cuts_what_is_still_played_by_any_of_them(
    http: aiohttp.ClientSession,
) -> None:
    mocks = EmbeddedMocks()
    plan: Plan | None = await mocks.plan(settings(fault="stall@1"))
    assert plan is not None
    first = await http.post(url(plan), json=ASK)
    plan = await mocks.plan(settings("echo", fault="stall@1"))
    second = await http.post(url(plan), json=ASK)
    await until(lambda: mocks._finishing)
    await mocks.stop()
    for response in (first, second):
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_stopping_stops_a_server_whose_plan_has_gone_this_very_moment(
    http: aiohttp.ClientSession,
) -> None:
    """Before anything was done about it."""
    mocks = EmbeddedMocks()
    plan: Plan | None = await mocks.plan(settings())
    assert plan is not None
    address = url(plan)
    plan = None
    gc.collect()
    await asyncio.sleep(0)
    assert 1 == len(mocks._finishing)
    await mocks.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await http.post(address, json=ASK)
