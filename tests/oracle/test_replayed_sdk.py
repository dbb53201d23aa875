"""Vendors' own SDKs read a replayed stream as they read the vendor's."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anthropic
import openai

from proxy.mock.compose import MockSpec
from proxy.mock.server import MockServer
from proxy.recording.shelf import Titled
from proxy.recording.tape import Asked, Read, Recording
from tests.recording.samples import recording

FRAMES = [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}\n\n',
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello 你"}}\n\n',
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
]


@asynccontextmanager
async def replayed(one: Recording) -> AsyncIterator[str]:
    spec = MockSpec("recorded", shelf=(Titled("one", one),), speed=4)
    server = MockServer({"replay": spec}, root="replay")
    try:
        yield await server.start()
    finally:
        await server.stop()


async def test_openai_reads_it() -> None:
    async with replayed(recording()) as url:
        client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        async with client:
            stream = await client.chat.completions.create(
                model="m-1", stream=True, messages=[{"role": "user", "content": "hi"}]
            )
            chunks = [chunk async for chunk in stream]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert ("Hello 你", "stop") == (said, chunks[-1].choices[0].finish_reason)


async def test_anthropic_reads_it() -> None:
    data = "".join(FRAMES).encode()
    cuts = [0, 100, 333, 334, len(data)]
    reads = tuple(
        Read(number * 10, data[start:end])
        for number, (start, end) in enumerate(itertools.pairwise(cuts))
    )
    one = recording(
        dialect="anthropic", request=Asked(path="/v1/messages", body={"stream": True}), reads=reads
    )
    async with replayed(one) as url:
        async with anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0) as client:
            async with client.messages.stream(
                model="c", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            ) as stream:
                text = "".join([piece async for piece in stream.text_stream])
                message = await stream.get_final_message()
    assert ("Hello 你", "end_turn", 5) == (text, message.stop_reason, message.usage.output_tokens)
