"""The vendors' SDKs ask how many tokens a request has, over upstreams of the same and of other
dialects; where nobody counts, each raises its own exception and asks once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors

from tests.running import Running, running

# The SDK derives its own session class from aiohttp's, which that discourages: its affair.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)
COUNTING = ["anthropic", "openai_responses", "gemini"]
TOOL: Any = {"name": "look", "input_schema": {"type": "object", "properties": {}}}


@asynccontextmanager
async def proxied(dialect: str) -> AsyncIterator[Running]:
    config = {
        "upstreams": {"far": {"dialect": dialect, "mock": {"scenario": "hello"}}},
        "models": {"*": [{"upstream": "far"}]},
    }
    async with running(config) as run:
        yield run


async def asked(run: Running) -> int:
    async with run.session.get(f"{run.url}/metrics") as response:
        text = await response.text()
    lines = [line for line in text.splitlines() if line.startswith("mainstem_requests_total{")]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))


@pytest.mark.parametrize("dialect", COUNTING)
async def test_anthropic_s(dialect: str) -> None:
    async with (
        proxied(dialect) as run,
        anthropic.AsyncAnthropic(base_url=run.url, api_key="k", max_retries=0) as sdk,
    ):
        count = await sdk.messages.count_tokens(
            model="m",
            messages=[{"role": "user", "content": "How are you today?"}],
            tools=[TOOL],
            thinking={"type": "enabled", "budget_tokens": 2048},
        )
        assert count.input_tokens > 1


@pytest.mark.parametrize("dialect", COUNTING)
async def test_openai_s(dialect: str) -> None:
    async with (
        proxied(dialect) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="k", max_retries=0) as sdk,
    ):
        count = await sdk.responses.input_tokens.count(model="m", input="How are you today?")
        assert count.input_tokens > 1


@pytest.mark.parametrize("dialect", COUNTING)
async def test_google_s(dialect: str) -> None:
    async with proxied(dialect) as run:
        async with genai.Client(api_key="k", http_options={"base_url": run.url}).aio as sdk:
            count = await sdk.models.count_tokens(model="m", contents="How are you today?")
            assert (count.total_tokens or 0) > 1


async def test_where_nobody_counts_an_sdk_raises_its_own_exception_and_asks_once() -> None:
    async with proxied("openai_chat") as run:
        async with anthropic.AsyncAnthropic(base_url=run.url, api_key="k") as claude:
            with pytest.raises(anthropic.NotFoundError, match="counts them"):
                await claude.messages.count_tokens(
                    model="m", messages=[{"role": "user", "content": "hi"}]
                )
        async with openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="k") as sdk:
            with pytest.raises(openai.NotFoundError, match="counts them"):
                await sdk.responses.input_tokens.count(model="m", input="hi")
        async with genai.Client(api_key="k", http_options={"base_url": run.url}).aio as google:
            with pytest.raises(errors.ServerError, match="counts them") as caught:
                await google.models.count_tokens(model="m", contents="hi")
            assert (501, "UNIMPLEMENTED") == (caught.value.code, caught.value.status)
        assert 3 == await asked(run)
