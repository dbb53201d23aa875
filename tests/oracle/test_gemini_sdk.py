"""Google's Python SDK, unmodified, as the client: whatever speaks upstream, it sees the Gemini
API."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running

genai = pytest.importorskip("google.genai")
errors = pytest.importorskip("google.genai.errors")
types = pytest.importorskip("google.genai.types")

# The SDK derives its own session class from aiohttp's, which that discourages: its affair, not
# ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)
UPSTREAMS = ["openai_chat", "anthropic", "native", "gemini"]
WITH_REASONING = ["openai_chat", "anthropic", "native", "gemini"]
TOOL = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
}
STATUSES = [
    (400, "ClientError"),
    (401, "ClientError"),
    (403, "ClientError"),
    (404, "ClientError"),
    (429, "ClientError"),
    (500, "ServerError"),
]


def config(dialect: str, scenario: str) -> dict[str, Any]:
    return {
        "upstreams": {
            "far": {"dialect": dialect, "mock": {"scenario": scenario, "tokens_per_s": 0}}
        },
        "models": {
            "m": [{"upstream": "far", "model": "some-model"}],
            "*": [{"upstream": "far", "model": "some-model"}],
        },
    }


@asynccontextmanager
async def sdk(run: Running, version: str | None = None, **headers: str) -> AsyncIterator[Any]:
    """The SDK's asynchronous client, without its retries; `version` of the API, its own where none
    is named."""
    options = types.HttpOptions(
        base_url=run.url,
        api_version=version,
        headers=headers,
        retry_options=types.HttpRetryOptions(attempts=1),
    )
    client = genai.Client(api_key="none", http_options=options).aio
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def gemini(
    dialect: str, scenario: str = "hello", **headers: str
) -> AsyncIterator[tuple[Any, Running]]:
    async with running(config(dialect, scenario)) as run, sdk(run, **headers) as client:
        yield client, run


async def native_answer(run: Running) -> dict[str, Any]:
    """The same answer as one native document: what the SDK's accumulation is held against."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", "stream": False}
    ) as response:
        assert 200 == response.status, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def chunks(client: Any, **more: Any) -> list[Any]:
    asked = {"model": "m", "contents": "hi", **more}
    return [chunk async for chunk in await client.models.generate_content_stream(**asked)]


@pytest.mark.parametrize("dialect", [*UPSTREAMS, "sider", "baidu_chat"])
async def test_text_streams(dialect: str) -> None:
    async with gemini(dialect, "chinese") as (client, run):
        got = await chunks(client)
        answer = await native_answer(run)
    assert answer["text"] == "".join(chunk.text or "" for chunk in got)
    assert [*[None] * (len(got) - 1), types.FinishReason.STOP] == [
        chunk.candidates[0].finish_reason for chunk in got
    ]
    counted = got[-1].usage_metadata
    if answer["usage"]["output_tokens"] is not None:
        assert answer["usage"]["output_tokens"] == counted.candidates_token_count
        assert answer["usage"]["input_tokens"] == counted.prompt_token_count


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_one_document(dialect: str) -> None:
    async with gemini(dialect) as (client, run):
        got = await client.models.generate_content(model="m", contents="hi")
        assert (await native_answer(run))["text"] == got.text
    assert types.FinishReason.STOP == got.candidates[0].finish_reason
    assert "m" == got.model_version


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_a_limit_is_a_finish(dialect: str) -> None:
    async with gemini(dialect, "length") as (client, _):
        assert (
            types.FinishReason.MAX_TOKENS == (await chunks(client))[-1].candidates[0].finish_reason
        )


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_tool_calls_stream_and_their_results_go_back(dialect: str) -> None:
    async with gemini(dialect, "tool_then_answer") as (client, _):
        chat = client.chats.create(model="m", config={"tools": [{"function_declarations": [TOOL]}]})
        calls = [
            call
            async for chunk in await chat.send_message_stream("weather?")
            for call in chunk.function_calls or []
        ]
        assert [("get_weather", {"city": "Paris"})] == [(call.name, call.args) for call in calls]
        assert calls[0].id
        results = [
            types.Part.from_function_response(name=call.name, response={"result": "21 degrees"})
            for call in calls
        ]
        answer = await chat.send_message(results)
        assert "The tool says: 21 degrees" == answer.text


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_parallel_calls(dialect: str) -> None:
    async with gemini(dialect, "tools") as (client, run):
        got = await chunks(client)
        answer = await native_answer(run)
    calls = [call for chunk in got for call in chunk.function_calls or []]
    assert ["Paris", "北京"] == [call.args["city"] for call in calls]
    assert [call["id"] for call in answer["tool_calls"]] == [call.id for call in calls]


