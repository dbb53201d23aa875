"""A client that leaves before it has been answered: whatever `on_disconnect` says, everything that
is done for it stops at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.cli.tools import metric, until
from tests.leaving.scene import (
    AT_ONCE_S,
    WAYS,
    Account,
    Leaves,
    Proxy,
    asked,
    closes,
    config,
    first_words,
    mock,
    proxies,
    resets,
)
from tests.raw_upstream import Peer, raw_upstream

pytestmark = pytest.mark.asyncio(loop_scope="module")
POLICIES = ("cancel", "finish")


class Shaking:
    """An upstream that takes connections and says nothing in the TLS handshake."""

    def __init__(self) -> None:
        self.url = ""
        self.came = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        self.came.set()
        await peer.left()
        self.left.set()


class Scene:
    def __init__(self, account: Account, proxy: Proxy, shaking: Shaking) -> None:
        self.account = account
        self.proxy = proxy
        self.shaking = shaking


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    shaking = Shaking()
    async with mock(tmp_path_factory.mktemp("scripts")) as account, raw_upstream(shaking) as url:
        more = config(account.url, "finish")
        more["upstreams"]["shaking"] = {
            "dialect": "openai_chat",
            "base_url": url.replace("http:", "https:"),
        }
        more["models"]["shaking"] = [{"upstream": "shaking"}]
        async with proxies(more) as (proxy,):
            yield Scene(account, proxy, shaking)


@pytest.mark.parametrize("leaves", WAYS)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("moment", ["headless", "mute"])
async def test_before_the_head_and_before_the_first_event(
    scene: Scene, moment: str, policy: str, leaves: Leaves
) -> None:
    async with asked(scene.proxy, f"{moment}-{policy}") as (client, mark):
        await scene.account.come(mark)
        leaves(client)
        await scene.account.ended(mark, "client_gone", AT_ONCE_S)
        line = await scene.proxy.line(mark)
    assert ("client_gone", 499) == (line["outcome"], line["status"])


@pytest.mark.parametrize("stream", [True, False])
async def test_a_document_that_nothing_has_come_for_yet(scene: Scene, stream: bool) -> None:
    async with asked(scene.proxy, "mute", stream=stream) as (client, mark):
        await scene.account.come(mark)
        closes(client)
        await scene.account.ended(mark, "client_gone", AT_ONCE_S)


@pytest.mark.parametrize("policy", POLICIES)
async def test_while_it_connects(scene: Scene, policy: str) -> None:
    scene.shaking.came.clear()
    scene.shaking.left.clear()
    async with (
        asked(scene.proxy, "shaking", x_mainstem_on_disconnect=policy) as (client, mark),
        asyncio.timeout(AT_ONCE_S),
    ):
        await scene.shaking.came.wait()
        assert not scene.shaking.left.is_set()
        closes(client)
        await scene.shaking.left.wait()
        line = await scene.proxy.line(mark)
    assert ("client_gone", 499) == (line["outcome"], line["status"])


@pytest.mark.parametrize("leaves", [closes, resets])
@pytest.mark.parametrize("policy", POLICIES)
async def test_in_the_queue_for_a_place(scene: Scene, policy: str, leaves: Leaves) -> None:
    """It is gone from the queue, the upstream is never asked, and the one behind it gets the
    place."""

    async def wait(count: int) -> None:
        async def so_many() -> bool:
            return count == await metric(scene.proxy.url, "mainstem_upstream_waiting")

        await until(so_many, AT_ONCE_S)

    async with asked(scene.proxy, "narrow-cancel") as (holder, first):
        await first_words(holder)
        async with asked(scene.proxy, f"narrow-{policy}") as (client, second):
            await wait(1)
            async with asked(scene.proxy, "narrow-cancel") as (behind, third):
                await wait(2)
                leaves(client)
                await wait(1)
                closes(holder)
                await first_words(behind)
        line = await scene.proxy.line(second)
        await scene.account.ended(first, "client_gone", AT_ONCE_S)
        await scene.account.ended(third, "client_gone", AT_ONCE_S)
    assert ("client_gone", 499) == (line["outcome"], line["status"])
    assert [] == await scene.account.of(second)


@pytest.mark.parametrize("policy", POLICIES)
async def test_while_it_waits_to_ask_again(scene: Scene, policy: str) -> None:
    """The upstream has said that it wants to be left alone for 7 s; after the client's leaving it
    is not asked again."""
    async with asked(scene.proxy, f"busy-{policy}") as (client, mark):
        await scene.account.ended(mark, "complete")
        await asyncio.sleep(0.1)  # for its refusal to arrive
        closes(client)
        line = await scene.proxy.line(mark, AT_ONCE_S)
    assert ("client_gone", 499) == (line["outcome"], line["status"])
    assert 1 == len(await scene.account.of(mark))


@pytest.mark.parametrize("policy", POLICIES)
async def test_while_two_targets_race(scene: Scene, policy: str) -> None:
    async with asked(scene.proxy, "hedged", x_mainstem_on_disconnect=policy) as (client, mark):
        await scene.account.come(mark, 2)
        closes(client)
        await scene.account.ended(mark, "client_gone", AT_ONCE_S)
        line = await scene.proxy.line(mark)
    assert ("client_gone", 499) == (line["outcome"], line["status"])


@pytest.mark.parametrize("policy", POLICIES)
async def test_while_another_target_is_looked_for_after_commit(scene: Scene, policy: str) -> None:
    """There is nothing to finish: the answer broke off, and nobody is there to have another one."""
    async with asked(scene.proxy, "goes_on", x_mainstem_on_disconnect=policy) as (client, mark):
        await first_words(client)
        await scene.account.come(mark, 2)
        closes(client)

        async def left() -> bool:
            return ["cut", "client_gone"] == [
                entry["ended"] for entry in await scene.account.of(mark)
            ]

        await until(left, AT_ONCE_S)
        line = await scene.proxy.line(mark)
    assert ("client_gone", 200, "breaks") == (line["outcome"], line["status"], line["upstream"])


async def test_nothing_is_left_open(scene: Scene) -> None:
    """Last of this file."""

    async def all_over() -> bool:
        return 0 == await metric(scene.proxy.url, "mainstem_streams_open") + await metric(
            scene.proxy.url, "mainstem_upstream_waiting"
        )

    await until(all_over)
