"""Mistral's own Python SDK, unmodified, as a client of the path that it shares with OpenAI's:
whatever speaks upstream."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mistralai.client import Mistral
from mistralai.client.errors import MistralError, SDKError
from mistralai.client.models import AssistantMessage, CompletionChunk

from tests.running import Running, running

UPSTREAMS = ["openai_chat", "anthropic", "native", "gemini"]
HI: list[Any] = [{"role": "user", "content": "hi"}]
TOOLS: list[Any] = [
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
async def mistral(dialect: str, scenario: str = "hello") -> AsyncIterator[tuple[Mistral, Running]]:
    config = {
        "upstreams": {
            "far": {"dialect": dialect, "mock": {"scenario": scenario, "tokens_per_s": 0}}
        },
        "models": {
            "fast": [{"upstream": "far"}],
            "*": [{"upstream": "far", "model": "some-model"}],
        },
    }
    async with running(config) as run, Mistral(api_key="none", server_url=run.url) as client:
        yield client, run


async def native_answer(run: Running) -> dict[str, Any]:
    """The same answer as one native document."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", "stream": False}
    ) as response:
        assert 200 == response.status, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def streamed(client: Mistral, messages: list[Any] = HI, **ask: Any) -> list[CompletionChunk]:
    """The chunks; each has a choice, as the vendor's own examples take the first without a look."""
    async with await client.chat.stream_async(model="m", messages=messages, **ask) as stream:
        chunks = [event.data async for event in stream]
    assert all(chunk.choices for chunk in chunks)
    return chunks


def parts(content: Any) -> tuple[str, str]:
    """The thinking and the text of a message's content, or of a delta's."""
    if isinstance(content, str) or not content:
        return "", content or ""
    thinking = "".join(
        piece.text for part in content if part.type == "thinking" for piece in part.thinking
    )
    return thinking, "".join(part.text for part in content if part.type == "text")


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_text_streams_and_its_last_chunk_has_finish_and_usage(dialect: str) -> None:
    async with mistral(dialect, "chinese") as (client, run):
        chunks = await streamed(client)
        answer = await native_answer(run)
    assert answer["text"] == "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert ["stop"] == [
        chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason
    ]
    assert [None] * (len(chunks) - 1) == [chunk.usage for chunk in chunks[:-1]]
    usage = chunks[-1].usage
    assert usage is not None
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (
        usage.prompt_tokens,
        usage.completion_tokens,
    )


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_one_document(dialect: str) -> None:
    async with mistral(dialect) as (client, run):
        response = await client.chat.complete_async(model="m", messages=HI)
        answer = await native_answer(run)
    (choice,) = response.choices
    assert (answer["text"], "stop") == (choice.message.content, choice.finish_reason)
    assert answer["usage"]["output_tokens"] == response.usage.completion_tokens


