"""The openai SDK, unmodified, over Replicate: the vendor's two steps, written out here, give text
and the SDK's own exceptions, with real sockets on both sides.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import one, running
from tests.support import facts, needs_recordings, recording_bytes

HELLO = b": hi\n\nevent: output\nid: 1:0\ndata: Hel\n\nevent: output\nid: 1:1\ndata: lo\ndata: \ndata:  you\n\n"
DONE = b"event: done\nid: 1:2\ndata: {}\n\n"
TEXT = "Hello\n\n you"


class Vendor:
    """Makes a prediction of every request, or answers with `refusal`; `stream` is what is read at
    its address."""

    def __init__(self, stream: bytes, refusal: tuple[int, dict[str, Any]] | None = None) -> None:
        self.stream, self.refusal, self.url = stream, refusal, ""
        self.asked: list[tuple[bytes, bytes]] = []

    async def script(self, peer: Peer) -> None:
        while True:
            head = await peer.request()
            self.asked.append((head, peer.body))
            if head.startswith(b"GET"):
                await self._streamed(peer)
            elif self.refusal is not None:
                peer.write(_document(*self.refusal))
            else:
                urls = {
                    "get": f"{self.url}/v1/predictions/p",
                    "cancel": f"{self.url}/c",
                    "stream": f"{self.url}/v1/files/p",
                }
                peer.write(
                    _document(
                        201,
                        {
                            "id": "p",
                            "status": "starting",
                            "error": None,
                            "input": json.loads(peer.body)["input"],
                            "urls": urls,
                        },
                    )
                )

    async def _streamed(self, peer: Peer) -> None:
        peer.write(CHUNKED)
        for at in range(0, len(self.stream), 7):
            peer.send(self.stream[at : at + 7])
        if b"event: done" in self.stream:
            await peer.left()  # the vendor leaves the connection open
        else:
            peer.write(LAST_CHUNK)


def _document(status: int, value: dict[str, Any]) -> bytes:
    body = json.dumps(value).encode()
    kind = b"application/json" if status < 400 else b"application/problem+json"
    return b"HTTP/1.1 %d X\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        kind,
        len(body),
        body,
    )


@asynccontextmanager
async def sdk_over(vendor: Vendor) -> AsyncIterator[openai.AsyncOpenAI]:
    async with raw_upstream(vendor.script) as url:
        vendor.url = url
        async with running(one("replicate", url, api_key="r8_k")) as run:
            async with openai.AsyncOpenAI(
                base_url=f"{run.url}/v1", api_key="x", max_retries=0
            ) as sdk:
                yield sdk


async def asked(sdk: openai.AsyncOpenAI, **more: Any) -> list[Any]:
    stream: Any = await sdk.chat.completions.create(
        model="meta/llama", messages=[{"role": "user", "content": "hi"}], stream=True, **more
    )
    return [chunk async for chunk in stream]


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def test_text() -> None:
    """Streamed and whole; the prediction is made and its stream read, each with the key."""
    vendor = Vendor(HELLO + DONE)
    async with sdk_over(vendor) as sdk:
        chunks = await asked(sdk, max_tokens=9)
        whole = await sdk.chat.completions.create(
            model="meta/llama", messages=[{"role": "user", "content": "hi"}]
        )
    assert TEXT == text_of(chunks) == whole.choices[0].message.content
    assert "stop" == chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    lines = [head.split(b"\r\n")[0] for head, _ in vendor.asked]
    assert [
        b"POST /v1/models/meta/llama/predictions HTTP/1.1",
        b"GET /v1/files/p HTTP/1.1",
    ] * 2 == lines
    assert all(b"bearer r8_k\r\n" in head.lower() for head, _ in vendor.asked)
    assert {"input": {"prompt": "hi", "max_tokens": 9}, "stream": True} == json.loads(
        vendor.asked[0][1]
    )


@needs_recordings
@pytest.mark.parametrize("file", [row["file"] for row in facts("replicate")])
async def test_a_recording(file: str) -> None:
    """Real bytes of the vendor's give their text, and end although the connection stays open."""
    row = next(row for row in facts("replicate") if row["file"] == file)
    async with sdk_over(Vendor(recording_bytes(row))) as sdk:
        assert row["text"] == text_of(await asked(sdk))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_a_problem(status: int, expected: type[openai.APIStatusError]) -> None:
    """Is the SDK's own exception, with the vendor's words."""
    async with sdk_over(
        Vendor(b"", (status, {"title": "No", "detail": "Not today.", "status": status}))
    ) as sdk:
        with pytest.raises(expected, match=r"Not today\."):
            await asked(sdk)


async def test_an_error_before_the_first_text() -> None:
    """Is an HTTP error, though the stream had begun."""
    async with sdk_over(Vendor(b": hi\n\nevent: error\ndata: Out of memory.\n\n" + DONE)) as sdk:
        with pytest.raises(openai.APIStatusError, match=r"Out of memory\."):
            await asked(sdk)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (b"event: error\ndata: Out of memory.\n\n" + DONE, r"Out of memory\."),
        (b'event: done\ndata: {"reason":"canceled"}\n\n', "was canceled"),
        (b"", "before the upstream said"),
    ],
)
async def test_a_failure_in_the_middle(end: bytes, said: str) -> None:
    """Is an exception while the stream is read; so is a cut."""
    async with sdk_over(Vendor(HELLO + end)) as sdk:
        with pytest.raises(openai.APIError, match=said):
            await asked(sdk)
