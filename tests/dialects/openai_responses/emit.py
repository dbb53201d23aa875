"""A request of this dialect, and what a client gets of our events."""

import json
from collections.abc import Sequence
from typing import Any

from proxy.codec.base import Incoming, Parsed
from proxy.dialects.openai_responses import DIALECT
from proxy.events import Event, StreamStart

START = StreamStart("s1", "fast", "openai", "gpt-5", 1_700_000_000)
assert DIALECT.client is not None
assert DIALECT.upstream is not None
CLIENT, UPSTREAM = DIALECT.client, DIALECT.upstream


def parsed(**body: Any) -> Parsed:
    said = {"model": "fast", "input": "hi", **body}
    return CLIENT.parse_request(Incoming("POST", {}, {}, {}, json.dumps(said).encode()))


def encoded(events: Sequence[Event], **body: Any) -> bytes:
    encoder = CLIENT.encoder(parsed(**body))
    return b"".join(encoder.encode(event) for event in [START, *events])
