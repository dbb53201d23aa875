"""The vendor's Python SDK, fed bytes instead of a network: an independent reader of this
dialect."""

import json
from typing import Any

import httpx
import pytest

genai = pytest.importorskip("google.genai")
types = pytest.importorskip("google.genai.types")


def client(body: bytes, content_type: str = "text/event-stream") -> Any:
    """A client to which every request is answered by these bytes."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body, headers={"content-type": content_type})

    options = types.HttpOptions(
        httpx_client=httpx.Client(transport=httpx.MockTransport(answer)),
        base_url="http://vendor.test",
    )
    return genai.Client(api_key="none", http_options=options)


def streamed(body: bytes) -> list[Any]:
    """The chunks that the SDK reads."""
    return list(client(body).models.generate_content_stream(model="m", contents="hi"))


def as_events(recording: bytes) -> bytes:
    """A recorded JSON array as the same chunks in events, which is all that this SDK reads."""
    if not recording.lstrip().startswith(b"["):
        return recording
    return b"".join(
        b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in json.loads(recording)
    )


def shown(chunks: list[Any]) -> dict[str, Any]:
    """What a user of the SDK sees of an answer: pieces of one kind joined, signatures behind the
    text before which they stood."""
    parts: list[list[Any]] = []
    for part in (
        part
        for chunk in chunks
        for c in (chunk.candidates or [])[:1]
        for part in (c.content and c.content.parts) or []
    ):
        kind = "thought" if part.thought else "text" if part.text is not None else "other"
        call = part.function_call and (part.function_call.name, part.function_call.args or {})
        if part.thought_signature or call or not (parts and parts[-1][0] == kind):
            parts.append([kind, "", call, part.thought_signature])
        parts[-1][1] += part.text or ""
    finishes = [
        c.finish_reason for chunk in chunks for c in (chunk.candidates or [])[:1] if c.finish_reason
    ]
    counts = next(
        (chunk.usage_metadata for chunk in reversed(chunks) if chunk.usage_metadata), None
    )
    blocked = [
        chunk.prompt_feedback.block_reason
        for chunk in chunks
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason
    ]
    return {
        "parts": [part for part in parts if any(part[1:])],
        "finish": finishes[-1] if finishes else None,
        "blocked": blocked,
        "counts": counts
        and (
            counts.prompt_token_count,
            counts.candidates_token_count,
            counts.thoughts_token_count,
            counts.total_token_count,
        ),
    }
