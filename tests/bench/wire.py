"""The bytes of the bench: what each vendor sends, as it sends it, ready made but for a slot for the
time in each piece of text.

A mark and 19 digits fill the slot: the sender's monotonic clock in nanoseconds. A proxy may say the
text in another dialect; the mark passes through, so that the client finds it in any dialect and
counts and times chunks without parsing.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

MARK = b"@@"
DIGITS = 19
SLOT = len(MARK) + DIGITS
EMPTY_SLOT = MARK + b"0" * DIGITS
TEXT = f"{EMPTY_SLOT.decode()} streams"
KEY = "bench-key"
_MODEL = "bench-model-2024-07-18"
_CREATED = 1700000000


class Vendor(NamedTuple):
    """One upstream dialect. `path` is what its upstream half appends to its base URL, `base` that
    URL's own path."""

    base: str
    path: str
    start: bytes
    content: bytes
    end: bytes
    media: str = "text/event-stream; charset=utf-8"

    def chunks(self, pieces: int) -> list[bytes]:
        """A whole answer, as chunks."""
        return [self.start, *[self.content] * pieces, self.end]


class Wire(NamedTuple):
    """The same as HTTP. `before` and `after` surround the slot of a content chunk; all but `head`
    is HTTP-chunked already."""

    head: bytes
    start: bytes
    before: bytes
    after: bytes
    end: bytes

    def content(self, now_ns: int) -> bytes:
        return b"%b%019d%b" % (self.before, now_ns, self.after)


LAST_CHUNK = b"0\r\n\r\n"


def http_chunk(data: bytes) -> bytes:
    """One piece of a chunked body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _wire(vendor: Vendor) -> Wire:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {vendor.media}\r\ncache-control: no-cache\r\nx-request-id: req_bench\r\n"
    before, after = http_chunk(vendor.content).split(EMPTY_SLOT)
    return Wire(
        head=head.encode() + b"transfer-encoding: chunked\r\n\r\n",
        start=http_chunk(vendor.start),
        before=before + MARK,
        after=after,
        end=http_chunk(vendor.end) + LAST_CHUNK,
    )


def _json(payload: object) -> str:
    return json.dumps(payload, separators=(",", ":"))


def _frame(payload: object, event: str = "", end: str = "\n") -> bytes:
    name = f"event: {event}{end}" if event else ""
    return f"{name}data: {_json(payload)}{end}{end}".encode()


def _openai_chat() -> Vendor:
    def frame(delta: dict[str, str], finish: str | None = None) -> bytes:
        return _frame(
            {
                "id": "chatcmpl-Bench0123456789abcdefghij",
                "object": "chat.completion.chunk",
                "created": _CREATED,
                "model": _MODEL,
                "service_tier": "default",
                "system_fingerprint": "fp_0123456789",
                "choices": [
                    {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
                ],
            }
        )

    return Vendor(
        base="/v1",
        path="/chat/completions",
        start=frame({"role": "assistant", "content": ""}),
        content=frame({"content": TEXT}),
        end=frame({}, "stop") + b"data: [DONE]\n\n",
    )


def _anthropic() -> Vendor:
    message: dict[str, Any] = {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": _MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    }

    def frame(kind: str, **fields: object) -> bytes:
        return _frame({"type": kind, **fields}, kind)

    return Vendor(
        base="",
        path="/v1/messages",
        start=frame("message_start", message=message)
        + frame("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        content=frame("content_block_delta", index=0, delta={"type": "text_delta", "text": TEXT}),
        end=frame("content_block_stop", index=0)
        + frame(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": 12},
        )
        + frame("message_stop"),
    )


def _gemini() -> Vendor:
    """This vendor counts in every chunk, and its lines end in CR LF."""

    def frame(text: str, **more: object) -> bytes:
        usage: dict[str, Any] = {"promptTokenCount": 9, "totalTokenCount": 9}
        usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": 9}]
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, **more, "index": 0}
        chunk = {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": _MODEL,
            "responseId": "bench0123456789abcdefgh",
        }
        return _frame(chunk, end="\r\n")

    return Vendor(
        base="",
        path="/v1beta/models/bench:streamGenerateContent?alt=sse",
        start=frame("So: "),
        content=frame(TEXT),
        end=frame("", finishReason="STOP"),
    )


def _openai_responses() -> Vendor:
    """This vendor pads each delta to a length that tells nothing, and numbers its events: here all
    bear one number."""
    item = {
        "id": "msg_bench0123456789",
        "type": "message",
        "status": "in_progress",
        "content": [],
        "role": "assistant",
    }
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}

    def frame(kind: str, **fields: object) -> bytes:
        return _frame({"type": kind, "sequence_number": 7, **fields}, kind)

    def response(status: str, **more: object) -> dict[str, object]:
        return {
            "id": "resp_bench",
            "object": "response",
            "created_at": _CREATED,
            "status": status,
            "model": _MODEL,
            "output": [],
            **more,
        }

    return Vendor(
        base="/v1",
        path="/responses",
        start=frame("response.created", response=response("in_progress"))
        + frame("response.output_item.added", output_index=0, item=item)
        + frame("response.content_part.added", **place, part=part),
        content=frame(
            "response.output_text.delta",
            **place,
            delta=TEXT,
            logprobs=[],
            obfuscation="bench0123456",
        ),
        end=frame("response.output_text.done", **place, text="", logprobs=[])
        + frame(
            "response.output_item.done",
            output_index=0,
            item={**item, "status": "completed", "content": [part]},
        )
        + frame(
            "response.completed",
            response=response(
                "completed", usage={"input_tokens": 9, "output_tokens": 12, "total_tokens": 21}
            ),
        ),
    )


def _ollama() -> Vendor:
    def line(text: str, *, done: bool = False, **more: object) -> bytes:
        message = {"role": "assistant", "content": text}
        return f"{_json({'model': _MODEL, 'created_at': '2024-07-18T12:00:00.123456789Z', 'message': message, **more, 'done': done})}\n".encode()

    return Vendor(
        base="",
        path="/api/chat",
        start=line("So: "),
        content=line(TEXT),
        end=line("", done=True, done_reason="stop", prompt_eval_count=9, eval_count=12),
        media="application/x-ndjson",
    )


VENDORS: Mapping[str, Vendor] = {
    "openai_chat": _openai_chat(),
    "anthropic": _anthropic(),
    "gemini": _gemini(),
    "openai_responses": _openai_responses(),
    "ollama": _ollama(),
}
WIRES: Mapping[str, Wire] = {name: _wire(vendor) for name, vendor in VENDORS.items()}


def dialect_of(path: str) -> str:
    """Whose path a request came on."""
    return next(name for name, vendor in VENDORS.items() if path.endswith(vendor.path))
