"""A whole answer as one Message, for clients that asked without `stream`."""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.anthropic import carriers, wire
from proxy.dialects.anthropic import usage as counts
from proxy.dialects.anthropic.shapes import (
    citation_object,
    kind_of,
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
    refused = any(block.refusal for block in answer.blocks.values() if block.choice == 0)
    message = {
        **message_head(answer.start),
        "content": _content(answer),
        "stop_reason": stop_reason(answer.finish, refused=refused),
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
    cited, extras = _beyond(answer)
    for at, (number, block) in enumerate(answer.blocks.items()):
        content += [opaque for place, opaque in own if place == at and opaque]
        if block.choice == 0:
            content += _blocks(block, cited.get(number), extras.get(number, {}))
    content += [opaque for place, opaque in own if place == len(answer.blocks) and opaque]
    return content + [carriers.image(image) for image in answer.images if not image.choice]


def _beyond(answer: WholeAnswer) -> tuple[dict[int, list[Any]], dict[int, dict[str, Any]]]:
    """What an answer of this dialect said of blocks beyond our events: sources as they were, and
    what else a block began with.
    """
    cited: dict[int, list[Any]] = {}
    extras: dict[int, dict[str, Any]] = {}
    for event in answer.vendor:
        match kind_of(event):
            case wire.CITATION:
                cited.setdefault(event.data["block"], []).append(event.data["citation"])
            case wire.BLOCK_EXTRAS:
                extras[event.data["block"]] = event.data["more"]
    return cited, extras


def _blocks(block: Block, cited: list[Any] | None, more: dict[str, Any]) -> list[dict[str, Any]]:
    """The block, and what must stand behind it."""
    proof = block.proof
    if block.kind == "reasoning":
        if proof is not None and proof.redacted is True and not block.text:
            return [carriers.redacted(proof)]
        signature = "" if proof is None else carriers.signature(proof)
        return [{"type": "thinking", "thinking": block.text, "signature": signature, **more}]
    call = None if block.tool is None else block.tool.id
    behind = [] if proof is None else [carriers.behind(proof, call)]
    if block.tool is not None:
        arguments = _arguments(block.text)
        named = {"id": block.tool.id, "name": block.tool.name, "input": arguments}
        return [{"type": "tool_use", **named, **more}, *behind]
    sources = cited
    if sources is None:
        found = (citation_object(citation) for citation in block.citations)
        sources = [source for source in found if source is not None]
    citations = {"citations": sources} if sources else {}
    return [{"type": "text", "text": block.text, **citations, **more}, *behind]


def _arguments(text: str) -> Any:
    """The arguments as an object. Text that is none, for example cut by max_tokens, is kept under
    one key.
    """
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": text}
