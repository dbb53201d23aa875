"""A whole answer as one UI message, for a page that asked with `stream: false`. The SDK itself
always streams.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.ai_sdk import metadata, shapes


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. Of several choices the first is given."""
    start = answer.start
    assert start is not None
    blocks = [block for block in answer.blocks.values() if block.choice == 0]
    sources = (citation for block in blocks for citation in block.citations)
    cited = [
        part
        for number, citation in enumerate(sources)
        if (part := shapes.source(citation, number)) is not None
    ]
    message = {
        "id": parsed.options.message_id or start.stream,
        "role": "assistant",
        "metadata": {**shapes.began(start), **shapes.ended(answer.finish, answer.usage)},
        "parts": [
            {"type": "step-start"},
            *(part for block in blocks for part in _part(block)),
            *(shapes.file(image) for image in answer.images if not image.choice),
            *cited,
        ],
    }
    return Reply(200, msgspec.json.encode(message))


def _part(block: Block) -> Iterator[dict[str, Any]]:
    proof = {} if block.proof is None else metadata.written(block.proof)
    if block.kind != "tool_call":
        beside = {"providerMetadata": proof} if proof else {}
        yield {"type": block.kind, "text": block.text, "state": "done", **beside}
    elif block.tool is not None:
        value, fault = shapes.tool_input(block.text)
        part: dict[str, Any] = {"type": f"tool-{block.tool.name}", "toolCallId": block.tool.id}
        if proof:
            part["callProviderMetadata"] = proof
        if fault is None:
            yield {**part, "state": "input-available", "input": value}
        else:
            yield {**part, "state": "output-error", "rawInput": value, "errorText": fault}
