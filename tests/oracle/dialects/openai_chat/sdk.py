"""The openai SDK, unmodified, reading bytes that we give it: the judge of what our encoder
emits."""

import importlib
from collections.abc import Sequence
from typing import Any

import openai

from proxy.codec.base import Reply
from proxy.events import Event
from tests.dialects.openai_chat.emit import encoded

# The SDK's own HTTP library, whatever it is called in this release.
_CLIENT = next(kind for kind in openai.DefaultHttpxClient.__mro__ if kind.__name__ == "Client")
http = importlib.import_module(_CLIENT.__module__.partition(".")[0])


def sdk(
    status: int, body: bytes, headers: dict[str, str], *, max_retries: int = 0
) -> openai.OpenAI:
    """A client whose every request is answered with this."""
    transport = http.MockTransport(lambda _: http.Response(status, content=body, headers=headers))
    client = http.Client(transport=transport)
    return openai.OpenAI(
        api_key="k", base_url="http://mainstem.test/v1", http_client=client, max_retries=max_retries
    )


def chunks(events: Sequence[Event], *, include_usage: bool = False) -> list[Any]:
    """The SDK's chunks for these events; raises what the SDK raises."""
    body = encoded(events, include_usage=include_usage)
    client = sdk(200, body, {"content-type": "text/event-stream; charset=utf-8"})
    with client.chat.completions.create(
        model="fast", messages=[{"role": "user", "content": "hi"}], stream=True
    ) as stream:
        return list(stream)


def completion(reply: Reply) -> Any:
    """The SDK's completion for a whole answer; raises what the SDK raises."""
    client = sdk(reply.status, reply.body, {"content-type": reply.content_type, **reply.headers})
    return client.chat.completions.create(
        model="fast", messages=[{"role": "user", "content": "hi"}]
    )


def text(stream: Sequence[Any], choice: int = 0) -> str:
    return "".join(
        c.delta.content or "" for chunk in stream for c in chunk.choices if c.index == choice
    )


def calls(stream: Sequence[Any], choice: int = 0) -> list[tuple[str, str, str]]:
    """(id, name, arguments) of each call, joined by index as the SDK's documentation shows."""
    found: dict[int, list[str]] = {}
    for chunk in stream:
        for c in chunk.choices:
            for call in (c.delta.tool_calls or []) if c.index == choice else []:
                have = found.setdefault(call.index, ["", "", ""])
                have[0] += call.id or ""
                have[1] += call.function.name or ""
                have[2] += call.function.arguments or ""
    return [(have[0], have[1], have[2]) for _, have in sorted(found.items())]


def finishes(stream: Sequence[Any]) -> dict[int, str]:
    return {c.index: c.finish_reason for chunk in stream for c in chunk.choices if c.finish_reason}
