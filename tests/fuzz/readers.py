"""What encoders write, as readers find it that are not ours."""

import json
from typing import Any

from openai._streaming import SSEDecoder

from proxy.codec.base import Encoder
from proxy.codec.settle import Settler
from proxy.dialects.registry import CLIENTS
from proxy.events import StreamStart
from tests.fuzz.bodies import parsed_by
from tests.samples import ASKED

START = StreamStart("s1", "asked 模型", "up", "theirs", 1_700_000_000)


def encoder_of(name: str) -> Encoder:
    """As the server makes it for an upstream that may take text back."""
    encoder = CLIENTS[name].encoder(parsed_by(name))
    return encoder if CLIENTS[name].rewrites else Settler(encoder)


def frames(data: bytes) -> list[Any]:
    return list(SSEDecoder().iter_bytes(iter([data])))


def readable(name: str, encoder: Encoder, data: bytes) -> list[Any]:
    """The JSON values of what was written, as an independent reader finds them; for plain text the
    texts."""
    if ASKED[name].form == "values":
        values, text = [], data.decode()
        while text:
            value, end = json.JSONDecoder().raw_decode(text)
            values.append(value)
            text = text[end:]
        return values
    if not encoder.content_type.startswith("text/event-stream"):
        return (
            [json.loads(line) for line in data.split(b"\n") if line.strip()]
            if "ndjson" in encoder.content_type
            else []
        )
    found = frames(data)
    if ASKED[name].form == "text":
        return [frame.data for frame in found]
    values = [
        json.loads(frame.data)
        for frame in found
        if frame.data != "[DONE]" and frame.event not in ("done", "ping")
    ]
    if name == "anthropic":
        assert [value["type"] for value in values] == [frame.event for frame in found]
    return values
