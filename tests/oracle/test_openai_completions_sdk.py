"""The openai SDK, unmodified, on `/v1/completions`: whatever speaks upstream, it sees its own
vendor's legacy endpoint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from tests.running import Running, running

UPSTREAMS = ["openai_completions", "openai_chat", "anthropic", "native"]


@asynccontextmanager
async def client_of(
    dialect: str, scenario: str = "hello"
) -> AsyncIterator[tuple[openai.AsyncOpenAI, Running]]:
    config = {
        "upstreams": {
            "far": {"dialect": dialect, "mock": {"scenario": scenario, "tokens_per_s": 0}}
        },
        "models": {
            "fast": [{"upstream": "far", "model": "some-model"}],
            "*": [{"upstream": "far", "model": "some-model"}],
        },
    }
    async with (
        running(config) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client, run


async def native_answer(run: Running) -> dict[str, Any]:
    """The same answer as one native document."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "Once", "stream": False}
    ) as response:
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_text_and_usage_are_streamed(dialect: str) -> None:
    async with client_of(dialect, "chinese") as (client, run):
        stream = await client.completions.create(
            model="m", prompt="Once", stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        answer = await native_answer(run)
    assert answer["text"] == "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert "stop" == chunks[-2].choices[0].finish_reason
    assert chunks[-1].usage is not None
    assert answer["usage"]["output_tokens"] == chunks[-1].usage.completion_tokens


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_one_document(dialect: str) -> None:
    async with client_of(dialect) as (client, run):
        completion = await client.completions.create(model="m", prompt=["Once"])
        assert (await native_answer(run))["text"] == completion.choices[0].text
        assert ("stop", "text_completion") == (
            completion.choices[0].finish_reason,
            completion.object,
        )
        completion.model_dump(mode="json", warnings="error")


@pytest.mark.parametrize("dialect", UPSTREAMS[1:])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("status:401", openai.AuthenticationError),
        ("status:404", openai.NotFoundError),
        ("status:429", openai.RateLimitError),
        ("status:500", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_sdk_raises_its_own_exceptions(
    dialect: str, fault: str, expected: type[Exception], stream: bool
) -> None:
    async with client_of(dialect) as (client, _):
        with pytest.raises(expected):
            await client.completions.create(
                model="m", prompt="Once", stream=stream, extra_headers={"x-mock-fault": fault}
            )


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize("fault", ["close@4", "cut@4", "error@4"])
async def test_a_broken_stream_raises(dialect: str, fault: str) -> None:
    """After some text, and without a finish."""
    async with client_of(dialect) as (client, _):
        stream = await client.completions.create(
            model="m", prompt="Once", stream=True, extra_headers={"x-mock-fault": fault}
        )
        text = ""
        with pytest.raises(openai.APIError):  # noqa: PT012
            async for chunk in stream:
                text += "".join(choice.text for choice in chunk.choices)
                assert not any(choice.finish_reason for choice in chunk.choices)
        assert text


async def test_models_are_listed() -> None:
    async with client_of("openai_completions") as (client, _):
        assert ["fast"] == [model.id async for model in client.models.list()]


@pytest.fixture(autouse=True)
def _quiet_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads proxies and keys from the environment; these tests must not."""
    for name in (
        "OPENAI_API_KEY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
