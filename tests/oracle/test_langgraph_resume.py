"""LangGraph's SDK, unmodified, as a client of native streams whose connections are cut at random: it
comes back by the answer's `Location`, with the `Last-Event-ID` of what it had."""

from collections.abc import Iterator

import httpx
import pytest
from langgraph_sdk.client import HttpClient

from tests.e2e.cutter import cutting
from tests.e2e.mock_account import asked_with
from tests.e2e.proxy_process import running_proxy

CONFIG = {
    "upstreams": {
        "echo": {"dialect": "anthropic", "mock": {"scenario": "echo", "tokens_per_s": 200}}
    },
    "models": {"echo": [{"upstream": "echo"}]},
    "streams": {"resume": {}},
}
STREAMS = 6


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    with running_proxy(CONFIG) as url:
        yield url


async def test_it_gets_each_event_once_from_one_generation(proxy: str) -> None:
    prompts = [f"stream {number} of some, with words to say again" for number in range(STREAMS)]
    with cutting(proxy, seed=3) as cutter:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{cutter.port}") as line:
            client = HttpClient(line)
            for prompt in prompts:
                asked = client.stream(
                    "/v1/stream", "POST", json={"model": "echo", "prompt": prompt}
                )
                events = [part.data async for part in asked if part.data]
                said = "".join(each["text"] for each in events if each["type"] == "text.delta")
                ends = [each["type"] for each in events if each["type"].startswith("stream.")]
                assert (prompt, ["stream.start", "stream.end"]) == (said, ends)
        assert STREAMS // 2 < cutter.cuts
    assert [1] * STREAMS == [len(asked_with(proxy, prompt)) for prompt in prompts]
