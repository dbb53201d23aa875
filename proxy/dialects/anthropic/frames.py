"""The frames of a Messages stream, as bytes."""

from typing import Any

import msgspec

to_json = msgspec.json.Encoder().encode


def frame(name: str, value: dict[str, Any]) -> bytes:
    """One frame, whose name says what is in it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), to_json(value))


def indexed(name: str, index: int, **more: Any) -> dict[str, Any]:
    """What a frame of a block holds."""
    return {"type": name, "index": index, **more}


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


def citation_delta(index: int, citation: dict[str, Any]) -> bytes:
    """A source of a text."""
    delta = {"type": "citations_delta", "citation": citation}
    return frame("content_block_delta", indexed("content_block_delta", index, delta=delta))
