"""The same requests with nginx and HAProxy in between: whatever they make of them, no prompt runs
that was not answered to who sent it."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio

from tests.hostile.cases import CASES, Case, whole
from tests.hostile.fronts import FRONTS
from tests.hostile.wire import END, exchange, models, prompts
from tests.needs import requires
from tests.running import Running, running

pytestmark = [pytest.mark.asyncio(loop_scope="module"), requires("nginx", "haproxy")]
MOCKED = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "far"}]},
}
LAST = whole(b"Connection: close\r\n").replace(b"seen", b"last")


class Scene(NamedTuple):
    """The proxy, and the address of what stands in front of it."""

    run: Running
    url: str


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(FRONTS))
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with running(MOCKED) as run:
        with FRONTS[request.param](run.url) as url:
            yield Scene(run, url)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_whoever_sent_a_prompt_gets_its_answer_and_nobody_else_does(
    scene: Scene, case: Case
) -> None:
    """A prompt that was smuggled in would run without an answer to its sender, whose answer the
    next client would get."""
    scene.run.mock.account.clear()
    got = await exchange(scene.url, [case.data], then=LAST)
    ran = models(await prompts(scene.run.url))
    assert got.statuses.count(200) == len(ran) == got.data.count(END), (got.statuses, ran)
    assert got.data  # HTTP/2 from HAProxy, whose own it is, elsewhere a status
    for model in ran:
        assert 1 == got.data.count(b'"model":"%b","upstream"' % model.encode())
    for _ in range(3):  # the connections that the front has kept
        after = await exchange(scene.url, [LAST])
        assert [200] == after.statuses
        assert 1 == after.data.count(b'"model":"last","upstream"')
