"""What a client of this dialect gets of our events."""

from collections.abc import Sequence

from proxy.dialects.cohere.encode import CohereEncoder
from proxy.events import Event


def encoded(events: Sequence[Event]) -> bytes:
    encoder = CohereEncoder()
    return b"".join(encoder.encode(event) for event in events)
