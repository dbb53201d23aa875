"""How a client of each dialect asks Mainstem, and how it knows that its answer is complete."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

_SAY = "Say what streams are."


class Asking(NamedTuple):
    """A client dialect. `path` has a place for the model, `said` is the body without it, `terminal`
    stands in the last frame only."""

    path: str
    said: Mapping[str, Any]
    terminal: bytes

    def body(self, model: str) -> bytes:
        """A small streaming request. The model is in it even where the path names it: there it does
        no harm."""
        return json.dumps({**self.said, "model": model}).encode()


_MESSAGES = {"max_tokens": 1024, "stream": True, "messages": [{"role": "user", "content": _SAY}]}
ASKING: Mapping[str, Asking] = {
    "openai_chat": Asking("/v1/chat/completions", _MESSAGES, b"data: [DONE]"),
    "anthropic": Asking("/v1/messages", _MESSAGES, b"message_stop"),
    "gemini": Asking(
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        {
            "contents": [{"role": "user", "parts": [{"text": _SAY}]}],
            "generationConfig": {"maxOutputTokens": 1024},
        },
        b'"finishReason":"STOP"',
    ),
    "openai_responses": Asking(
        "/v1/responses",
        {"input": _SAY, "max_output_tokens": 1024, "stream": True},
        b"event: response.completed",
    ),
    "native": Asking("/v1/stream", _MESSAGES, b'"type":"stream.end"'),
}
