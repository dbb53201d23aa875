"""OpenAI's SDK over a WebSocket: it reads every event, goes on from an answer, and hears errors."""

from typing import Any

import openai
import pytest

from tests.running import running

pytest.importorskip("websockets")
CONFIG: dict[str, Any] = {
    "upstreams": {
        "far": {"dialect": "anthropic", "mock": {"scenario": "reasoning", "tokens_per_s": 0}},
        "tools": {"dialect": "gemini", "mock": {"scenario": "tools", "tokens_per_s": 0}},
    },
    "models": {"m": [{"upstream": "far"}], "tools": [{"upstream": "tools"}]},
}
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


async def until(connection: Any, *ends: str) -> Any:
    """The event that ends an answer."""
    async for event in connection:
        if event.type in ends:
            return event
    raise AssertionError("the connection was closed")


async def test_it_talks() -> None:
    async with (
        running(CONFIG) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="k") as sdk,
        sdk.responses.connect() as connection,
    ):
        await connection.response.create(model="m", input="Think")
        first = (await until(connection, "response.completed")).response
        assert first.output_text
        assert first.usage.output_tokens > 0
        more: Any = [{"type": "message", "role": "user", "content": "More"}]
        await connection.response.create(model="m", input=more, previous_response_id=first.id)
        assert (await until(connection, "response.completed")).response.output_text
        turns = run.mock.account.newest(1)[0]["body"]["messages"]
        assert ["user", "assistant", "user"] == [turn["role"] for turn in turns]


async def test_a_loop_with_a_tool() -> None:
    async with (
        running(CONFIG) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="k") as sdk,
        sdk.responses.connect() as connection,
    ):
        await connection.response.create(model="tools", input="Weather?", tools=[TOOL])
        first = (await until(connection, "response.completed")).response
        calls = [item for item in first.output if item.type == "function_call"]
        assert calls
        results: Any = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
            for call in calls
        ]
        await connection.response.create(
            model="tools", input=results, previous_response_id=first.id, tools=[TOOL]
        )
        assert "completed" == (await until(connection, "response.completed")).response.status


async def test_it_hears_errors() -> None:
    async with (
        running(CONFIG) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="k") as sdk,
        sdk.responses.connect() as connection,
    ):
        await connection.response.create(model="none", input="hi")
        error = await until(connection, "error")
        assert "There is no model 'none' here" in str(error)
