"""The vendors' own Python SDKs, unmodified, as clients: whatever speaks upstream, they see their
own vendor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest

from tests.running import Running, running

UPSTREAMS = ["openai_chat", "anthropic", "native", "sider", "baidu_chat", "plain"]
WITH_TOOLS = ["openai_chat", "anthropic", "native"]


def config(dialect: str, scenario: str) -> dict[str, Any]:
    return {
        "upstreams": {
            "far": {"dialect": dialect, "mock": {"scenario": scenario, "tokens_per_s": 0}}
        },
        "models": {"*": [{"upstream": "far", "model": "some-model"}]},
    }


@asynccontextmanager
async def openai_client(
    dialect: str, scenario: str = "hello"
) -> AsyncIterator[tuple[openai.AsyncOpenAI, Running]]:
    async with (
        running(config(dialect, scenario)) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client, run


@asynccontextmanager
async def anthropic_client(
    dialect: str, scenario: str = "hello"
) -> AsyncIterator[tuple[anthropic.AsyncAnthropic, Running]]:
    async with (
        running(config(dialect, scenario)) as run,
        anthropic.AsyncAnthropic(base_url=run.url, api_key="none", max_retries=0) as client,
    ):
        yield client, run


async def native_answer(run: Running, **body: Any) -> dict[str, Any]:
    """The same answer as one native document: what the SDK's accumulation is held against."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", "stream": False, **body}
    ) as response:
        assert 200 == response.status, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


TOOL = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_openai_streams_text(dialect: str) -> None:
    async with openai_client(dialect, "chinese") as (client, run):
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        text, finish, usage = "", None, None
        async for chunk in stream:
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
            usage = chunk.usage or usage
        answer = await native_answer(run)
        assert answer["text"] == text
        assert "stop" == finish
        if answer["usage"]["output_tokens"] is not None:
            assert usage is not None
            assert answer["usage"]["output_tokens"] == usage.completion_tokens


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_openai_gets_one_document(dialect: str) -> None:
    async with openai_client(dialect) as (client, run):
        completion = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}]
        )
        assert (await native_answer(run))["text"] == completion.choices[0].message.content
        assert "stop" == completion.choices[0].finish_reason


@pytest.mark.parametrize("dialect", WITH_TOOLS)
async def test_openai_streams_tool_calls_and_sends_results_back(dialect: str) -> None:
    async with openai_client(dialect, "tool_then_answer") as (client, run):
        tools: Any = [{"type": "function", "function": TOOL}]
        messages: list[Any] = [{"role": "user", "content": "weather?"}]
        async with client.chat.completions.stream(
            model="m", messages=messages, tools=tools
        ) as stream:
            async for _ in stream:
                pass
            first = (await stream.get_final_completion()).choices[0]
        assert "tool_calls" == first.finish_reason
        calls = first.message.tool_calls or []
        assert calls
        assert all(
            call.id and call.function.name and call.function.arguments.startswith("{")
            for call in calls
        )
        messages += [first.message.model_dump(exclude_none=True)]
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"} for call in calls
        ]
        second = await client.chat.completions.create(model="m", messages=messages, tools=tools)
        assert "stop" == second.choices[0].finish_reason
        assert second.choices[0].message.content
        assert "21 degrees" in str(run.mock.account.newest(1)[0]["body"])


STATUSES = [
    ("status:400", openai.BadRequestError, anthropic.BadRequestError),
    ("status:401", openai.AuthenticationError, anthropic.AuthenticationError),
    ("status:403", openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    ("status:404", openai.NotFoundError, anthropic.NotFoundError),
    ("status:429", openai.RateLimitError, anthropic.RateLimitError),
    ("status:500", openai.InternalServerError, anthropic.InternalServerError),
]


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
@pytest.mark.parametrize(("fault", "expected", "_other"), STATUSES)
@pytest.mark.parametrize("stream", [True, False])
async def test_openai_raises_its_own_exceptions(
    dialect: str, fault: str, expected: type[Exception], _other: type[Exception], stream: bool
) -> None:
    async with openai_client(dialect) as (client, _):
        with pytest.raises(expected):
            await client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "hi"}],
                stream=stream,
                extra_headers={"x-mock-fault": fault},
            )


