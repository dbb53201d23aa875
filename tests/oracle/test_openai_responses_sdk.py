"""The openai SDK, unmodified, on `/v1/responses`: whatever speaks upstream, it sees its own
vendor's Responses API."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pydantic
import pytest

from tests.running import Running, running

UPSTREAMS = ["openai_responses", "openai_chat", "anthropic", "native", "plain"]
RICH = ["openai_responses", "openai_chat", "anthropic", "native"]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": SCHEMA,
    "strict": True,
}


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
    """The same answer as one native document: what the SDK's accumulation is held against."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", "stream": False}
    ) as response:
        assert 200 == response.status, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_text_is_streamed_and_accumulated(dialect: str) -> None:
    """The deltas, the accumulated response and its usage are the answer; every event is counted."""
    async with client_of(dialect, "chinese") as (client, run):
        async with client.responses.stream(
            model="m", input="hi", instructions="Be brief."
        ) as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        answer = await native_answer(run)
    assert answer["text"] == final.output_text
    assert answer["text"] == "".join(
        event.delta for event in events if event.type == "response.output_text.delta"
    )
    assert list(range(len(events))) == [event.sequence_number for event in events]
    assert ["response.created", "response.in_progress", "response.output_item.added"] == [
        event.type for event in events[:3]
    ]
    assert ("response.completed", "completed") == (events[-1].type, final.status)
    assert ("m", "Be brief.") == (final.model, final.instructions)
    if answer["usage"]["output_tokens"] is not None:
        assert final.usage is not None
        assert answer["usage"]["output_tokens"] == final.usage.output_tokens


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_create_streams_too(dialect: str) -> None:
    """The plain stream, without the SDK's accumulation."""
    async with client_of(dialect) as (client, run):
        stream = await client.responses.create(
            model="m", input=[{"role": "user", "content": "hi"}], stream=True
        )
        text = "".join(
            [event.delta async for event in stream if event.type == "response.output_text.delta"]
        )
        assert (await native_answer(run))["text"] == text


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_one_document(dialect: str) -> None:
    """Without `stream`: one response."""
    async with client_of(dialect) as (client, run):
        response = await client.responses.create(model="m", input="hi")
        assert (await native_answer(run))["text"] == response.output_text
        assert ("completed", "response") == (response.status, response.object)
        assert response.model_dump(mode="json", warnings="error")["output"]


