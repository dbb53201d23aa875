"""A request of this dialect, and what a client gets of our events."""

from collections.abc import Sequence

from proxy.codec.base import Parsed
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.parse import Options
from proxy.events import Event, StreamStart
from proxy.request import ChatRequest, Message

ASKED = Parsed(ChatRequest(model="fast", messages=[Message("user", "hi")]), Options())
START = StreamStart("s1", "fast", "openai", "gpt-4o-mini", 1_700_000_000)


def encoded(
    events: Sequence[Event], *, include_usage: bool = False, custom: frozenset[str] = frozenset()
) -> bytes:
    encoder = ChatEncoder(include_usage=include_usage, custom=custom)
    return b"".join(encoder.encode(event) for event in [START, *events])
