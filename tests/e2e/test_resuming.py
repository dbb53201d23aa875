"""Pages whose connections are cut at random moments end with exactly what the upstream said, from one
generation: the browser's own EventSource and fetch-event-source, unmodified."""

import os
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.e2e.browser import Browser
from tests.e2e.cutter import cutting
from tests.e2e.mock_account import asked_with
from tests.e2e.proxy_process import running_proxy
from tests.needs import requires

pytestmark = requires("chromium", "node", "npm_packages")

# of each kind; `make cuts` takes more
STREAMS = int(os.environ.get("MAINSTEM_CUT_STREAMS", "10"))
CONFIG = {
    "upstreams": {
        "echo": {"dialect": "openai_chat", "mock": {"scenario": "echo", "tokens_per_s": 3}}
    },
    "models": {"echo": [{"upstream": "echo"}]},
    "streams": {"resume": {}},
}


@pytest.fixture(scope="module")
def keeping() -> Iterator[str]:
    with running_proxy(CONFIG) as url:
        yield url


@pytest.mark.timeout(120)
@pytest.mark.parametrize("by", ["source", "fetch"])
def test_streams_that_are_cut_at_random_come_whole(
    browser: Browser, site: str, keeping: str, by: str
) -> None:
    prompts = [f"{by} stream {number} of many, with words to say" for number in range(STREAMS)]
    with cutting(keeping, seed=7) as cutter:
        apis = [f"http://127.0.0.{number}:{cutter.port}" for number in range(1, 26)]
        asked = {"by": by, "model": "echo", "apis": ",".join(apis), "prompts": "|".join(prompts)}
        over = {"wait": f"result.over === {STREAMS}"}
        # a step may take 15 s; an EventSource comes back after 3 s, each time that it is cut
        waits = [{"evaluate": "new Promise((resolve) => setTimeout(resolve, 10000))"}] * 2
        visit = browser.visit(
            f"{site}/resuming.html?{urlencode(asked)}", *waits, over, {"evaluate": "result"}
        )
        assert STREAMS // 4 < cutter.cuts
    result = visit.values[-1]
    assert prompts == result["texts"]
    assert [1] * STREAMS == result["ends"]
    assert [1] * STREAMS == [len(asked_with(keeping, prompt)) for prompt in prompts]
