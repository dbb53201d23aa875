"""What a client of this dialect gets of our events."""

from collections.abc import Sequence

from proxy.dialects.ollama.encode import OllamaEncoder
from proxy.events import Event


def encoded(events: Sequence[Event], *, generate: bool = False) -> bytes:
    encoder = OllamaEncoder(generate=generate)
    return b"".join(encoder.encode(event) for event in events)
