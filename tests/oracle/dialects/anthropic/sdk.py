"""The vendor's own SDK as the judge of what we emit: it reads our bytes as if they had come from
the vendor."""

from collections.abc import Mapping, Sequence
from typing import Any

import anthropic

try:  # the SDK moved from one HTTP library to its successor; both take a transport in the same way
    import httpx2 as httpx
except ImportError:  # pragma: no cover
    import httpx  # type: ignore[no-redef]

from proxy.codec.base import SSE, Reply
from proxy.codec.fold import WholeAnswer
from proxy.dialects.anthropic import DIALECT
from proxy.events import Event
from tests.dialects.anthropic.emit import ASK, PARSED, START, encoded


def client(
    body: bytes,
    status: int = 200,
    content_type: str = SSE,
    headers: Mapping[str, str] | None = None,
) -> anthropic.Anthropic:
    """The SDK, wired to one fixed answer. It does not retry."""

    def answer(_request: Any) -> Any:
        return httpx.Response(
            status, content=body, headers={"content-type": content_type, **(headers or {})}
        )

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return anthropic.Anthropic(
        api_key="k", base_url="http://mainstem.test", http_client=http, max_retries=0
    )


def streamed(events: Sequence[Event]) -> Any:
    """The message that the SDK accumulates from our stream."""
    with client(encoded(events)) as api, api.messages.stream(**ASK) as stream:
        return stream.get_final_message()


def whole(events: Sequence[Event]) -> Any:
    """The message that the SDK reads from our whole answer."""
    assert DIALECT.client is not None
    answer = WholeAnswer()
    for event in (START, *events):
        answer.add(event)
    return failed_or_read(DIALECT.client.whole(PARSED, answer))


def failed_or_read(reply: Reply) -> Any:
    """What the SDK makes of a reply without a stream; raises its own exception for an error."""
    with client(reply.body, reply.status, reply.content_type, reply.headers) as api:
        return api.messages.create(**ASK)
