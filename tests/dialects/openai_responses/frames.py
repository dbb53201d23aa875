"""A vendor's stream, written out as its reference shows it."""

import json
from typing import Any

from proxy.dialects.openai_responses.decode import ResponsesDecoder
from proxy.events import Event, Vendor
from tests.dialects.answers import LIMIT, same_however_cut

RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "model": "gpt-5",
    "status": "in_progress",
    "output": [],
}


def frame(kind: str, **said: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': 7, **said})}\n\n".encode()


def added(at: int, **item: Any) -> bytes:
    return frame("response.output_item.added", output_index=at, item=item)


def done(at: int, **item: Any) -> bytes:
    return frame("response.output_item.done", output_index=at, item=item)


def text(at: int, *pieces: str, part: int = 0) -> bytes:
    said = (
        frame(
            "response.output_text.delta",
            item_id="m",
            output_index=at,
            content_index=part,
            delta=piece,
            logprobs=[],
        )
        for piece in pieces
    )
    return b"".join(said)


def arguments(at: int, *pieces: str) -> bytes:
    return b"".join(
        frame("response.function_call_arguments.delta", item_id="f", output_index=at, delta=piece)
        for piece in pieces
    )


def ended(status: str = "completed", **more: Any) -> bytes:
    return frame(f"response.{status}", response={**RESPONSE, "status": status, **more})


BEGUN = frame("response.created", response=RESPONSE) + frame(
    "response.in_progress", response=RESPONSE
)
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "weather",
    "arguments": "",
}
USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 29,
}


def new() -> ResponsesDecoder:
    return ResponsesDecoder(LIMIT)


def all_events(*frames: bytes) -> list[Event]:
    return same_however_cut(new, b"".join(frames))


def events(*frames: bytes) -> list[Event]:
    """Without the vendor's id of the answer, which stands before all else."""
    return [event for event in all_events(*frames) if not _is_id(event)]


def _is_id(event: Event) -> bool:
    return isinstance(event, Vendor) and {"response": {"id": "resp_1"}} == event.data
