"""What a client of this dialect gets of our events."""

from collections.abc import Iterable

from proxy.dialects.gemini.encode import GeminiEncoder
from proxy.events import Event, StreamStart

START = StreamStart("s1", "asked", "up", "theirs", 1_700_000_000)


def encoded(events: Iterable[Event], *, sse: bool = True, thoughts: bool = True) -> bytes:
    """What our encoder makes of an answer's events."""
    encoder = GeminiEncoder(sse=sse, thoughts=thoughts)
    return b"".join(map(encoder.encode, [START, *events]))
