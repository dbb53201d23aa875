"""The cohere SDK, unmodified, reading bytes that we give it: the judge of what our encoder
emits."""

from collections.abc import Sequence
from typing import Any

import cohere
import httpx

from proxy.codec.base import SSE, Reply
from proxy.events import Event
from tests.dialects.cohere.emit import encoded

ASK: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def sdk(status: int, body: bytes, content_type: str) -> Any:
    """A client whose every request is answered with this."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, content=body, headers={"content-type": content_type})
    )
    return cohere.ClientV2(
        api_key="k",
        base_url="http://mainstem.test",
        httpx_client=httpx.Client(transport=transport),
        max_retries=0,
    )


def parsed(body: bytes) -> list[Any]:
    """The SDK's events for these bytes."""
    return list(sdk(200, body, SSE).chat_stream(**ASK))


def stream(events: Sequence[Event]) -> list[Any]:
    """The SDK's events for what our encoder makes of ours."""
    return parsed(encoded(events))


def response(reply: Reply) -> Any:
    """The SDK's response for a whole answer; raises what the SDK raises."""
    return sdk(reply.status, reply.body, reply.content_type).chat(**ASK)


def said(events: Sequence[Any]) -> dict[str, Any]:
    """What a user of the SDK gathers from a stream."""
    got: dict[str, Any] = {
        "text": "",
        "thinking": "",
        "plan": "",
        "calls": {},
        "citations": [],
        "contents": [],
        "end": None,
    }
    for event in events:
        message = getattr(getattr(event, "delta", None), "message", None)
        match event.type:
            case "content-start":
                got["contents"].append((event.index, message.content.type))
            case "content-delta":
                got["text"] += message.content.text or ""
                got["thinking"] += message.content.thinking or ""
            case "tool-plan-delta":
                got["plan"] += message.tool_plan
            case "tool-call-start":
                call = message.tool_calls
                got["calls"][event.index] = [call.id, call.function.name, call.function.arguments]
            case "tool-call-delta":
                got["calls"][event.index][2] += message.tool_calls.function.arguments
            case "citation-start":
                got["citations"].append(message.citations.model_dump(exclude_none=True))
            case "message-end":
                got["end"] = event.delta.model_dump(exclude_none=True)
    return got