@pytest.mark.parametrize("dialect", WITH_REASONING)
@pytest.mark.parametrize("stream", [True, False])
async def test_reasoning_is_shown_as_thoughts(dialect: str, stream: bool) -> None:
    asked = {"thinking_config": {"include_thoughts": True}, "max_output_tokens": 4000}
    async with gemini(dialect, "reasoning") as (client, run):
        got = (
            await chunks(client, config=asked)
            if stream
            else [await client.models.generate_content(model="m", contents="hi", config=asked)]
        )
        answer = await native_answer(run)
    parts = [part for chunk in got for part in chunk.candidates[0].content.parts]
    assert answer["reasoning"] == "".join(part.text for part in parts if part.thought)
    assert answer["text"] == "".join(part.text or "" for part in parts if not part.thought)
    signatures = [part.thought_signature for part in parts if part.thought_signature]
    assert dialect == "openai_chat" or 1 == len(signatures)


async def test_a_signature_goes_back_to_the_vendor_it_came_from() -> None:
    async with gemini("anthropic", "reasoning") as (client, run):
        chat = client.chats.create(
            model="m",
            config={"thinking_config": {"include_thoughts": True}, "max_output_tokens": 20000},
        )
        async for _ in await chat.send_message_stream("hi"):
            pass
        await chat.send_message("and then?")
        turns = run.mock.account.newest(1)[0]["body"]["messages"]
    thought = turns[1]["content"][0]
    assert ("thinking", "bW9jay1zaWduYXR1cmU=") == (thought["type"], thought["signature"])
    assert thought["thinking"]


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
@pytest.mark.parametrize(("status", "name"), STATUSES)
@pytest.mark.parametrize("stream", [True, False])
async def test_its_own_exceptions(dialect: str, status: int, name: str, stream: bool) -> None:
    async with gemini(dialect, "hello", **{"x-mock-fault": f"status:{status}"}) as (client, _):
        with pytest.raises(errors.APIError) as caught:
            await (
                chunks(client)
                if stream
                else client.models.generate_content(model="m", contents="hi")
            )
    assert name == type(caught.value).__name__
    assert status in (caught.value.code, 500)  # an upstream's 500 is our 502
    assert caught.value.status in {
        "INVALID_ARGUMENT",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "NOT_FOUND",
        "RESOURCE_EXHAUSTED",
        "UNAVAILABLE",
    }
    assert str(status) in caught.value.message


@pytest.mark.parametrize("dialect", [*UPSTREAMS, "sider"])
@pytest.mark.parametrize("fault", ["close@4", "cut@4", "error@4"])
async def test_a_broken_stream_raises(dialect: str, fault: str) -> None:
    async with gemini(dialect, "hello", **{"x-mock-fault": fault}) as (client, _):
        text = ""
        with pytest.raises(errors.APIError):  # noqa: PT012
            async for chunk in await client.models.generate_content_stream(
                model="m", contents="hi"
            ):
                text += chunk.text or ""
                assert not chunk.candidates[0].finish_reason
    assert text


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_models_are_listed(version: str) -> None:
    """Where this SDK asks, and where older ones did."""
    async with running(config("openai_chat", "hello")) as run, sdk(run, version) as client:
        listed = [model async for model in await client.models.list()]
    assert [("models/m", ["generateContent", "streamGenerateContent"])] == [
        (model.name, model.supported_actions) for model in listed
    ]


async def test_settings_arrive_at_another_vendor() -> None:
    asked = {
        "system_instruction": "Be brief.",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 100,
        "stop_sequences": ["END"],
        "seed": 7,
        "response_mime_type": "application/json",
        "response_schema": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}},
    }
    image = types.Part.from_bytes(data=b"\x89PNG\xff\xfe", mime_type="image/png")
    async with gemini("openai_chat") as (client, run):
        await chunks(client, contents=[image, "what is this?"], config=asked)
        body = run.mock.account.newest(1)[0]["body"]
    assert {"role": "system", "content": "Be brief."} == body["messages"][0]
    assert {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR//+"}} == body[
        "messages"
    ][1]["content"][0]
    assert (0.5, 0.9, 100, ["END"], 7) == tuple(
        body[name] for name in ("temperature", "top_p", "max_tokens", "stop", "seed")
    )
    assert {"type": "object", "properties": {"n": {"type": "integer"}}} == body["response_format"][
        "json_schema"
    ]["schema"]


