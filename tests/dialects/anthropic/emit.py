"""A request of this dialect, and what a client gets of our events."""

from collections.abc import Sequence
from typing import Any

from proxy.codec.base import Parsed
from proxy.dialects.anthropic import DIALECT
from proxy.events import Event, StreamStart
from proxy.request import ChatRequest, Message

START = StreamStart("st1", "some-model", "up", "vendor-model", 1_700_000_000)
PARSED = Parsed(ChatRequest(model="some-model", messages=[Message("user", "hi")]))
ASK: dict[str, Any] = {
    "model": "some-model",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "hi"}],
}


def encoded(events: Sequence[Event]) -> bytes:
    """What a client gets of these events, after the stream.start that the relay makes."""
    assert DIALECT.client is not None
    encoder = DIALECT.client.encoder(PARSED)
    return b"".join(encoder.encode(event) for event in (START, *events))
