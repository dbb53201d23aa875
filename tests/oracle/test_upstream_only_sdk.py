"""The openai SDK, unmodified, over vendors that Mainstem only calls: their bytes, written out here,
give text, tools and the SDK's own exceptions, with real sockets on both sides.
"""

import json
from typing import Any

import openai
import pytest

from tests.dialects.upstream_only import data
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import one, running

NAMES = ("dashscope", "hunyuan", "qianfan", "zhipu", "minimax", "tgi")
PATHS = {
    "dashscope": "/services/aigc/text-generation/generation",
    "hunyuan": "/",
    "qianfan": "/chat/m?access_token=k",
    "zhipu": "/model-api/m/sse-invoke",
    "minimax": "/text/chatcompletion_v2",
    "tgi": "/generate_stream",
}
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
WEATHER: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}

HELLO = {
    "dashscope": data(
        {"output": {"choices": [{"message": {"content": "Hel"}, "finish_reason": "null"}]}},
        {
            "output": {"choices": [{"message": {"content": "lo"}, "finish_reason": "stop"}]},
            "usage": {"input_tokens": 3, "output_tokens": 2},
        },
    ),
    "hunyuan": data(
        {"Choices": [{"Delta": {"Content": "Hel"}, "FinishReason": ""}]},
        {
            "Choices": [{"Delta": {"Content": "lo"}, "FinishReason": "stop"}],
            "Usage": {"PromptTokens": 3, "CompletionTokens": 2},
        },
    ),
    "qianfan": data(
        {"result": "Hel", "is_end": False, "finish_reason": "normal"},
        {
            "result": "lo",
            "is_end": True,
            "finish_reason": "normal",
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        },
    ),
    "zhipu": b'event:add\nid:1\ndata:Hel\n\nevent:finish\nid:1\ndata:lo\nmeta:{"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n',
    "minimax": data(
        {"choices": [{"index": 0, "delta": {"content": "Hel"}}]},
        {"choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"}]},
        {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
            "base_resp": {"status_code": 0},
        },
    ),
    "tgi": data(
        {"token": {"text": "Hel", "special": False}, "generated_text": None},
        {
            "token": {"text": "lo", "special": False},
            "generated_text": "Hello",
            "details": {"finish_reason": "eos_token", "generated_tokens": 2, "input_length": 3},
        },
    ),
}
CALL = {
    "index": 0,
    "id": "c1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"a":1}'},
}
TOOLS = {
    "dashscope": data(
        {
            "output": {
                "choices": [
                    {
                        "message": {"content": "", "tool_calls": [CALL]},
                        "finish_reason": "tool_calls",
                    }
                ]
            }
        }
    ),
    "hunyuan": data(
        {
            "Choices": [
                {
                    "Delta": {
                        "ToolCalls": [
                            {"Id": "c1", "Function": {"Name": "weather", "Arguments": '{"a":1}'}}
                        ]
                    },
                    "FinishReason": "tool_calls",
                }
            ]
        }
    ),
    "qianfan": data(
        {"result": "", "is_end": True, "function_call": {"name": "weather", "arguments": '{"a":1}'}}
    ),
    "minimax": data(
        {"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}, "finish_reason": "tool_calls"}]}
    ),
}
# The vendor's way to say that there were too many requests: under status 200.
TOO_MANY = {
    "dashscope": {"code": "Throttling", "message": "Slow down."},
    "hunyuan": {"Response": {"Error": {"Code": "LimitExceeded", "Message": "Slow down."}}},
    "qianfan": {"error_code": 18, "error_msg": "Slow down."},
    "zhipu": {"code": 1302, "msg": "Slow down.", "success": False},
    "minimax": {"base_resp": {"status_code": 1002, "status_msg": "Slow down."}},
    "tgi": {"error": "Slow down.", "error_type": "overloaded"},
}


def streamed(body: bytes, heads: list[bytes]) -> Any:
    """An upstream that answers every request with this stream."""

    async def script(peer: Peer) -> None:
        while True:
            heads.append(await peer.request())
            peer.write(CHUNKED)
            for at in range(0, len(body), 7):
                peer.send(body[at : at + 7])
            peer.write(LAST_CHUNK)

    return script


def document(body: bytes) -> Any:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(JSON_HEAD % len(body) + body)
        await peer.left()

    return script


def client(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)


async def asked(url: str, **more: Any) -> list[Any]:
    async with client(url) as sdk:
        stream: Any = await sdk.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
            **more,
        )
        return [chunk async for chunk in stream]


@pytest.mark.parametrize("name", NAMES)
async def test_text_and_counts(name: str) -> None:
    """Streamed and whole; the request goes to the vendor's path."""
    heads: list[bytes] = []
    async with (
        raw_upstream(streamed(HELLO[name], heads)) as far,
        running(one(name, far, api_key="k")) as run,
    ):
        chunks = await asked(run.url)
        async with client(run.url) as sdk:
            whole = await sdk.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}]
            )
    assert (
        "Hello"
        == "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        == whole.choices[0].message.content
    )
    assert "stop" == whole.choices[0].finish_reason
    for usage in (chunks[-1].usage, whole.usage):
        assert (3, 2) == (usage.prompt_tokens, usage.completion_tokens)
    assert f"POST {PATHS[name]} HTTP/1.1".encode() == heads[0].split(b"\r\n")[0]


@pytest.mark.parametrize("name", TOOLS)
async def test_a_call(name: str) -> None:
    """By name and arguments, with the finish that the SDK's users look for."""
    async with raw_upstream(streamed(TOOLS[name], [])) as far, running(one(name, far)) as run:
        chunks = await asked(run.url, tools=[WEATHER])
    calls = [
        call
        for chunk in chunks
        if chunk.choices
        for call in chunk.choices[0].delta.tool_calls or []
    ]
    assert ("weather", '{"a":1}') == (
        calls[0].function.name,
        "".join(call.function.arguments for call in calls),
    )
    assert "tool_calls" in [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]


@pytest.mark.parametrize("name", NAMES)
async def test_an_error_under_status_200(name: str) -> None:
    """Before the first content it is an HTTP error again, and the SDK's own exception."""
    async with (
        raw_upstream(document(json.dumps(TOO_MANY[name]).encode())) as far,
        running(one(name, far)) as run,
    ):
        with pytest.raises(openai.RateLimitError, match=r"Slow down\."):
            await asked(run.url)


@pytest.mark.parametrize("name", NAMES)
async def test_an_error_in_the_middle(name: str) -> None:
    """After the first text it is an exception while the stream is read."""
    first = HELLO[name].partition(b"\n\n")[0] + b"\n\n"
    wrong = b"event:error\n" + data(TOO_MANY[name])
    async with raw_upstream(streamed(first + wrong, [])) as far, running(one(name, far)) as run:
        with pytest.raises(openai.APIError, match=r"Slow down\."):
            await asked(run.url)


@pytest.mark.parametrize("name", NAMES)
async def test_a_cut_is_an_error(name: str) -> None:
    """A body that ends before the answer does is no answer."""
    first = HELLO[name].partition(b"\n\n")[0] + b"\n\n"
    async with raw_upstream(streamed(first, [])) as far, running(one(name, far)) as run:
        with pytest.raises(openai.APIError):
            await asked(run.url)
