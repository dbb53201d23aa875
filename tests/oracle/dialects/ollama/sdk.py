"""The ollama SDK, unmodified, reading bytes that we give it: the judge of what our encoder
emits."""

from collections.abc import Sequence
from typing import Any

import httpx
import ollama

from proxy.codec.base import NDJSON, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.dialects.ollama import DIALECT
from proxy.dialects.ollama.parse import Options
from proxy.events import Event
from proxy.request import ChatRequest
from tests.dialects.ollama.emit import encoded

ASK: Any = [{"role": "user", "content": "hi"}]


def sdk(status: int, body: bytes, content_type: str) -> Any:
    """A client whose every request is answered with this."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, content=body, headers={"content-type": content_type})
    )
    return ollama.Client(host="http://mainstem.test", transport=transport)


def parsed(body: bytes, *, generate: bool = False) -> list[Any]:
    """The SDK's parts for these bytes; raises what the SDK raises."""
    client = sdk(200, body, NDJSON)
    return list(
        client.generate(model="m", prompt="hi", stream=True)
        if generate
        else client.chat(model="m", messages=ASK, stream=True)
    )


def stream(events: Sequence[Event], *, generate: bool = False) -> list[Any]:
    """The SDK's parts for what our encoder makes of ours."""
    return parsed(encoded(events, generate=generate), generate=generate)


def whole(answer: WholeAnswer, *, generate: bool = False) -> Any:
    """The SDK's response for this answer, sent whole."""
    parsed = Parsed(ChatRequest(model="m", messages=[]), Options(generate))
    return response(DIALECT.client.whole(parsed, answer), generate=generate)


def response(reply: Reply, *, generate: bool = False) -> Any:
    """The SDK's response for a whole answer; raises what the SDK raises."""
    client = sdk(reply.status, reply.body, reply.content_type)
    return (
        client.generate(model="m", prompt="hi")
        if generate
        else client.chat(model="m", messages=ASK)
    )


def said(parts: Sequence[Any], *, generate: bool = False) -> dict[str, Any]:
    """What a user of the SDK gathers from a stream."""
    got: dict[str, Any] = {"text": "", "thinking": "", "calls": []}
    for part in parts:
        got["text"] += (part.response if generate else part.message.content) or ""
        got["thinking"] += (part.thinking if generate else part.message.thinking) or ""
        if not generate:
            got["calls"] += [
                (call.function.name, dict(call.function.arguments))
                for call in part.message.tool_calls or []
            ]
    last = parts[-1]
    names = (
        "done",
        "done_reason",
        "prompt_eval_count",
        "eval_count",
        "eval_duration",
        "load_duration",
        "total_duration",
    )
    return {
        **got,
        **{name: getattr(last, name) for name in names},
        "context": getattr(last, "context", None),
    }
