"""The bytes of the bench: what the upstream sends, ready made but for a slot for the time, and what the client asks and looks for.

A mark and 19 digits stand in each piece of text: the sender's monotonic clock in nanoseconds. A proxy may say the text in
another dialect; the mark passes through, so that the client finds it in any dialect and counts and times chunks without parsing.
"""

import json
from typing import NamedTuple

MARK = b"@@"
DIGITS = 19
SLOT = len(MARK) + DIGITS
EMPTY_SLOT = MARK + b"0" * DIGITS
KEY = "bench-key"


class Wire(NamedTuple):
    """One upstream dialect. `before` and `after` surround the slot of a content chunk; all is HTTP-chunked already."""

    start: bytes
    before: bytes
    after: bytes
    end: bytes

    def content(self, now_ns: int) -> bytes:
        return b"%b%019d%b" % (self.before, now_ns, self.after)


class Asking(NamedTuple):
    """How a client of one dialect asks, and what stands in the last frame of a complete answer."""

    path: str
    terminal: bytes


def http_chunk(data: bytes) -> bytes:
    """One piece of a chunked body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"x-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def _frame(payload: object, event: str = "") -> bytes:
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(payload, separators=(',', ':'))}\n\n".encode()


def _wire(start: bytes, content: bytes, end: bytes) -> Wire:
    before, after = http_chunk(content).split(EMPTY_SLOT)
    return Wire(start=http_chunk(start), before=before + MARK, after=after, end=http_chunk(end) + LAST_CHUNK)


def _openai_chat() -> Wire:
    def frame(delta: dict[str, str], finish: str | None = None) -> bytes:
        return _frame(
            {
                "id": "chatcmpl-Bench0123456789abcdefghij",
                "object": "chat.completion.chunk",
                "created": 1700000000,
                "model": "bench-model-2024-07-18",
                "service_tier": "default",
                "system_fingerprint": "fp_0123456789",
                "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
            }
        )

    return _wire(
        start=frame({"role": "assistant", "content": ""}),
        content=frame({"content": f"{EMPTY_SLOT.decode()} streams"}),
        end=frame({}, "stop") + b"data: [DONE]\n\n",
    )


def _anthropic() -> Wire:
    message = {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": "bench",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    }

    def frame(kind: str, **fields: object) -> bytes:
        return _frame({"type": kind, **fields}, kind)

    return _wire(
        start=frame("message_start", message=message) + frame("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        content=frame("content_block_delta", index=0, delta={"type": "text_delta", "text": f"{EMPTY_SLOT.decode()} streams"}),
        end=frame("content_block_stop", index=0)
        + frame("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 12})
        + frame("message_stop"),
    )


WIRES = {"openai_chat": _openai_chat(), "anthropic": _anthropic()}
# What the dialect's upstream half appends to its base URL, and the base URL's own path.
UPSTREAM_BASES = {"openai_chat": "/v1", "anthropic": ""}
ASKING = {
    "native": Asking("/v1/stream", b'"type":"stream.end"'),
    "openai_chat": Asking("/v1/chat/completions", b"data: [DONE]"),
    "anthropic": Asking("/v1/messages", b"message_stop"),
}


def request_body(model: str) -> bytes:
    """A small streaming request, good in every dialect of ASKING."""
    body = {"model": model, "max_tokens": 1024, "stream": True, "messages": [{"role": "user", "content": "Say what streams are."}]}
    return json.dumps(body).encode()
