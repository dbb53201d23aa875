"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests import aws_frames
from tests.dialects.sample import (
    AWS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Endless,
    Sample,
    dumped,
)

CONVERSE_USAGE = {"inputTokens": INPUT_TOKENS, "outputTokens": OUTPUT_TOKENS, "totalTokens": 18}

BEDROCK_ERROR = aws_frames.exception("internalServerException", {"message": WORDS})

BEDROCK_ERROR_BODY = {"__type": "com.amazonaws.bedrock#InternalServerException", "message": WORDS}

SAMPLE = Sample(
    opening=aws_frames.event("messageStart", {"role": "assistant"}),
    say=lambda _, text: aws_frames.event(
        "contentBlockDelta", dumped({"contentBlockIndex": 0, "delta": {"text": text}})
    ),
    ending=aws_frames.event("contentBlockStop", {"contentBlockIndex": 0})
    + aws_frames.event("messageStop", {"stopReason": "end_turn"})
    + aws_frames.event("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 5}}),
    error=BEDROCK_ERROR,
    error_body=BEDROCK_ERROR_BODY,
    content_type=AWS,
    comment=b"",
    binary=True,
    path_names="segment",
)


def _converse(kind: str, at: int, **more: Any) -> bytes:
    return aws_frames.event(kind, {"contentBlockIndex": at, **more})


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _converse("contentBlockDelta", 0, delta={"text": PAD}),
    "blocks": lambda n: _converse("contentBlockDelta", n, delta={"text": "a"}),
    "blocks that stop": lambda n: (
        _converse("contentBlockDelta", n, delta={"text": "a"}) + _converse("contentBlockStop", n)
    ),
    "calls": lambda n: _converse(
        "contentBlockStart", n, start={"toolUse": {"toolUseId": f"t{n}", "name": "f"}}
    ),
    "an opaque block": lambda n: _converse("contentBlockDelta", 0, delta={"new": PAD}),
    "opaque blocks": lambda n: _converse("contentBlockDelta", n, delta={"new": f"{n}"}),
    "signatures": lambda n: _converse(
        "contentBlockDelta", n, delta={"reasoningContent": {"signature": PAD}}
    ),
    "metadata": lambda n: aws_frames.event("metadata", {"usage": {"inputTokens": n}, f"k{n}": PAD}),
    "stops": lambda n: aws_frames.event(
        "messageStop", {"stopReason": f"s{n}", "additionalModelResponseFields": {f"k{n}": PAD}}
    ),
    "unknown events": lambda n: aws_frames.event(f"new{n}", {f"k{n}": 1}),
    "other headers": lambda n: aws_frames.message({":event-type": "new", f"h{n}": PAD}, b"{}"),
}
