"""The ollama SDK, unmodified, as a client: whatever speaks upstream, it sees its own vendor."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ollama
import pytest

from tests.oracle.dialects.ollama.sdk import said
from tests.running import Running, running

UPSTREAMS = ["openai_chat", "anthropic", "native", "cohere", "ollama"]
HI: Any = [{"role": "user", "content": "hi"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n and no more").decode()


@asynccontextmanager
async def client(
    dialect: str, scenario: str = "hello", **models: Any
) -> AsyncIterator[tuple[ollama.AsyncClient, Running]]:
    config = {
        "upstreams": {
            "far": {"dialect": dialect, "mock": {"scenario": scenario, "tokens_per_s": 0}}
        },
        "models": {**models, "*": [{"upstream": "far", "model": "some-model"}]},
    }
    async with running(config) as run, connected(run) as sdk:
        yield sdk, run


@asynccontextmanager
async def connected(run: Running, fault: str = "") -> AsyncIterator[ollama.AsyncClient]:
    """A client of its own, as this SDK takes headers only for all of a client's requests."""
    sdk = ollama.AsyncClient(host=run.url, headers={"x-mock-fault": fault} if fault else {})
    async with sdk._client:
        yield sdk


async def native_answer(run: Running) -> dict[str, Any]:
    """The same answer as one native document: what the SDK's parts are held against."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", "stream": False}
    ) as response:
        assert 200 == response.status, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def ask(sdk: ollama.AsyncClient, *, generate: bool, **more: Any) -> list[Any]:
    """The parts of a stream."""
    if generate:
        return [
            part async for part in await sdk.generate(model="m", prompt="hi", stream=True, **more)
        ]
    return [part async for part in await sdk.chat(model="m", messages=HI, stream=True, **more)]


@pytest.mark.parametrize("generate", [False, True])
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_streams_text_and_usage(dialect: str, generate: bool) -> None:
    async with client(dialect, "chinese") as (sdk, run):
        parts = await ask(sdk, generate=generate)
        got, answer = said(parts, generate=generate), await native_answer(run)
        assert answer["text"] == got["text"]
        assert (True, "stop", answer["usage"]["output_tokens"]) == (
            got["done"],
            got["done_reason"],
            got["eval_count"],
        )
        assert {"m"} == {part.model for part in parts}
        assert [True] == [part.done for part in parts if part.done]


@pytest.mark.parametrize("generate", [False, True])
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_gets_one_document(dialect: str, generate: bool) -> None:
    async with client(dialect) as (sdk, run):
        response = await (
            sdk.generate(model="m", prompt="hi") if generate else sdk.chat(model="m", messages=HI)
        )
        got, answer = said([response], generate=generate), await native_answer(run)
        assert (answer["text"], True, "stop") == (got["text"], got["done"], got["done_reason"])
        assert answer["usage"]["output_tokens"] == got["eval_count"]


async def test_a_request_that_says_nothing_about_it_is_streamed() -> None:
    async with client("openai_chat") as (_, run):
        async with run.session.post(
            f"{run.url}/api/chat", json={"model": "m", "messages": HI}
        ) as response:
            assert "application/x-ndjson" == response.headers["content-type"]
            assert 2 < len((await response.text()).splitlines())


@pytest.mark.parametrize("generate", [False, True])
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_streams_thinking(dialect: str, generate: bool) -> None:
    async with client(dialect, "reasoning") as (sdk, run):
        got = said(await ask(sdk, generate=generate, think="low"), generate=generate)
        answer = await native_answer(run)
        assert answer["reasoning"]
        assert (answer["reasoning"], answer["text"]) == (got["thinking"], got["text"])


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_streams_tool_calls_and_sends_results_back(dialect: str) -> None:
    async with client(dialect, "tool_then_answer") as (sdk, run):
        parts = await ask(sdk, generate=False, tools=TOOLS)
        messages = [part.message for part in parts if part.message.tool_calls]
        calls = [call for message in messages for call in message.tool_calls or []]
        assert [("get_weather", {"city": "Paris"})] == [
            (call.function.name, dict(call.function.arguments)) for call in calls
        ]
        results = [
            {"role": "tool", "tool_name": call.function.name, "content": "21 degrees"}
            for call in calls
        ]
        second = await sdk.chat(model="m", messages=[*HI, *messages, *results], tools=TOOLS)
        assert "21 degrees" in (second.message.content or "")
        assert "21 degrees" in str(run.mock.account.newest(1)[0]["body"])


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_parallel_calls_come_whole_and_apart(dialect: str) -> None:
    async with client(dialect, "tools") as (sdk, _):
        got = said(await ask(sdk, generate=False, tools=TOOLS))
        assert [{"city": "Paris"}, {"city": "北京"}] == [arguments for _, arguments in got["calls"]]
        assert got["calls"] == said([await sdk.chat(model="m", messages=HI, tools=TOOLS)])["calls"]


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "ollama"])
async def test_an_image_arrives(dialect: str) -> None:
    async with client(dialect) as (sdk, run):
        await sdk.chat(
            model="m", messages=[{"role": "user", "content": "what is it?", "images": [PIXEL]}]
        )
        assert PIXEL in str(run.mock.account.newest(1)[0]["body"])


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "native"])
@pytest.mark.parametrize("stream", [True, False])
async def test_it_raises_its_own_exception(dialect: str, stream: bool) -> None:
    """With the status that the vendor's clients look at, and a message."""
    async with client(dialect) as (_, run):
        for status, expected in {
            400: 400,
            401: 401,
            404: 404,
            429: 429,
            500: 502,
            503: 503,
        }.items():
            async with connected(run, f"status:{status}") as sdk:
                with pytest.raises(ollama.ResponseError) as caught:  # noqa: PT012
                    if stream:
                        await ask(sdk, generate=False)
                    else:
                        await sdk.chat(model="m", messages=HI)
            assert expected == caught.value.status_code
            assert str(status) in caught.value.error


@pytest.mark.parametrize("generate", [False, True])
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_raises_on_a_broken_stream(dialect: str, generate: bool) -> None:
    async with client(dialect) as (_, run):
        for fault in ("close@4", "cut@4", "error@4"):
            async with connected(run, fault) as sdk:
                call = (
                    sdk.generate(model="m", prompt="hi", stream=True)
                    if generate
                    else sdk.chat(model="m", messages=HI, stream=True)
                )
                parts: list[Any] = []
                with pytest.raises(ollama.ResponseError) as caught:  # noqa: PT012
                    async for part in await call:
                        parts.append(part)  # noqa: PERF401  what came before the error is wanted
            assert parts
            assert not any(part.done for part in parts)
            assert caught.value.error


async def test_models_are_listed_in_its_form() -> None:
    async with client("native", fast=[{"upstream": "far"}]) as (sdk, _):
        (model,) = (await sdk.list()).models
        assert "fast" == model.model
        assert model.digest
        assert model.modified_at is not None


@pytest.fixture(autouse=True)
def _quiet_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads proxies, keys and addresses from the environment; these tests must not."""
    for name in (
        "OLLAMA_HOST",
        "OLLAMA_API_KEY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
