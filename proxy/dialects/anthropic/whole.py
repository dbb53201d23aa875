"""A whole answer as one Message, for clients that asked without `stream`."""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.anthropic import usage as counts
from proxy.dialects.anthropic.encode import (
    citation_object,
    message_head,
    opaque_block,
    stop_extras,
    stop_reason,
)


def whole(_parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. Of several choices the first is given."""
    delta: dict[str, Any] = {}
    more: dict[str, Any] = {}
    for event in answer.vendor:
        delta, more = stop_extras(event) or (delta, more)
    message = {
        **message_head(answer.start),
        "content": _content(answer),
        "stop_reason": stop_reason(answer.finish),
        "stop_sequence": None,
        **delta,
        "usage": {"input_tokens": 0, **counts.on_wire(answer.usage, more)},
    }
    return Reply(200, msgspec.json.encode(message))


def _content(answer: WholeAnswer) -> list[dict[str, Any]]:
    """The blocks in their order, with the vendor's own between them where they stood."""
    content: list[dict[str, Any]] = []
    own = [
        (at, opaque_block(event)) for at, event in zip(answer.vendor_at, answer.vendor, strict=True)
    ]
    for number, block in enumerate(answer.blocks.values()):
        content += [opaque for at, opaque in own if at == number and opaque]
        if block.choice == 0:
            content.append(_block(block))
    return content + [opaque for at, opaque in own if at == len(answer.blocks) and opaque]


def _block(block: Block) -> dict[str, Any]:
    if block.kind == "reasoning":
        return {"type": "thinking", "thinking": block.text, "signature": block.signature or ""}
    if block.kind == "tool_call":
        assert block.tool is not None
        return {
            "type": "tool_use",
            "id": block.tool.id,
            "name": block.tool.name,
            "input": _arguments(block.text),
        }
    cited = [
        found for citation in block.citations if (found := citation_object(citation)) is not None
    ]
    return {"type": "text", "text": block.text, **({"citations": cited} if cited else {})}


def _arguments(text: str) -> Any:
    """The arguments as an object. Text that is none, for example cut by max_tokens, is kept under
    one key.
    """
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": text}
