"""The cohere SDK, unmodified, as a client: whatever speaks upstream, it sees its own vendor."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import cohere
import pytest
from cohere.core.api_error import ApiError

from tests.oracle.dialects.cohere.sdk import said
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


@asynccontextmanager
async def client(
    dialect: str, scenario: str = "hello", **models: Any
) -> AsyncIterator[tuple[cohere.AsyncClientV2, Running]]:
    config = {
        "upstreams": {
            "far": {"dialect": dialect, "mock": {"scenario": scenario, "tokens_per_s": 0}}
        },
        "models": {**models, "*": [{"upstream": "far", "model": "some-model"}]},
    }
    async with running(config) as run:
        async with cohere.AsyncClientV2(api_key="none", base_url=run.url, max_retries=0) as sdk:
            yield sdk, run


async def native_answer(run: Running) -> dict[str, Any]:
    """The same answer as one native document: what the SDK's events are held against."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", "stream": False}
    ) as response:
        assert 200 == response.status, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


def faulty(fault: str) -> Any:
    return {"additional_headers": {"x-mock-fault": fault}}


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_streams_text_and_usage(dialect: str) -> None:
    async with client(dialect, "chinese") as (sdk, run):
        got = said([event async for event in sdk.chat_stream(model="m", messages=HI)])
        answer = await native_answer(run)
        assert answer["text"] == got["text"]
        assert [(0, "text")] == got["contents"]
        assert "COMPLETE" == got["end"]["finish_reason"]
        assert answer["usage"]["output_tokens"] == got["end"]["usage"]["tokens"]["output_tokens"]


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_gets_one_response(dialect: str) -> None:
    async with client(dialect) as (sdk, run):
        response = await sdk.chat(model="m", messages=HI)
        answer = await native_answer(run)
        assert [answer["text"]] == [
            part.text for part in response.message.content or [] if part.type == "text"
        ]
        assert "COMPLETE" == response.finish_reason
        assert response.usage is not None
        assert response.usage.tokens is not None
        assert answer["usage"]["output_tokens"] == response.usage.tokens.output_tokens


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_streams_reasoning(dialect: str) -> None:
    async with client(dialect, "reasoning") as (sdk, run):
        thinking: Any = {"type": "enabled", "token_budget": 1024}
        got = said(
            [event async for event in sdk.chat_stream(model="m", messages=HI, thinking=thinking)]
        )
        answer = await native_answer(run)
        assert answer["reasoning"]
        assert (answer["reasoning"], answer["text"]) == (got["thinking"], got["text"])
        assert [(0, "thinking"), (1, "text")] == got["contents"]


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_reasoning_goes_back_in_a_second_turn(dialect: str) -> None:
    async with client(dialect, "reasoning") as (sdk, run):
        thinking: Any = {"type": "enabled", "token_budget": 1024}
        first = await sdk.chat(model="m", messages=HI, thinking=thinking)
        again: Any = [
            *HI,
            {"role": "assistant", "content": first.message.content},
            {"role": "user", "content": "go on"},
        ]
        second = await sdk.chat(model="m", messages=again, thinking=thinking)
        assert "COMPLETE" == second.finish_reason
        # openai_chat has no standard field for it, and Anthropic takes it only with its own
        # signature: both say so in a note.
        sent = str(run.mock.account.newest(1)[0]["body"])
        thought = next(
            part.thinking for part in first.message.content or [] if part.type == "thinking"
        )
        assert (dialect in ("cohere", "ollama", "native")) == (thought in sent)


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_it_streams_tool_calls_and_sends_results_back(dialect: str) -> None:
    async with client(dialect, "tool_then_answer") as (sdk, run):
        got = said([event async for event in sdk.chat_stream(model="m", messages=HI, tools=TOOLS)])
        assert "TOOL_CALL" == got["end"]["finish_reason"]
        assert got["calls"]
        calls = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in got["calls"].values()
        ]
        assert all(
            "get_weather" == call["function"]["name"] and json.loads(call["function"]["arguments"])
            for call in calls
        )
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": "21 degrees"} for call in calls
        ]
        second = await sdk.chat(
            model="m",
            messages=[*HI, {"role": "assistant", "tool_calls": calls}, *results],
            tools=TOOLS,
        )
        assert "COMPLETE" == second.finish_reason
        assert "21 degrees" in (second.message.content or [])[0].text
        assert "21 degrees" in str(run.mock.account.newest(1)[0]["body"])


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_parallel_calls_come_whole_and_apart(dialect: str) -> None:
    async with client(dialect, "tools") as (sdk, _):
        got = said([event async for event in sdk.chat_stream(model="m", messages=HI, tools=TOOLS)])
        response = await sdk.chat(model="m", messages=HI, tools=TOOLS)
        assert [{"city": "Paris"}, {"city": "北京"}] == [
            json.loads(arguments) for _, _, arguments in got["calls"].values()
        ]
        whole = [
            (call.id, call.function.arguments)
            for call in response.message.tool_calls or []
            if call.function
        ]
        if dialect != "ollama":  # whose arguments are objects: their text is written anew
            assert whole == [
                (call_id, arguments) for call_id, _, arguments in got["calls"].values()
            ]
        assert 2 == len(whole)


EXCEPTIONS: dict[int, type[ApiError]] = {
    400: cohere.BadRequestError,
    401: cohere.UnauthorizedError,
    403: cohere.ForbiddenError,
    404: cohere.NotFoundError,
    422: cohere.UnprocessableEntityError,
    429: cohere.TooManyRequestsError,
    500: cohere.InternalServerError,
    503: cohere.ServiceUnavailableError,
}


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "native"])
@pytest.mark.parametrize("stream", [True, False])
async def test_it_raises_its_own_exceptions(dialect: str, stream: bool) -> None:
    async with client(dialect) as (sdk, _):
        for status, expected in EXCEPTIONS.items():
            with pytest.raises(expected) as caught:  # noqa: PT012
                if stream:
                    _ = [
                        event
                        async for event in sdk.chat_stream(
                            model="m", messages=HI, request_options=faulty(f"status:{status}")
                        )
                    ]
                else:
                    await sdk.chat(
                        model="m", messages=HI, request_options=faulty(f"status:{status}")
                    )
            assert str(status) in caught.value.body["message"]


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_a_broken_stream_ends_in_the_vendors_error(dialect: str) -> None:
    """This SDK raises nothing in a stream: the vendor says `ERROR` in message-end, with a message,
    and the SDK gives both."""
    async with client(dialect) as (sdk, _):
        for fault in ("close@4", "cut@4", "error@4"):
            got = said(
                [
                    event
                    async for event in sdk.chat_stream(
                        model="m", messages=HI, request_options=faulty(fault)
                    )
                ]
            )
            assert got["text"]
            assert "ERROR" == got["end"]["finish_reason"]
            assert got["end"]["error"]


async def test_a_wrong_request_is_its_bad_request() -> None:
    async with client("native") as (sdk, _):
        with pytest.raises(cohere.BadRequestError) as caught:
            await sdk.chat(model="m", messages=[])
        assert "messages must hold at least one message." == caught.value.body["message"]


async def test_models_are_listed_in_its_form() -> None:
    async with client("native", fast=[{"upstream": "far"}]) as (sdk, _):
        assert ["fast"] == [model.name for model in (await sdk.models.list(endpoint="chat")).models]


@pytest.fixture(autouse=True)
def _quiet_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads proxies, keys and addresses from the environment; these tests must not."""
    for name in (
        "CO_API_KEY",
        "CO_API_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
