"""The frames of a Messages stream, as bytes."""

from typing import Any

import msgspec
from msgspec import UNSET

from proxy.dialects.anthropic import usage as counts
from proxy.dialects.anthropic.shapes import message_head, stop_reason
from proxy.events import BlockStart, StreamEnd, StreamStart, Usage, UsageEvent

to_json = msgspec.json.Encoder().encode


def frame(name: str, value: dict[str, Any]) -> bytes:
    """One frame, whose name says what is in it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), to_json(value))


def indexed(name: str, index: int, **more: Any) -> dict[str, Any]:
    """What a frame of a block holds."""
    return {"type": name, "index": index, **more}


def message_start(
    start: StreamStart | None, usage: Usage | UsageEvent, more: dict[str, Any]
) -> bytes:
    """A message begins. `usage` holds the counts that are known by then; `more`: see
    `usage.on_wire`.
    """
    known = Usage(*msgspec.structs.astuple(usage))
    message = {
        **message_head(start),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, **counts.on_wire(known, more)},
    }
    return frame("message_start", {"type": "message_start", "message": message})


def message_end(
    event: StreamEnd, delta: dict[str, Any], more: dict[str, Any], *, refused: bool
) -> bytes:
    """A message is complete. `delta`, `more`: see `stop_extras`. `refused`: see `stop_reason`."""
    context = {key: delta[key] for key in ("context_management",) if key in delta}
    said = {key: value for key, value in delta.items() if key not in context}
    word = stop_reason(event.finish, refused=refused)
    final = {
        "type": "message_delta",
        "delta": {"stop_reason": word, "stop_sequence": None, **said},
        "usage": counts.on_wire(event.usage, more),
        **context,
    }
    return frame("message_delta", final) + frame("message_stop", {"type": "message_stop"})


def block_content(event: BlockStart) -> dict[str, Any]:
    """What a block holds when it begins."""
    if event.kind == "tool_call":
        tool = event.tool
        assert tool is not UNSET
        return {"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}}
    if event.kind == "reasoning":
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "text", "text": ""}


def block_start(index: int, content: dict[str, Any]) -> bytes:
    """A block begins."""
    return frame(
        "content_block_start", indexed("content_block_start", index, content_block=content)
    )


def delta_prefix(index: int, kind: str, key: str) -> bytes:
    """All of a piece's frame that stands before its text; behind the text comes `}}`."""
    head = f'{{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}","{key}":'
    return b"event: content_block_delta\ndata: %b" % head.encode()


def block_stop(index: int) -> bytes:
    """A block is complete."""
    return frame("content_block_stop", indexed("content_block_stop", index))


def whole_block(index: int, content: dict[str, Any]) -> bytes:
    """A block that came whole. The arguments of the vendor's own tools are streamed, so they go as
    a delta.
    """
    delta = b""
    if content["type"].endswith("_tool_use"):
        delta = (
            delta_prefix(index, "input_json_delta", "partial_json")
            + to_json(to_json(content.get("input", {})).decode())
            + b"}}\n\n"
        )
        content = {**content, "input": {}}
    return block_start(index, content) + delta + block_stop(index)


def citation_delta(index: int, citation: dict[str, Any]) -> bytes:
    """A source of a text."""
    delta = {"type": "citations_delta", "citation": citation}
    return frame("content_block_delta", indexed("content_block_delta", index, delta=delta))
