"""Pages whose connections are cut at random moments, and pages that are loaded again, end with exactly
what the upstream said, from one generation: the browser's own EventSource, fetch-event-source and
the AI SDK's useChat, unmodified."""

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
# The slower one has not ended when a busy machine has opened another tab.
RATES = {"echo": 3, "slow": 1.5}  # tokens a second
CONFIG = {
    "upstreams": {
        name: {"dialect": "openai_chat", "mock": {"scenario": "echo", "tokens_per_s": rate}}
        for name, rate in RATES.items()
    },
    "models": {name: [{"upstream": name}] for name in RATES},
    "streams": {"resume": {}},
}
# Returns when all is over, or after 10 s.
SOON_OVER = f"""new Promise((resolve) => {{
    const late = performance.now() + 10000;
    const look = () => result.over === {STREAMS} || performance.now() > late ? resolve() : setTimeout(look, 50);
    look();
}})"""
# useChat looks first whether there is something to resume.
ASKING = [
    {
        "wait": "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/stream')).length === result.texts.length"
    },
    {"evaluate": "ask()"},
]


@pytest.fixture(scope="module")
def keeping() -> Iterator[str]:
    with running_proxy(CONFIG) as url:
        yield url


@pytest.mark.timeout(120)
@pytest.mark.parametrize("by", ["source", "fetch", "chat"])
def test_streams_that_are_cut_at_random_come_whole(
    browser: Browser, site: str, keeping: str, by: str
) -> None:
    prompts = [f"{by} stream {number} of many, with words to say" for number in range(STREAMS)]
    with cutting(keeping, seed=7) as cutter:
        apis = [f"http://127.0.0.{number}:{cutter.port}" for number in range(1, 26)]
        asked = {"by": by, "model": "echo", "apis": ",".join(apis), "prompts": "|".join(prompts)}
        page = "chat.html" if by == "chat" else "resuming.html"
        visit = browser.visit(
            f"{site}/{page}?{urlencode(asked)}",
            *(ASKING if by == "chat" else []),
            # a step may take 15 s; an EventSource comes back after 3 s, each time that it is cut
            *[{"evaluate": SOON_OVER}] * 2,
            {"wait": f"result.over === {STREAMS}"},
            {"evaluate": "result"},
        )
        assert STREAMS // 4 < cutter.cuts
    result = visit.values[-1]
    assert prompts == result["texts"]
    assert [1] * STREAMS == (result["messages"] if by == "chat" else result["ends"])
    assert [1] * STREAMS == [len(asked_with(keeping, prompt)) for prompt in prompts]


@pytest.mark.parametrize("by", ["source", "fetch", "chat"])
def test_a_reload_in_mid_answer_goes_on_and_a_second_tab_watches(
    browser: Browser, site: str, keeping: str, by: str
) -> None:
    prompt = f"{by} page that is loaded again in the midst of an answer of more words"
    asked = {"by": by, "model": "slow", "apis": keeping, "prompts": prompt, "chat": "reloaded"}
    url = f"{site}/{'chat' if by == 'chat' else 'reloading'}.html?{urlencode(asked)}"
    some, part = {"wait": "result.texts[0] !== ''"}, {"evaluate": "result.texts[0]"}
    whole = [{"wait": "result.over === 1"}, part]
    visit = browser.visit(
        url,
        *(ASKING if by == "chat" else [{"evaluate": "ask()"}]),
        *[some, {"tab": 1, "url": url}, some, {"tab": 0}, part, {"reload": True}],
        *[*whole, {"tab": 1}, *whole],
    )
    begun, *both = visit.values[1:]  # behind what asking gave
    assert prompt.startswith(begun)
    assert begun != prompt
    assert [prompt, prompt] == both
    assert 1 == len(asked_with(keeping, prompt))
    assert [] == visit.console
