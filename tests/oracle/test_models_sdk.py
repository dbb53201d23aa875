"""The vendors' SDKs ask for models: each reads the list and a single one, and raises its own
exception for one that is none."""

from typing import Any

import anthropic
import ollama
import openai
import pytest
from google import genai
from google.genai import errors

from tests.running import running

# The SDK derives its own session class from aiohttp's, which that discourages: its affair.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)
CONFIG: dict[str, Any] = {
    "upstreams": {
        "far": {
            "dialect": "cohere",
            "options": {"context_tokens": 128_000, "largest_max_tokens": 4_096},
            "mock": {"scenario": "hello"},
        }
    },
    "models": {"fast": [{"upstream": "far", "model": "vendors"}]},
}


async def test_openai_s() -> None:
    async with (
        running(CONFIG) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="k", max_retries=0) as sdk,
    ):
        assert ["fast"] == [model.id async for model in sdk.models.list()]
        assert "fast" == (await sdk.models.retrieve("fast")).id
        with pytest.raises(openai.NotFoundError, match="did you mean 'fast'"):
            await sdk.models.retrieve("fst")


async def test_anthropic_s() -> None:
    async with (
        running(CONFIG) as run,
        anthropic.AsyncAnthropic(base_url=run.url, api_key="k", max_retries=0) as sdk,
    ):
        assert ["fast"] == [model.id async for model in sdk.models.list()]
        model = await sdk.models.retrieve("fast")
        assert (128_000, 4_096) == (model.max_input_tokens, model.max_tokens)
        with pytest.raises(anthropic.NotFoundError, match="did you mean 'fast'"):
            await sdk.models.retrieve("fst")


async def test_google_s() -> None:
    async with running(CONFIG) as run:
        sdk = genai.Client(api_key="k", http_options={"base_url": run.url}).aio
        async with sdk:
            assert ["models/fast"] == [model.name async for model in await sdk.models.list()]
            for name in ("fast", "models/fast"):
                model = await sdk.models.get(model=name)
                assert ("models/fast", 128_000, 4_096) == (
                    model.name,
                    model.input_token_limit,
                    model.output_token_limit,
                )
            with pytest.raises(errors.ClientError, match="did you mean 'fast'") as caught:
                await sdk.models.get(model="fst")
            assert 404 == caught.value.code


async def test_ollama_s() -> None:
    async with running(CONFIG) as run:
        sdk = ollama.AsyncClient(host=run.url)
        async with sdk._client:
            assert ["fast"] == [model.model for model in (await sdk.list()).models]
            shown = await sdk.show("fast")
            assert {"completion", "tools"} <= set(shown.capabilities or [])
            assert shown.modelinfo is not None
            assert 128_000 == shown.modelinfo["mainstem.context_length"]
            assert [] == list((await sdk.ps()).models)
            with pytest.raises(ollama.ResponseError, match="did you mean 'fast'") as caught:
                await sdk.show("fst")
            assert 404 == caught.value.status_code