@pytest.mark.parametrize("dialect", RICH)
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_tool_is_called_and_its_result_goes_back(dialect: str, streamed: bool) -> None:
    """The second turn is the first one's output as it came, and the result."""
    async with client_of(dialect, "tool_then_answer") as (client, run):
        items: list[Any] = [{"role": "user", "content": "weather?"}]
        if streamed:
            async with client.responses.stream(model="m", input=items, tools=[TOOL]) as stream:
                pieces = [
                    event.delta
                    async for event in stream
                    if event.type == "response.function_call_arguments.delta"
                ]
                first = await stream.get_final_response()
        else:
            first, pieces = await client.responses.parse(model="m", input=items, tools=[TOOL]), []
        (call,) = [item for item in first.output if item.type == "function_call"]
        assert ("get_weather", {"city": "Paris"}) == (call.name, call.parsed_arguments)
        assert not streamed or call.arguments == "".join(pieces)
        items += [item.to_dict() for item in first.output]
        items.append(
            {"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}
        )
        second = await client.responses.create(model="m", input=items, tools=[TOOL])
        assert "21 degrees" in second.output_text
        asked = json.dumps(run.mock.account.newest(1)[0]["body"])
        assert call.call_id in asked
        assert "21 degrees" in asked


@pytest.mark.parametrize("dialect", RICH)
async def test_several_calls_at_once(dialect: str) -> None:
    """Each is an item of its own, with its own id and whole arguments."""
    async with client_of(dialect, "tools") as (client, run):
        async with client.responses.stream(model="m", input="hi", tools=[TOOL]) as stream:
            final = await stream.get_final_response()
        calls = [item for item in final.output if item.type == "function_call"]
        assert [
            json.loads(call["arguments"]) for call in (await native_answer(run))["tool_calls"]
        ] == [json.loads(c.arguments) for c in calls]
        assert (
            len(calls) == len({call.call_id for call in calls}) == len({call.id for call in calls})
        )


@pytest.mark.parametrize("dialect", RICH)
@pytest.mark.parametrize("streamed", [True, False])
async def test_reasoning_comes_and_goes_back(dialect: str, streamed: bool) -> None:
    """As a summary; where the vendor signs it, the signature is the encrypted content and reaches
    the vendor again."""
    async with client_of(dialect, "reasoning") as (client, run):
        asked: dict[str, Any] = {
            "model": "m",
            "input": "hi",
            "reasoning": {"effort": "low"},
            "include": ["reasoning.encrypted_content"],
        }
        if streamed:
            async with client.responses.stream(**asked) as stream:
                pieces = [
                    event.delta
                    async for event in stream
                    if event.type == "response.reasoning_summary_text.delta"
                ]
                first = await stream.get_final_response()
        else:
            first, pieces = await client.responses.create(**asked), []
        (item,) = [item for item in first.output if item.type == "reasoning"]
        text = "".join(part.text for part in item.summary)
        assert (await native_answer(run))["reasoning"] == text
        assert not streamed or text == "".join(pieces)
        if dialect != "openai_chat":  # which has no place for it
            assert item.encrypted_content.endswith("bW9jay1zaWduYXR1cmU=")
        items: list[Any] = [
            {"role": "user", "content": "hi"},
            *(out.to_dict() for out in first.output),
            {"role": "user", "content": "and now?"},
        ]
        await client.responses.create(model="m", input=items)
        body = json.dumps(run.mock.account.newest(1)[0]["body"])
        assert (dialect != "openai_chat") == ('"bW9jay1zaWduYXR1cmU="' in body)


class City(pydantic.BaseModel):
    city: str


@pytest.mark.parametrize("dialect", ["openai_responses", "openai_chat", "native"])
async def test_an_answer_is_parsed_into_a_type(dialect: str) -> None:
    """The schema reaches the vendor, and the text is read by it, streamed and whole."""
    asked = json.dumps({"city": "Paris"})
    async with client_of(dialect, "echo") as (client, run):
        whole = await client.responses.parse(model="m", input=asked, text_format=City)
        assert City(city="Paris") == whole.output_parsed
        assert "City" in json.dumps(run.mock.account.newest(1)[0]["body"])
        async with client.responses.stream(model="m", input=asked, text_format=City) as stream:
            assert City(city="Paris") == (await stream.get_final_response()).output_parsed


@pytest.mark.parametrize("dialect", RICH)
async def test_an_answer_cut_by_its_limit_is_incomplete(dialect: str) -> None:
    """Streamed and whole, with the reason."""
    async with client_of(dialect, "length") as (client, _):
        stream = await client.responses.create(model="m", input="hi", stream=True)
        last = [event async for event in stream][-1]
        assert "response.incomplete" == last.type
        whole = await client.responses.create(model="m", input="hi")
        for response in (last.response, whole):
            assert "incomplete" == response.status
            assert response.incomplete_details is not None
            assert "max_output_tokens" == response.incomplete_details.reason


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "native"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("status:400", openai.BadRequestError),
        ("status:401", openai.AuthenticationError),
        ("status:403", openai.PermissionDeniedError),
        ("status:404", openai.NotFoundError),
        ("status:429", openai.RateLimitError),
        ("status:500", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_sdk_raises_its_own_exceptions(
    dialect: str, fault: str, expected: type[Exception], stream: bool
) -> None:
    """By the status, before the first byte."""
    async with client_of(dialect) as (client, _):
        with pytest.raises(expected):
            await client.responses.create(
                model="m", input="hi", stream=stream, extra_headers={"x-mock-fault": fault}
            )


@pytest.mark.parametrize("dialect", RICH)
@pytest.mark.parametrize("fault", ["close@4", "cut@4", "error@4"])
async def test_a_broken_stream_raises(dialect: str, fault: str) -> None:
    """After some text, and without an event that would end a good answer."""
    async with client_of(dialect) as (client, _):
        stream = await client.responses.create(
            model="m", input="hi", stream=True, extra_headers={"x-mock-fault": fault}
        )
        kinds = []
        with pytest.raises(openai.APIError):  # noqa: PT012
            async for event in stream:
                kinds.append(event.type)  # noqa: PERF401  what came before the error counts
        assert "response.output_text.delta" in kinds
        assert not {"response.completed", "response.incomplete", "response.output_text.done"} & set(
            kinds
        )


async def test_what_is_kept_elsewhere_is_refused() -> None:
    """To go on from an answer that is not here would give a wrong one."""
    async with client_of("openai_chat") as (client, _):
        with pytest.raises(openai.BadRequestError, match="send the whole input") as caught:
            await client.responses.create(model="m", input="hi", previous_response_id="resp_1")
        assert "previous_response_id" == caught.value.param


async def test_models_are_listed() -> None:
    """On the path that chat completions have."""
    async with client_of("openai_responses") as (client, _):
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