async def test_a_document_has_a_usage_where_none_is_known() -> None:
    """The SDK refuses one without."""
    async with mistral("sider") as (client, _):
        assert (await client.chat.complete_async(model="m", messages=HI)).choices[0].message.content


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_call_is_whole_and_its_result_goes_back(dialect: str, stream: bool) -> None:
    """`any` is the vendor's word for a call that must be; the SDK's own message goes back as it
    came."""
    async with mistral(dialect, "tool_then_answer") as (client, run):
        ask: dict[str, Any] = {"tools": TOOLS, "tool_choice": "any", "parallel_tool_calls": True}
        if stream:
            chunks = await streamed(client, **ask)
            finish = chunks[-1].choices[0].finish_reason
            calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
            message = AssistantMessage(content="", tool_calls=calls)
        else:
            (choice,) = (await client.chat.complete_async(model="m", messages=HI, **ask)).choices
            finish, message, calls = choice.finish_reason, choice.message, choice.message.tool_calls
        assert "tool_calls" == finish
        (call,) = calls
        assert ("get_weather", {"city": "Paris"}) == (
            call.function.name,
            json.loads(call.function.arguments),
        )
        result = {
            "role": "tool",
            "name": "get_weather",
            "tool_call_id": call.id,
            "content": "21 degrees",
        }
        second = await client.chat.complete_async(
            model="m", messages=[*HI, message, result], tools=TOOLS
        )
        assert "stop" == second.choices[0].finish_reason
        assert "21 degrees" in second.choices[0].message.content
        assert "21 degrees" in str(run.mock.account.newest(1)[0]["body"])


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
async def test_reasoning_is_a_part_of_the_content_both_ways(dialect: str) -> None:
    async with mistral(dialect, "reasoning") as (client, run):
        answer = await native_answer(run)
        chunks = await streamed(client)
        pieces = [parts(chunk.choices[0].delta.content) for chunk in chunks]
        message = (await client.chat.complete_async(model="m", messages=HI)).choices[0].message
        assert answer["reasoning"]
        expected = (answer["reasoning"], answer["text"])
        assert expected == (
            "".join(thinking for thinking, _ in pieces),
            "".join(text for _, text in pieces),
        )
        assert expected == parts(message.content)
        again = await client.chat.complete_async(model="m", messages=[*HI, message, *HI])
        assert again.choices[0].message.content


async def test_what_only_this_vendor_says_is_taken() -> None:
    """Its seed, arguments that are an object, a call's id of nine characters, and its other words:
    they go up as they are, the arguments as the text that every vendor takes."""
    turn = [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "a1B2c3D4e",
                    "function": {"name": "get_weather", "arguments": {"city": "Paris"}},
                }
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "a1B2c3D4e",
            "name": "get_weather",
            "content": "21 degrees",
        },
        {"role": "assistant", "content": "It is", "prefix": True},
    ]
    async with mistral("openai_chat") as (client, run):
        await streamed(
            client,
            [*HI, *turn],
            random_seed=7,
            safe_prompt=True,
            prompt_mode="reasoning",
            min_tokens=3,
        )
        (asked,) = run.mock.account.newest(1)
        assert (7, True) == (asked["body"]["random_seed"], asked["body"]["safe_prompt"])
        (call,) = asked["body"]["messages"][1]["tool_calls"]
        assert ("a1B2c3D4e", {"city": "Paris"}) == (
            call["id"],
            json.loads(call["function"]["arguments"]),
        )


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [("status:401", 401), ("status:404", 404), ("status:429", 429), ("status:500", 502)],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_its_own_exceptions(dialect: str, fault: str, status: int, stream: bool) -> None:
    async with mistral(dialect) as (client, _):
        ask = client.chat.stream_async if stream else client.chat.complete_async
        with pytest.raises(SDKError) as caught:
            await ask(model="m", messages=HI, http_headers={"x-mock-fault": fault})
    assert status == caught.value.status_code
    assert json.loads(caught.value.body)["error"]["message"] in caught.value.message


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize("fault", ["close@4", "cut@4", "error@4"])
async def test_a_broken_stream_is_its_own_exception_too(dialect: str, fault: str) -> None:
    """After the text so far; its words are in the body that the exception has."""
    text, finishes = "", []
    async with mistral(dialect) as (client, _):
        with pytest.raises(MistralError) as caught:  # noqa: PT012
            async with await client.chat.stream_async(
                model="m", messages=HI, http_headers={"x-mock-fault": fault}
            ) as stream:
                async for event in stream:
                    text += event.data.choices[0].delta.content or ""
                    finishes += [
                        choice.finish_reason
                        for choice in event.data.choices
                        if choice.finish_reason
                    ]
    assert text
    assert [] == finishes
    assert json.loads(caught.value.body)["data"]["error"]["message"]


async def test_models_are_listed() -> None:
    async with mistral("openai_chat") as (client, _):
        listed = await client.models.list_async()
    assert [("fast", "base", True)] == [
        (model.id, model.type, model.capabilities.completion_chat) for model in listed.data or []
    ]
