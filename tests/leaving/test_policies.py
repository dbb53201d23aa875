"""What becomes of an answer whose client leaves after commit: as `on_disconnect` says, whoever says
it. The mock's account is the proof."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.cli.tools import metric, until
from tests.leaving.scene import (
    AT_ONCE_S,
    BIG_S,
    POLICIES,
    WAYS,
    Account,
    Leaves,
    Policy,
    Proxy,
    asked,
    big_bytes,
    closes,
    config,
    first_words,
    half_closes,
    mock,
    proxies,
    resets,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
DECIDERS = ("streams", "model", "request")
OUTPUT = 'mainstem_tokens_total{direction="output",'


class Scene:
    """The mock, and a proxy for each policy that `streams` may have."""

    def __init__(self, account: Account, by_policy: dict[Policy, Proxy]) -> None:
        self.account = account
        self.by_policy = by_policy

    def decided(
        self, upstream: str, policy: Policy, decider: str
    ) -> tuple[Proxy, str, dict[str, str]]:
        """Where this decides for `policy`, and whatever comes below it for another one: the proxy,
        the model and the headers."""
        other: Policy = "cancel" if policy == "finish" else "finish"
        if decider == "streams":
            return self.by_policy[policy], upstream, {}
        if decider == "model":
            return self.by_policy[other], f"{upstream}-{policy}", {}
        return self.by_policy[other], f"{upstream}-{other}", {"x_mainstem_on_disconnect": policy}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with mock(tmp_path_factory.mktemp("scripts")) as account:
        configs = [config(account.url, policy) for policy in POLICIES]
        async with proxies(*configs) as all_of_them:
            yield Scene(account, dict(zip(POLICIES, all_of_them, strict=True)))


@pytest.mark.parametrize("leaves", WAYS)
@pytest.mark.parametrize("decider", DECIDERS)
async def test_cancel_hangs_up_at_once(scene: Scene, decider: str, leaves: Leaves) -> None:
    proxy, model, wish = scene.decided("steady", "cancel", decider)
    async with asked(proxy, model, **wish) as (client, mark):
        await first_words(client)
        leaves(client)
        await scene.account.ended(mark, "client_gone", AT_ONCE_S)
        line = await proxy.line(mark)
    assert ("client_gone", 200) == (line["outcome"], line["status"])
    assert "client_left_s" not in line


@pytest.mark.parametrize(("decider", "leaves"), list(zip(DECIDERS, WAYS, strict=True)))
async def test_grace_reads_on_and_then_hangs_up(scene: Scene, decider: str, leaves: Leaves) -> None:
    proxy, model, wish = scene.decided("steady", "grace", decider)
    async with asked(proxy, model, **wish) as (client, mark):
        await first_words(client)
        leaves(client)
        await scene.account.ended(mark, "client_gone")
        line = await proxy.line(mark)
    assert ("client_gone", 200) == (line["outcome"], line["status"])
    assert line["client_left_s"] + 0.4 <= line["total_s"]


@pytest.mark.parametrize("policy", ["grace", "finish"])
@pytest.mark.parametrize("decider", DECIDERS)
async def test_an_answer_that_ends_in_time_is_whole_and_its_tokens_count(
    scene: Scene, decider: str, policy: Policy
) -> None:
    """Its outcome is how it ended; that nobody was there is a field of the log line."""
    proxy, model, wish = scene.decided("brief", policy, decider)
    counted = await metric(proxy.url, OUTPUT)
    async with asked(proxy, model, **wish) as (client, mark):
        await first_words(client)
        closes(client)
        await scene.account.ended(mark, "complete")
        line = await proxy.line(mark)
    assert ("completed", "stop", 200) == (line["outcome"], line["finish"], line["status"])
    assert line["client_left_s"] < line["total_s"]
    assert line["output_tokens"] > 10
    assert line["output_tokens"] == await metric(proxy.url, OUTPUT) - counted


@pytest.mark.parametrize("decider", DECIDERS)
async def test_finish_does_not_end_with_any_grace(scene: Scene, decider: str) -> None:
    """It goes on for longer than the grace that the model would give."""
    proxy, model, wish = scene.decided("steady", "finish", decider)
    async with asked(proxy, model, **wish) as (client, mark):
        await first_words(client)
        closes(client)
        await scene.account.goes_on(mark, frames=14)  # at 50 ms each
        assert mark not in [line.get("request_id") for line in proxy.lines()]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("decider", DECIDERS)
async def test_who_waits_for_one_document_leaves_as_any_other(
    scene: Scene, decider: str, policy: Policy
) -> None:
    upstream = "brief" if policy == "finish" else "steady"
    proxy, model, wish = scene.decided(upstream, policy, decider)
    async with asked(proxy, model, stream=False, **wish) as (client, mark):
        await scene.account.come(mark)
        await scene.account.goes_on(mark, frames=4)  # past the commit
        closes(client)
        await scene.account.ended(mark, "complete" if policy == "finish" else "client_gone")
        line = await proxy.line(mark)
    if policy == "grace":
        assert line["client_left_s"] + 0.4 <= line["total_s"]
    assert ("completed" if policy == "finish" else "client_gone", 499) == (
        line["outcome"],
        line["status"],
    )


@pytest.mark.parametrize(
    ("policy", "leaves"),
    [
        *(("cancel", way) for way in WAYS),
        ("grace", closes),
        ("finish", resets),
        ("finish", half_closes),
    ],
)
async def test_a_client_that_reads_nothing_leaves_as_any_other(
    scene: Scene, policy: Policy, leaves: Leaves
) -> None:
    """Its upstream is not read either, until it has left: then it is hung up on, or read to its
    end."""
    proxy, model, wish = scene.decided("big", policy, "request")
    async with asked(proxy, model, narrow=True, **wish) as (client, mark):
        await scene.account.blocked(mark)
        leaves(client)
        await scene.account.ended(mark, "client_gone" if policy == "cancel" else "complete", BIG_S)
        line = await proxy.line(mark)
    assert ("client_gone" if policy == "cancel" else "completed") == line["outcome"]
    assert line["bytes_out"] < big_bytes()


async def test_no_stream_is_left_open(scene: Scene) -> None:
    """Last of this file: all but those that go on for minutes are over."""
    for policy, proxy in scene.by_policy.items():
        # of test_finish_does_not_end_with_any_grace
        going_on = {"finish": 1, "grace": 0, "cancel": 2}[policy]

        async def all_over(proxy: Proxy = proxy, left: int = going_on) -> bool:
            return left == await metric(proxy.url, "mainstem_streams_open")

        await until(all_over)
