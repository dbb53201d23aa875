"""The openai SDK, unmodified, reading bytes that we give it: the judge of what our encoder
emits."""

import importlib
import json
from collections.abc import Sequence
from typing import Any

import openai

from proxy.codec.base import Reply
from proxy.events import Event
from tests.dialects.openai_responses.emit import encoded

# The SDK's own HTTP library, whatever it is called in this release.
_CLIENT = next(kind for kind in openai.DefaultHttpxClient.__mro__ if kind.__name__ == "Client")
http = importlib.import_module(_CLIENT.__module__.partition(".")[0])


def client(status: int, body: bytes, headers: dict[str, str]) -> openai.OpenAI:
    """A client whose every request is answered with this."""
    transport = http.MockTransport(lambda _: http.Response(status, content=body, headers=headers))
    return openai.OpenAI(
        api_key="k",
        base_url="http://mainstem.test/v1",
        http_client=http.Client(transport=transport),
        max_retries=0,
    )


def streamed(events: Sequence[Event], **body: Any) -> list[Any]:
    """The SDK's events, plain; raises what the SDK raises."""
    reader = client(
        200, encoded(events, **body), {"content-type": "text/event-stream; charset=utf-8"}
    )
    with reader.responses.create(model="fast", input="hi", stream=True) as stream:
        return list(stream)


def accumulated(events: Sequence[Event], **body: Any) -> Any:
    """The response that the SDK accumulates."""
    reader = client(
        200, encoded(events, **body), {"content-type": "text/event-stream; charset=utf-8"}
    )
    with reader.responses.stream(model="fast", input="hi") as stream:
        return stream.get_final_response()


def document(reply: Reply) -> Any:
    """The SDK's response for a whole answer; raises what the SDK raises."""
    return client(
        reply.status, reply.body, {"content-type": reply.content_type, **reply.headers}
    ).responses.create(model="fast", input="hi")


def seen(response: Any) -> tuple[str, str, list[tuple[str, str, str]]]:
    """What a response says: the text, the reasoning, and (id, name, arguments) of its calls. The
    reasoning is its summary and, where a vendor shows them, the thoughts themselves; free text that
    a call has is its `input`."""
    text = "".join(
        part.text if part.type == "output_text" else part.refusal
        for item in response.output
        if item.type == "message"
        for part in item.content
    )
    reasoning = "".join(
        part.text
        for item in response.output
        if item.type == "reasoning"
        for part in [*item.summary, *(item.content or ())]
    )
    return (
        text,
        reasoning,
        [
            (item.call_id, item.name, _arguments(item))
            for item in response.output
            if item.type in ("function_call", "custom_tool_call")
        ],
    )


def _arguments(item: Any) -> str:
    if item.type == "function_call":
        return str(item.arguments)
    return json.dumps({"input": item.input}, separators=(",", ":"))
