"""A whole answer as one document, for a client that says `stream: false` in `forwardedProps`: the
messages that the events of a run make, and the event that ends it. AG-UI's own clients always
stream.
"""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.ag_ui import shapes


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. Of several choices the first is given."""
    start = answer.start
    assert start is not None
    blocks = {number: block for number, block in answer.blocks.items() if block.choice == 0}
    calls = [_call(block) for block in blocks.values() if block.kind == "tool_call"]
    text = answer.text()
    message: dict[str, Any] = {"id": start.stream, "role": "assistant"}
    if text or not calls:
        message["content"] = text
    if calls:
        message["toolCalls"] = calls
    thoughts = [
        _thought(shapes.thought_id(start.stream, number), block)
        for number, block in blocks.items()
        if block.kind == "reasoning"
    ]
    run = shapes.ids(start, parsed.options)
    document = {
        **shapes.finished(run, answer.finish, answer.usage, start.model),
        "messages": [*thoughts, message],
    }
    own = [
        {"type": "CUSTOM", "name": name, "value": shapes.own(event)}
        for name, events in (
            ("image", [image for image in answer.images if not image.choice]),
            ("citation", [source for block in blocks.values() for source in block.citations]),
        )
        for event in events
    ]
    raw = [{"type": "RAW", "event": said.data, "source": said.dialect} for said in answer.vendor]
    if own or raw:
        document["events"] = [*own, *raw]
    return Reply(200, msgspec.json.encode(document))


def _thought(name: str, block: Block) -> dict[str, Any]:
    return {"id": name, "role": "reasoning", "content": block.text, **_sealed(block)}


def _call(block: Block) -> dict[str, Any]:
    assert block.tool is not None
    said = {"name": block.tool.name, "arguments": block.text}
    return {"id": block.tool.id, "type": "function", "function": said, **_sealed(block)}


def _sealed(block: Block) -> dict[str, str]:
    sealed = None if block.proof is None else shapes.proof(block.proof)
    return {} if sealed is None else {"encryptedValue": sealed}
