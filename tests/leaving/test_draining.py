"""Clients that leave after SIGTERM: what goes on without them is waited for, what does not go on is
not."""

import asyncio
import signal
from pathlib import Path

from tests.cli.tools import clients, until_refused
from tests.leaving.scene import AT_ONCE_S, Proxy, asked, closes, config, first_words, mock, proxies


async def refuses(proxy: Proxy) -> None:
    """Returns once it takes no more connections."""
    async with clients(proxy.url) as connect:
        await until_refused(connect)


async def test_who_leaves_during_the_drain_is_served_by_the_same_rules(tmp_path: Path) -> None:
    """The proxy ends when the last answer has, long before the drain's own end."""
    async with (
        mock(tmp_path) as account,
        proxies(config(account.url, "cancel", server={"drain_s": 60})) as (proxy,),
        asked(proxy, "steady-cancel") as (cancelled, first),
        asked(proxy, "steady-grace") as (graced, second),
        asked(proxy, "brief-finish") as (finished, third),
        asked(proxy, "mute-finish") as (early, fourth),
    ):
        for client in (cancelled, graced, finished):
            await first_words(client)
        await account.come(fourth)
        proxy.process.process.send_signal(signal.SIGTERM)
        await refuses(proxy)
        for client in (cancelled, graced, finished, early):
            closes(client)
        await account.ended(first, "client_gone", AT_ONCE_S)
        await account.ended(fourth, "client_gone", AT_ONCE_S)
        await account.ended(second, "client_gone")
        await account.ended(third, "complete")
        assert 0 == await asyncio.to_thread(proxy.process.process.wait, 15)
        outcomes = [(await proxy.line(mark))["outcome"] for mark in (first, second, third, fourth)]
    assert ["client_gone", "client_gone", "completed", "client_gone"] == outcomes


async def test_what_goes_on_alone_ends_with_the_drain(tmp_path: Path) -> None:
    async with (
        mock(tmp_path) as account,
        proxies(config(account.url, "finish", server={"drain_s": 0.5})) as (proxy,),
        asked(proxy, "steady") as (client, mark),
    ):
        await first_words(client)
        closes(client)
        await account.goes_on(mark)
        proxy.process.process.send_signal(signal.SIGTERM)
        await account.ended(mark, "client_gone")
        assert 0 == await asyncio.to_thread(proxy.process.process.wait, 15)
        line = await proxy.line(mark)
    assert "shutdown" == line["outcome"]
