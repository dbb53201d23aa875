"""The vendors' SDKs call paths that are passed on, with a base URL below /pass: what they do beside
chats works as it does with the vendor."""

import base64
import struct

import openai
import pytest
from aiohttp import web
from google import genai

from tests.server.test_passage import KEY, proxied

# The SDK derives its own session class from aiohttp's, which that discourages: its affair.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)
NUMBERS = [0.5, -0.25, 1.0]
SOUND = bytes(range(256)) * 64


async def vendor(request: web.Request) -> web.StreamResponse:
    """Answers as OpenAI's and Google's references say."""
    path = request.path
    if path.endswith("/embeddings"):
        packed = base64.b64encode(struct.pack("<3f", *NUMBERS)).decode()
        row = {"object": "embedding", "index": 0, "embedding": packed}
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": [row], "model": "m", "usage": usage})
    if path.endswith("/audio/transcriptions"):
        parts = (await request.read()).split(request.headers["Content-Type"][-16:].encode())
        (sound,) = [part for part in parts if b'name="file"' in part]
        return web.json_response({"text": f"whole: {SOUND in sound}"})
    if path.endswith("/audio/speech"):
        return web.Response(body=SOUND, content_type="audio/mpeg")
    if path.endswith(":batchEmbedContents"):
        return web.json_response({"embeddings": [{"values": NUMBERS}]})
    error = {"message": f"No file for {KEY}.", "type": "invalid_request_error", "code": None}
    return web.json_response({"error": error}, status=404)


async def test_openai_s() -> None:
    async with (
        proxied(vendor) as (run, seen),
        openai.AsyncOpenAI(base_url=f"{run.url}/pass/far", api_key="k", max_retries=0) as sdk,
    ):
        found = await sdk.embeddings.create(model="m", input="hi")
        assert NUMBERS == found.data[0].embedding
        text = await sdk.audio.transcriptions.create(model="m", file=("a.wav", SOUND))
        assert "whole: True" == text.text
        async with sdk.audio.speech.with_streaming_response.create(
            model="m", voice="alloy", input="hi"
        ) as speech:
            assert SOUND == await speech.read()
        with pytest.raises(openai.NotFoundError, match=r"No file for \*{8}") as caught:
            await sdk.files.retrieve("file-1")
        assert KEY not in str(caught.value)
        assert f"Bearer {KEY}" == seen.headers["authorization"]


async def test_google_s() -> None:
    async with proxied(vendor, dialect="gemini") as (run, seen):
        options = {"base_url": f"{run.url}/pass/far"}
        async with genai.Client(api_key="k", http_options=options).aio as sdk:
            found = await sdk.models.embed_content(model="m", contents="hi")
            assert found.embeddings is not None
            assert NUMBERS == found.embeddings[0].values
        assert KEY == seen.headers["x-goog-api-key"]