@pytest.mark.parametrize(
    ("dialect", "fault"),
    [
        (dialect, fault)
        for dialect in UPSTREAMS
        for fault in ("close@4", "cut@4")
        if (dialect, fault) != ("plain", "close@4")
    ],
)  # plain has no terminator: a clean end is its end
async def test_openai_raises_on_a_broken_stream(dialect: str, fault: str) -> None:
    async with openai_client(dialect) as (client, _):
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            extra_headers={"x-mock-fault": fault},
        )
        text = ""
        with pytest.raises(openai.APIError):  # noqa: PT012
            async for chunk in stream:
                text += "".join(choice.delta.content or "" for choice in chunk.choices)
                assert not any(choice.finish_reason for choice in chunk.choices)
        assert text


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_anthropic_streams_text(dialect: str) -> None:
    async with anthropic_client(dialect, "chinese") as (client, run):
        async with client.messages.stream(
            model="m", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            message = await stream.get_final_message()
        assert (await native_answer(run))["text"] == text
        assert text == "".join(block.text for block in message.content if block.type == "text")
        assert "end_turn" == message.stop_reason


@pytest.mark.parametrize("dialect", WITH_TOOLS)
async def test_anthropic_streams_tool_calls_and_sends_results_back(dialect: str) -> None:
    async with anthropic_client(dialect, "tool_then_answer") as (client, _):
        tools: Any = [
            {
                "name": TOOL["name"],
                "description": TOOL["description"],
                "input_schema": TOOL["parameters"],
            }
        ]
        messages: list[Any] = [{"role": "user", "content": "weather?"}]
        async with client.messages.stream(
            model="m", max_tokens=100, messages=messages, tools=tools
        ) as stream:
            first = await stream.get_final_message()
        assert "tool_use" == first.stop_reason
        calls = [block for block in first.content if block.type == "tool_use"]
        assert calls
        assert all(isinstance(call.input, dict) and call.input for call in calls)
        messages.append(
            {
                "role": "assistant",
                "content": [block.model_dump(exclude_none=True) for block in first.content],
            }
        )
        messages.append(
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": call.id, "content": "21 degrees"}
                    for call in calls
                ],
            }
        )
        second = await client.messages.create(
            model="m", max_tokens=100, messages=messages, tools=tools
        )
        assert "end_turn" == second.stop_reason


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
async def test_anthropic_streams_thinking(dialect: str) -> None:
    async with anthropic_client(dialect, "reasoning") as (client, run):
        async with client.messages.stream(
            model="m", max_tokens=2000, messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            message = await stream.get_final_message()
        thinking = "".join(block.thinking for block in message.content if block.type == "thinking")
        assert (await native_answer(run))["reasoning"] == thinking
        assert thinking


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
@pytest.mark.parametrize(("fault", "_other", "expected"), STATUSES)
@pytest.mark.parametrize("stream", [True, False])
async def test_anthropic_raises_its_own_exceptions(
    dialect: str, fault: str, expected: type[Exception], _other: type[Exception], stream: bool
) -> None:
    async with anthropic_client(dialect) as (client, _):
        with pytest.raises(expected):
            await client.messages.create(
                model="m",
                max_tokens=10,
                messages=[{"role": "user", "content": "hi"}],
                stream=stream,
                extra_headers={"x-mock-fault": fault},
            )


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "sider"])
@pytest.mark.parametrize("fault", ["close@4", "cut@4", "error@4"])
async def test_anthropic_raises_on_a_broken_stream(dialect: str, fault: str) -> None:
    async with anthropic_client(dialect) as (client, _):
        with pytest.raises(anthropic.APIError):  # noqa: PT012
            async with client.messages.stream(
                model="m",
                max_tokens=10,
                messages=[{"role": "user", "content": "hi"}],
                extra_headers={"x-mock-fault": fault},
            ) as stream:
                async for _event in stream:
                    pass


async def test_models_are_listed_in_each_sdks_form() -> None:
    both = {
        **config("openai_chat", "hello"),
        "models": {"fast": [{"upstream": "far"}], "*": [{"upstream": "far"}]},
    }
    async with running(both) as run:
        async with openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="none") as client:
            assert ["fast"] == [model.id async for model in client.models.list()]
        async with anthropic.AsyncAnthropic(base_url=run.url, api_key="none") as other:
            assert ["fast"] == [model.id async for model in other.models.list()]


@pytest.fixture(autouse=True)
def _quiet_sdks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs read proxies and keys from the environment; these tests must not."""
    for name in (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
