"""Vendors' SDKs, unmodified, on a stream whose head and heartbeats came before any answer: its
text, or its one error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anthropic
import cohere
import openai
import pytest

from tests.raw_upstream import Peer
from tests.relay.far import Deed, Far, proxied, says, status

SOON = {"streams": {"early_s": 0.03, "heartbeat_s": 0.02}, "models": {"*": [{"upstream": "far"}]}}


def late(deed: Deed) -> Deed:
    async def waits(peer: Peer) -> None:
        await asyncio.sleep(0.1)
        await deed(peer)

    return waits


@asynccontextmanager
async def base_url(deed: Deed) -> AsyncIterator[str]:
    async with proxied(["far"], {"far": Far(late(deed))}, **SOON) as run:
        yield run.url


async def chat(url: str) -> str:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def responses(url: str) -> str:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        async with client.responses.stream(model="m", input="hi") as stream:
            kinds = [event.type async for event in stream]
            if "response.failed" in kinds:
                assert ["response.created", "response.failed"] == [kinds[0], kinds[-1]]
                raise openai.APIError("told so", None, body=None)  # type: ignore[arg-type]
            return (await stream.get_final_response()).output_text


async def messages(url: str) -> str:
    async with anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as client:
        said = {"role": "user", "content": "hi"}
        async with client.messages.stream(model="m", max_tokens=9, messages=[said]) as stream:
            return await stream.get_final_text()


async def cohere_chat(url: str) -> str:
    client = cohere.AsyncClientV2(api_key="k", base_url=url)
    text = ""
    async for event in client.chat_stream(model="m", messages=[{"role": "user", "content": "hi"}]):
        if event.type == "content-delta":
            text += event.delta.message.content.text
        elif event.type == "message-end" and event.delta.finish_reason == "ERROR":
            raise openai.APIError("told so", None, body=None)  # type: ignore[arg-type]
    return text


@pytest.mark.parametrize("asks", [chat, responses, messages, cohere_chat])
async def test_the_answer_comes_after_heartbeats(asks) -> None:
    async with base_url(says("Hello")) as url:
        assert "Hello" == await asks(url)


@pytest.mark.parametrize("asks", [chat, responses, messages, cohere_chat])
async def test_a_failure_is_raised_after_heartbeats(asks) -> None:
    async with base_url(status(500)) as url:
        with pytest.raises((openai.APIError, anthropic.APIError)):
            await asks(url)