async def test_sources_of_another_vendor_are_grounding() -> None:
    """A citation of Anthropic's, found where this SDK's users look."""
    frames = [
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"a","role":"assistant","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"It is."}}\n\n',
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://a.test","title":"A","cited_text":"so","encrypted_index":""}}}\n\n',
        b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}\n\n',
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ]

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.write(CHUNKED)
            peer.send(b"".join(frames))
            peer.write(LAST_CHUNK)

    async with (
        raw_upstream(script) as url,
        running(one("anthropic", url)) as run,
        sdk(run) as client,
    ):
        streamed = (await chunks(client))[-1].candidates[0].grounding_metadata
        whole = (
            (await client.models.generate_content(model="m", contents="hi"))
            .candidates[0]
            .grounding_metadata
        )
    for found in (streamed, whole):
        assert [("https://a.test", "A")] == [
            (chunk.web.uri, chunk.web.title) for chunk in found.grounding_chunks
        ]


async def test_a_signature_comes_back_from_another_vendors_client() -> None:
    """Anthropic's clients keep it in a block of thinking, OpenAI's beside the call."""
    call = {"functionCall": {"name": "get_weather", "args": {}}, "thoughtSignature": "c2lnbmF0dXJl"}
    answer = {"candidates": [{"content": {"parts": [call]}, "finishReason": "STOP"}]}
    asked: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            asked.append(json.loads(peer.body))
            peer.write(CHUNKED)
            peer.send(b"data: " + json.dumps(answer).encode() + b"\r\n\r\n")
            peer.write(LAST_CHUNK)

    target = one("gemini", "") | {"models": {"*": [{"upstream": "far", "model": "gemini-3-flash"}]}}
    async with raw_upstream(script) as url:
        target["upstreams"]["far"]["base_url"] = url
        async with running(target) as run:
            async with anthropic.AsyncAnthropic(
                base_url=run.url, api_key="none", max_retries=0
            ) as client:
                turns: list[Any] = [{"role": "user", "content": "weather?"}]
                first = await client.messages.create(model="m", max_tokens=9, messages=turns)
                turns.append(
                    {
                        "role": "assistant",
                        "content": [block.model_dump(exclude_none=True) for block in first.content],
                    }
                )
                result = {
                    "type": "tool_result",
                    "tool_use_id": next(b.id for b in first.content if b.type == "tool_use"),
                    "content": "21 degrees",
                }
                await client.messages.create(
                    model="m",
                    max_tokens=9,
                    messages=[*turns, {"role": "user", "content": [result]}],
                )
            async with openai.AsyncOpenAI(
                base_url=f"{run.url}/v1", api_key="none", max_retries=0
            ) as other:
                said = (
                    (
                        await other.chat.completions.create(
                            model="m", messages=[{"role": "user", "content": "weather?"}]
                        )
                    )
                    .choices[0]
                    .message
                )
                back: list[Any] = [
                    {"role": "user", "content": "weather?"},
                    said.model_dump(exclude_none=True),
                ]
                back.append(
                    {
                        "role": "tool",
                        "tool_call_id": (said.tool_calls or [])[0].id,
                        "content": "21 degrees",
                    }
                )
                await other.chat.completions.create(model="m", messages=back)
    sent = [asked[turn]["contents"][1]["parts"][0]["thoughtSignature"] for turn in (1, 3)]
    assert ["c2lnbmF0dXJl", "c2lnbmF0dXJl"] == sent


async def test_vertex_is_reached_by_its_own_path() -> None:
    """The SDK in its Vertex mode calls us; and we call a Vertex upstream, with a Bearer token."""
    upstream = config("gemini", "hello")
    upstream["upstreams"]["far"] |= {
        "api_key": "token",
        "options": {"vertex": {"project": "p", "location": "europe-west1"}},
    }
    async with running(upstream) as run:
        path = "/v1beta1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent"
        body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        async with run.session.post(f"{run.url}{path}?alt=sse", json=body) as response:
            assert 200 == response.status
            assert "finishReason" in await response.text()
        asked = run.mock.account.newest(1)[0]
    assert asked["path"].endswith(
        "/v1/projects/p/locations/europe-west1/publishers/google/models/some-model:streamGenerateContent"
    )
    assert "authorization" in asked["headers"]


@pytest.fixture(autouse=True)
def _quiet_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads proxies, keys and its mode from the environment; these tests must not."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("GOOGLE_", "GEMINI_")):
            monkeypatch.delenv(name)
