"""What this dialect sends and is sent, for the tests that hold for every dialect."""

import base64
from typing import Any

from tests import aws_frames
from tests.dialects.anthropic.sample import (
    ANTHROPIC_BLOCK,
    ANTHROPIC_ENDING,
    ANTHROPIC_START,
    anthropic_delta,
)
from tests.dialects.bedrock_converse.sample import BEDROCK_ERROR, BEDROCK_ERROR_BODY
from tests.dialects.sample import AWS, PAD, Endless, Sample, dumped, json_of

SAMPLE = Sample(
    opening=aws_frames.chunk(dumped(ANTHROPIC_START)),
    starts=aws_frames.chunk(dumped(ANTHROPIC_BLOCK)),
    say=lambda _, text: aws_frames.chunk(dumped(anthropic_delta(text))),
    ending=b"".join(aws_frames.chunk(dumped(each)) for each in ANTHROPIC_ENDING),
    error=BEDROCK_ERROR,
    error_body=BEDROCK_ERROR_BODY,
    content_type=AWS,
    comment=b"",
    begins=True,
    binary=True,
    options={"inner": "anthropic"},
    path_names="segment",
)


def _invoked(document: Any) -> bytes:
    return aws_frames.event("chunk", {"bytes": base64.b64encode(json_of(document)).decode()})


ENDLESS: dict[str, Endless] = {
    "claude": lambda n: _invoked(
        {
            "type": "content_block_delta",
            "index": n,
            "delta": {"type": "text_delta", "text": PAD},
        }
    ),
    "nova": lambda n: _invoked(
        {"contentBlockDelta": {"contentBlockIndex": n, "delta": {"text": PAD}}}
    ),
    "llama": lambda n: _invoked({"generation": PAD, "prompt_token_count": n}),
    "choices": lambda n: _invoked({"choices": [{"index": n, "delta": {"content": PAD}}]}),
    "calls": lambda n: _invoked({"tool_calls": [{"name": f"f{n}", "parameters": {"a": PAD}}]}),
    "sources": lambda n: _invoked(
        {"citations": [{"start": n, "end": n, "text": PAD}], "documents": [n]}
    ),
    "metrics": lambda n: _invoked(
        {
            "outputText": "a",
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": n, f"k{n}": 1},
        }
    ),
}
